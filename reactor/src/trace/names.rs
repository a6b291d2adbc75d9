//! Stable numbers: fds, tasks and timers in the order in which they first appear.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The numbers given so far.
#[derive(Default)]
pub(super) struct Names {
    pub(super) fds: Numbers<i32>,
    pub(super) tasks: Numbers<u64>,
    pub(super) timers: Numbers<u32>,
}

/// Those of one kind.
pub(super) struct Numbers<K> {
    known: HashMap<K, u32>,
    next: u32,
}

impl<K: Eq + Hash> Numbers<K> {
    /// The number of `real`, and whether it is new.
    pub(super) fn of(&mut self, real: K) -> (u32, bool) {
        match self.known.entry(real) {
            Entry::Occupied(known) => (*known.get(), false),
            Entry::Vacant(place) => {
                let number = *place.insert(self.next);
                self.next += 1;
                (number, true)
            }
        }
    }

    /// Whoever has this name next is somebody else.
    pub(super) fn forget(&mut self, real: K) {
        self.known.remove(&real);
    }
}

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Numbers {
            known: HashMap::new(),
            next: 0,
        }
    }
}
