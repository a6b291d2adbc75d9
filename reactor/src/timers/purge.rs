//! Entries that stand for nobody go before they are many, and after a crowd its memory is given back.

use crate::timers::{Timers, stands_for_one_who_waits};

/// Fewer stale entries than this are not worth a purge.
pub(super) const PURGE_FROM: usize = 64;

impl Timers {
    #[cold]
    #[inline(never)]
    pub(super) fn fired_one_left(&mut self) {
        self.places.fired_one_left();
        if self.places.are_far_too_many(self.len()) {
            self.purge();
        }
    }

    /// Drops the stale entries, if they are many, and at least half of the queue.
    #[inline(always)]
    pub(super) fn purge_if_worth_it(&mut self) {
        if self.stale >= PURGE_FROM {
            self.purge_half();
        }
    }

    #[cold]
    #[inline(never)]
    fn purge_half(&mut self) {
        if self.stale * 2 >= self.queue.len() {
            self.purge();
        }
    }

    fn purge(&mut self) {
        let places = &mut self.places;
        self.queue
            .retain(|entry| stands_for_one_who_waits(entry, places));
        self.stale = 0;
        if self.places.are_far_too_many(self.len()) {
            self.places.shrink(self.len());
        }
        self.queue.give_back();
    }
}
