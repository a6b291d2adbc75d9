//! What is in the box: messages in their order, and the keys of those that have one.

use std::collections::{HashSet, VecDeque};

use reactor::BySpread;

/// A buffer for that many letters, or fewer, is kept however few are in it.
pub(super) const FEW: usize = 1024;

/// Buffers that have held more than this are given back when the loop sleeps.
const MANY: usize = 2 * FEW;

/// Messages in their order, and the keys of those that have one.
pub(crate) struct Letters<T> {
    pub(super) list: VecDeque<T>,
    pub(super) keys: HashSet<u64, BySpread>,
    /// How many there were when the loop took them.
    pub(super) taken: usize,
}

impl<T> Letters<T> {
    /// Makes room for the next exchange: the buffers are kept, unless this was a small part of
    /// what they hold.
    pub(super) fn make_ready(&mut self) {
        self.keys.clear();
        self.shrink_to(FEW.max(self.taken * 4));
    }

    /// Were there more than the buffers should hold while the loop sleeps?
    pub(crate) fn were_many(&self) -> bool {
        self.taken > MANY
    }

    /// Gives memory back after a burst.
    pub(super) fn give_back(&mut self) {
        self.shrink_to(FEW);
    }

    fn shrink_to(&mut self, most: usize) {
        if self.list.capacity() > most {
            self.list.shrink_to(most);
        }
        if self.keys.capacity() > 2 * most {
            // They are few. `shrink_to` is three times as long.
            self.keys = self.keys.drain().collect();
        }
    }
}

impl<T> Iterator for Letters<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.list.pop_front()
    }
}

impl<T> Default for Letters<T> {
    fn default() -> Self {
        Letters {
            list: VecDeque::new(),
            keys: HashSet::default(),
            taken: 0,
        }
    }
}
