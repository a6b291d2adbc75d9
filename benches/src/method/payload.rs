//! What is sent, so that every reply can be verified to the last byte.
//!
//! A message of at least 16 bytes begins with its number and its intended time; the rest, and all
//! of a shorter one, is a piece of a fixed pattern that begins somewhere else for each number. A
//! reply that was lost, doubled, swapped or cut is therefore never taken for the right one.

const HEADER: usize = 16;
/// A prime, so that pieces of neighbouring numbers differ.
const PERIOD: u64 = 251;

pub struct Payload {
    size: usize,
    pattern: Vec<u8>,
    scratch: Vec<u8>,
}

impl Payload {
    /// For messages of `size` bytes; at least one.
    pub fn new(size: usize) -> Self {
        let size = size.max(1);
        let length = size as u64 + PERIOD;
        let pattern = (0..length).map(|at| (at % PERIOD) as u8).collect();
        Self { size, pattern, scratch: vec![0; size] }
    }

    pub fn size(&self) -> usize {
        self.size
    }

    #[inline]
    pub fn message(&mut self, number: u64, intended: u64) -> &[u8] {
        let start = (number % PERIOD) as usize;
        let piece = &self.pattern[start..start + self.size];
        if self.size < HEADER {
            return piece;
        }
        self.scratch[HEADER..].copy_from_slice(&piece[HEADER..]);
        self.scratch[..8].copy_from_slice(&number.to_le_bytes());
        self.scratch[8..HEADER].copy_from_slice(&intended.to_le_bytes());
        &self.scratch
    }

    #[inline]
    pub fn is(&mut self, reply: &[u8], number: u64, intended: u64) -> bool {
        self.message(number, intended) == reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_byte_and_a_wrong_number_are_found_at_every_size() {
        for size in [1, 15, 16, 64, 1024, 16384] {
            let mut payload = Payload::new(size);
            let mut reply = payload.message(7, 99).to_vec();
            assert!(payload.is(&reply, 7, 99));
            assert!(!payload.is(&reply, 8, 99), "the next number, {size} bytes");
            *reply.last_mut().unwrap() ^= 1;
            assert!(!payload.is(&reply, 7, 99), "a wrong byte of {size}");
        }
    }
}
