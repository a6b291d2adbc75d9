//! A round: the part of the ready queue that is being polled.
//!
//! Who is woken during a round runs in the next one, so a task that wakes itself cannot keep the
//! others waiting. A round may be interrupted by a turn of the reactor, by the end of `block_on`
//! or by a panic; what is left of it is kept.

use std::mem;

use crate::core::Core;

/// The slots of a round, and how far it has come.
#[derive(Default)]
pub(crate) struct Slots {
    slots: Vec<u32>,
    done: usize,
}

impl Slots {
    pub(crate) fn is_over(&self) -> bool {
        self.done == self.slots.len()
    }
}

/// The round that is under way, taken out of the runtime; put back when dropped.
pub(crate) struct Round<'a> {
    core: &'a Core,
    now: Slots,
}

impl<'a> Round<'a> {
    /// Goes on with the round that was interrupted, if one was.
    pub(crate) fn resume(core: &'a Core) -> Self {
        Round {
            core,
            now: core.round.take(),
        }
    }

    /// The next slot; `None` when the round is over.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<u32> {
        let slot = *self.now.slots.get(self.now.done)?;
        self.now.done += 1;
        Some(slot)
    }

    /// Begins the next round; false if nobody is woken.
    pub(crate) fn begin(&mut self) -> bool {
        self.now.slots.clear();
        self.now.done = 0;
        self.core
            .scheduler
            .borrow_mut()
            .take_queue(&mut self.now.slots);
        !self.now.slots.is_empty()
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        self.core.round.replace(mem::take(&mut self.now));
    }
}
