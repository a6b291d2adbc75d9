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
    /// A task that is over, and may still be said to have been dropped before it was ready.
    leaving: Option<u64>,
}

impl Names {
    /// A task is over: when the next one is, its name is forgotten.
    pub(super) fn leave(&mut self, task: u64) {
        let before = self.leaving.replace(task).filter(|before| *before != task);
        if let Some(before) = before {
            self.tasks.forget(before);
        }
    }

    /// A task begins, perhaps with the name of the one that was the last to leave.
    pub(super) fn arrive(&mut self, task: u64) {
        if self.leaving == Some(task) {
            self.tasks.forget(task);
        }
    }
}

/// Those of one kind.
pub(super) struct Numbers<K> {
    known: HashMap<K, u64>,
    next: u64,
}

impl<K: Eq + Hash> Numbers<K> {
    /// The number of `real`, and whether it is new.
    pub(super) fn of(&mut self, real: K) -> (u64, bool) {
        match self.known.entry(real) {
            Entry::Occupied(known) => (*known.get(), false),
            Entry::Vacant(place) => {
                let number = *place.insert(self.next);
                self.next += 1;
                (number, true)
            }
        }
    }

    pub(super) fn knows(&self, real: K) -> bool {
        self.known.contains_key(&real)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
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
