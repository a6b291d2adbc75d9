//! What is asked about timers: by who waits for one, and by who wants to see them all.

use std::cell::RefCell;
use std::task::{Context, Poll, Waker};

use crate::timers::Timers;
use crate::timers::timer::TimerId;

/// What [`Timers::poll`] found.
enum TimerState {
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
    fn poll(&mut self, id: TimerId, waker: &Waker) -> TimerState {
        match &self.places.held(id).waker {
            Some(stored) if stored.will_wake(waker) => TimerState::Waiting,
            Some(_) => TimerState::WaitingForAnother,
            None => TimerState::Fired,
        }
    }

    /// Who waits for it, if it has not fired.
    pub(crate) fn waker(&mut self, id: TimerId) -> Option<&Waker> {
        self.places.held(id).waker.as_ref()
    }

    /// Has it fired?
    pub(crate) fn has_fired(&mut self, id: TimerId) -> bool {
        self.places.held(id).waker.is_none()
    }

    /// Gives a timer that waits another waker. Returns the one before, to be dropped when nothing is
    /// borrowed, because its destructor is not our code.
    fn replace(&mut self, id: TimerId, waker: Waker) -> Option<Waker> {
        self.places.held(id).waker.replace(waker)
    }
}

/// Polls a timer, which waits with the waker of `cx` from then on. Ready if it has fired: then it is still
/// its owner's to cancel.
pub(crate) fn poll_timer(timers: &RefCell<Timers>, id: TimerId, cx: &mut Context<'_>) -> Poll<()> {
    let state = timers.borrow_mut().poll(id, cx.waker());
    match state {
        TimerState::Fired => Poll::Ready(()),
        TimerState::Waiting => Poll::Pending,
        TimerState::WaitingForAnother => {
            // Cloning and dropping wakers runs code that is not ours: outside the borrow.
            let waker = cx.waker().clone();
            let replaced = timers.borrow_mut().replace(id, waker);
            drop(replaced);
            Poll::Pending
        }
    }
}
