//! A hash for names of ours, in words: nobody can choose them so that they meet, and so it needs no
//! secret, nor the time and the code of one that has.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps by id, by slot, or by address.
#[doc(hidden)]
pub type BySpread = BuildHasherDefault<Spread>;

#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are of one word");
    }

    fn write_u32(&mut self, key: u32) {
        self.write_u64(key.into());
    }

    fn write_usize(&mut self, key: usize) {
        self.write_u64(key as u64);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // The table looks at both ends of the word.
        self.0 ^ (self.0 >> 32)
    }
}
