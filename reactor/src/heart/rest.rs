//! Rests of our own, between two attempts where the kernel has no event to tell of: a shortage of fds, a
//! full queue. They take real time also where the clock is paused, which is nobody's wish for them, and
//! no such clock goes to their end by itself.

use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::heart::shared::Shared;
use crate::timers::{TimerId, clock, poll_timer};

/// One rest. Dropping it ends it.
pub(crate) struct Rest {
    reactor: Rc<Shared>,
    /// In nanoseconds of the kernel's clock.
    until: u64,
    /// Once it was polled.
    timer: Option<TimerId>,
}

impl Rest {
    pub(crate) fn new(reactor: &Rc<Shared>, duration: Duration) -> Self {
        Rest {
            reactor: Rc::clone(reactor),
            until: reactor.real_now() + clock::nanos(duration),
            timer: None,
        }
    }

    /// Ready when it is over; not to be polled after that.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let rests = &self.reactor.rests;
        if let Some(timer) = self.timer {
            return poll_timer(rests, timer, cx);
        }
        let waker = cx.waker().clone();
        self.timer = Some(rests.borrow_mut().insert(self.until, waker));
        self.reactor.special.set(true);
        Poll::Pending
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let waker = self.reactor.rests.borrow_mut().cancel(timer);
            // Dropping a waker runs code that is not ours: after the borrow.
            drop(waker);
        }
    }
}

impl Shared {
    /// The time on the kernel's clock, or on that of a script.
    pub(crate) fn real_now(&self) -> u64 {
        self.clock.real_now(|| self.selector.borrow().now())
    }

    /// Those who have rested are to be woken.
    pub(super) fn end_rests(&self, woken: &mut Vec<Waker>) {
        let mut rests = self.rests.borrow_mut();
        if rests.next_deadline().is_some() {
            rests.fire(self.real_now(), |_, waker| woken.push(waker));
        }
    }

    /// How long it is until the first rest is over, of one of our awaits or, in level mode, of a
    /// [key](crate::heart::lasting).
    pub(super) fn first_rest(&self) -> Option<Duration> {
        let rests = self.rests.borrow_mut().next_deadline();
        let until = rests.into_iter().chain(self.resting.borrow().first());
        let left = until.min()?.saturating_sub(self.real_now());
        Some(Duration::from_nanos(left))
    }
}
