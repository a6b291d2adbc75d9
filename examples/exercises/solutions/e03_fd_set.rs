//! Exercise 3, solved.

use exercises::e03::Set;

/// A bit for each fd.
#[derive(Debug, Default)]
pub struct FdSet {
    words: Vec<u64>,
}

impl Set for FdSet {
    fn insert(&mut self, fd: usize) {
        let word = fd / 64;
        // C's fd_set ends at 1024 and does not say so; this one grows.
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (fd % 64);
    }

    fn remove(&mut self, fd: usize) {
        if let Some(word) = self.words.get_mut(fd / 64) {
            *word &= !(1 << (fd % 64));
        }
    }

    fn contains(&self, fd: usize) -> bool {
        self.words
            .get(fd / 64)
            .is_some_and(|word| word & (1 << (fd % 64)) != 0)
    }

    fn nfds(&self) -> usize {
        let highest = self.words.iter().rposition(|word| *word != 0);
        highest.map_or(0, |place| {
            place * 64 + 64 - self.words[place].leading_zeros() as usize
        })
    }

    fn words(&self) -> &[u64] {
        &self.words
    }
}
