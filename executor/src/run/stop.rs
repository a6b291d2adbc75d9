//! Was a shutdown asked for, and who waits to hear of it?

use std::cell::{Cell, RefCell};
use std::mem;
use std::task::Waker;

use reactor::Ascending;

/// Who awaits [`stopping`](crate::stopping()).
#[derive(Default)]
pub(crate) struct Stop {
    asked: Cell<bool>,
    /// By the number of their seat.
    waiting: RefCell<Ascending<Waker>>,
    /// The last such number.
    last: Cell<u64>,
}

impl Stop {
    /// As if that many had waited.
    #[cfg(test)]
    pub(crate) fn begin_at(&self, number: u64) {
        self.last.set(number);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.get()
    }

    /// From now on it is asked for. Those who wait are the caller's to wake.
    pub(crate) fn ask(&self) -> Ascending<Waker> {
        self.asked.set(true);
        self.waiting.take()
    }

    /// Takes a seat that nobody else has, unless `seat` is the number of one. Returns the waker that
    /// it replaces, for the caller to drop: nothing is borrowed then.
    pub(crate) fn wait(&self, seat: &mut u64, waker: Waker) -> Option<Waker> {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(known) = waiting.get_mut(*seat) {
            return Some(mem::replace(known, waker));
        }
        *seat = self.last.get() + 1;
        self.last.set(*seat);
        waiting.push(*seat, waker);
        None
    }

    pub(crate) fn leave(&self, seat: u64) -> Option<Waker> {
        self.waiting.borrow_mut().remove(seat)
    }
}
