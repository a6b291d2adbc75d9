//! A clock that stands still: a wait takes no time.

use std::time::Duration;

use selectors_core::{Error, Readiness};

use crate::heart::shared::Shared;
use crate::heart::slot::Key;
use crate::timers::clock;

impl Shared {
    /// Asks the kernel without waiting. If nothing is ready, the wait is over at once: the clock is moved
    /// by as much as it would have taken. Without a timer there is nothing to move it to.
    #[cold]
    pub(super) fn select_paused(
        &self,
        timeout: Option<Duration>,
        mut dispatch: impl FnMut(&Key, Readiness),
    ) -> Result<usize, Error> {
        let observed = self.attention.is_observed();
        let mut ask = |timeout| match observed {
            true => self.select_observed(timeout, &mut dispatch),
            false => self.select(timeout, &mut dispatch),
        };
        let Some(wait) = timeout else {
            return ask(None);
        };
        let ready = ask(Some(Duration::ZERO))?;
        if ready == 0 {
            self.clock.advance(clock::nanos(wait));
        }
        Ok(ready)
    }
}
