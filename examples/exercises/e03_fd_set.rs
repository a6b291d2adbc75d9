//! Exercise 3: the set of fds that select(2) takes: one bit for each number.
//!
//! ```text
//! cargo run -p exercises -- check e03
//! ```

use exercises::e03::Set;

/// A bit for each fd: fd n is bit n % 64 of word n / 64.
#[derive(Debug, Default)]
pub struct FdSet {
    words: Vec<u64>,
}

impl Set for FdSet {
    fn insert(&mut self, fd: usize) {
        // To be changed: this has room for 64 fds, and fd 64 falls on fd 0.
        self.words.resize(1, 0);
        self.words[0] |= 1 << (fd % 64);
    }

    fn remove(&mut self, fd: usize) {
        if let Some(word) = self.words.first_mut() {
            *word &= !(1 << (fd % 64));
        }
    }

    fn contains(&self, fd: usize) -> bool {
        self.words
            .first()
            .is_some_and(|word| word & (1 << (fd % 64)) != 0)
    }

    /// The highest number in the set, plus one: how far the kernel has to look. 0 if it is empty.
    fn nfds(&self) -> usize {
        64
    }

    fn words(&self) -> &[u64] {
        &self.words
    }
}
