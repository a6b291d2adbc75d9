//! Another order than that of the wakes, the same for the same seed: for tests that look for orders
//! in which a program fails.

use std::collections::VecDeque;

/// A queue that is shuffled in rounds: whoever is in it when a round begins comes before whoever is
/// woken later, so that nobody waits for ever.
pub(crate) struct Shuffle {
    /// Of Marsaglia's xorshift64; never zero.
    state: u64,
    queue: VecDeque<u32>,
    /// How many of this round are still in the queue, at its front.
    left: usize,
}

impl Shuffle {
    pub(crate) fn new(seed: u64) -> Self {
        Shuffle {
            // Spread, so that seeds side by side differ in more than one bit.
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            queue: VecDeque::new(),
            left: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn give_back(&mut self, few: usize) {
        self.queue.shrink_to(few.max(self.queue.len() * 2));
    }

    pub(crate) fn push(&mut self, slot: u32) {
        self.queue.push_back(slot);
    }

    /// Takes the next one; begins a round if none is under way.
    #[cold]
    pub(crate) fn pop(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.left = self.queue.len();
            // Fisher and Yates.
            for last in (1..self.queue.len()).rev() {
                self.state ^= self.state << 13;
                self.state ^= self.state >> 7;
                self.state ^= self.state << 17;
                self.queue
                    .swap(last, (self.state % (last as u64 + 1)) as usize);
            }
        }
        self.left = self.left.saturating_sub(1);
        self.queue.pop_front()
    }
}
