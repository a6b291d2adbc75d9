//! What is asked about timers: by who waits for one, and by who wants to see them all.

use std::task::Waker;

use crate::timers::Timers;
use crate::timers::timer::TimerId;

/// What [`Timers::poll`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimerState {
    Fired,
    /// It waits, and knows this waker.
    Waiting,
    /// It waits with another waker, to be [replaced](Timers::replace).
    WaitingForAnother,
}

impl Timers {
    /// Shows every waker, with its deadline.
    pub(crate) fn for_each_waiter(&self, mut visit: impl FnMut(&Waker, u64)) {
        for timer in self.places.iter() {
            if let Some(waker) = &timer.waker {
                visit(waker, timer.deadline);
            }
        }
    }

    /// Has it fired? If not, does it wait with this `waker`?
    pub(crate) fn poll(&mut self, id: TimerId, waker: &Waker) -> TimerState {
        match &self.places.held(id).waker {
            Some(stored) if stored.will_wake(waker) => TimerState::Waiting,
            Some(_) => TimerState::WaitingForAnother,
            None => TimerState::Fired,
        }
    }

    /// Has it fired?
    pub(crate) fn has_fired(&mut self, id: TimerId) -> bool {
        self.places.held(id).waker.is_none()
    }

    /// Gives a timer that waits another waker. Returns the one before, to be dropped when nothing is
    /// borrowed, because its destructor is not our code.
    pub(crate) fn replace(&mut self, id: TimerId, waker: Waker) -> Option<Waker> {
        self.places.held(id).waker.replace(waker)
    }
}
