//! The rare ways to wait: on a clock that stands still, before the eyes of an observer, and spinning.
//! Whoever dispatches, their code is in a program once.

use std::task::Waker;
use std::time::Duration;

use selectors_core::{Error, Readiness};

use crate::heart::shared::Shared;
use crate::heart::slot::Key;
use crate::heart::turn::Turn;

/// Is handed each event.
pub(super) type Dispatch<'a> = dyn FnMut(&Key, Readiness) + 'a;

impl Shared {
    /// Which one it is.
    #[cold]
    #[inline(never)]
    pub(super) fn select_unusually(
        &self,
        timeout: Option<Duration>,
        absorb: &mut dyn FnMut(Waker) -> Option<Waker>,
        woken: &mut Vec<Waker>,
        turn: &mut Turn,
    ) -> Result<usize, Error> {
        let dispatch = &mut |key: &Key, readiness| {
            self.dispatch(key, readiness, absorb, woken, turn);
        };
        if self.clock.is_paused() {
            self.select_paused(timeout, dispatch)
        } else if self.attention.is_observed() {
            self.select_observed(timeout, dispatch)
        } else if self.spin.is_wanted() && timeout != Some(Duration::ZERO) {
            let ask = |timeout| self.ask(timeout, dispatch);
            self.spin.select(timeout, || self.elapsed_now(), ask)
        } else {
            self.ask(timeout, dispatch)
        }
    }

    /// [`select`](Self::select), for those ways.
    #[inline(never)]
    pub(super) fn ask(
        &self,
        timeout: Option<Duration>,
        dispatch: &mut Dispatch<'_>,
    ) -> Result<usize, Error> {
        self.select(timeout, dispatch)
    }
}
