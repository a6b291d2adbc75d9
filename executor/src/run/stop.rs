//! Was a shutdown asked for, and who waits to hear of it?

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::task::Waker;

/// Who awaits [`stopping`](crate::stopping()).
#[derive(Default)]
pub(crate) struct Stop {
    asked: Cell<bool>,
    /// By the number of their seat.
    waiting: RefCell<BTreeMap<u64, Waker>>,
    /// The next such number.
    next: Cell<u64>,
}

impl Stop {
    /// As if that many had waited.
    #[cfg(test)]
    pub(crate) fn begin_at(&self, number: u64) {
        self.next.set(number);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.get()
    }

    /// From now on it is asked for. Those who wait are the caller's to wake.
    pub(crate) fn ask(&self) -> BTreeMap<u64, Waker> {
        self.asked.set(true);
        self.waiting.take()
    }

    /// The number of a seat that nobody else has.
    pub(crate) fn seat(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }

    /// Returns the waker that it replaces, for the caller to drop: nothing is borrowed then.
    pub(crate) fn wait(&self, seat: u64, waker: Waker) -> Option<Waker> {
        self.waiting.borrow_mut().insert(seat, waker)
    }

    pub(crate) fn leave(&self, seat: u64) -> Option<Waker> {
        self.waiting.borrow_mut().remove(&seat)
    }
}
