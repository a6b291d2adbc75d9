//! What a client sends: random bytes that can be told apart, and made again from the seed.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use fastrand::Rng;

/// The longest message.
const LONGEST: usize = 64 << 20;

/// Room for messages to begin at different places of the pool.
const SLACK: usize = 64 << 10;

/// How long a message is: always the same, or anything between two lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size(RangeInclusive<usize>);

impl Size {
    /// Lengths from `shortest` to `longest`, both included.
    ///
    /// # Panics
    ///
    /// If there is no such length.
    pub fn between(shortest: usize, longest: usize) -> Size {
        assert!(0 < shortest && shortest <= longest && longest <= LONGEST);
        Size(shortest..=longest)
    }

    /// The longest message that may come.
    pub fn longest(&self) -> usize {
        *self.0.end()
    }
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Size, Self::Err> {
        const EXPECTED: &str = "expected a number of bytes from 1 to 64M, such as 64 or 16k, or a \
                                range of them, such as 1..64k";
        let (shortest, longest) = match text.split_once("..") {
            Some((shortest, longest)) => (shortest, longest.trim_start_matches('=')),
            None => (text, text),
        };
        match (bytes(shortest), bytes(longest)) {
            (Some(shortest), Some(longest)) if shortest <= longest => {
                Ok(Size::between(shortest, longest))
            }
            _ => Err(EXPECTED),
        }
    }
}

/// `64`, `16k` or `2M`, within the limits of a message.
fn bytes(text: &str) -> Option<usize> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1 << 10),
        None => match text.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 1 << 20),
            None => (text, 1),
        },
    };
    let bytes = digits.parse::<usize>().ok()?.checked_mul(unit)?;
    (1..=LONGEST).contains(&bytes).then_some(bytes)
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shortest, longest) = (self.0.start(), self.0.end());
        if shortest == longest {
            write!(f, "{longest} B")
        } else {
            write!(f, "{shortest} B to {longest} B")
        }
    }
}

/// A pool of random bytes. A message is a slice of it that begins somewhere else each time, so
/// sending costs no copy, and a byte at the wrong place is nearly always a wrong byte.
#[derive(Debug)]
pub struct Pool {
    bytes: Vec<u8>,
    size: Size,
}

impl Pool {
    /// The pool of this random generator.
    pub fn new(random: &mut Rng, size: Size) -> Pool {
        let mut bytes = vec![0; size.longest() + SLACK];
        random.fill(&mut bytes);
        Pool { bytes, size }
    }

    /// The next message of a connection.
    pub fn message(&self, random: &mut Rng) -> &[u8] {
        let length = random.usize(self.size.0.clone());
        let start = random.usize(..=self.bytes.len() - length);
        &self.bytes[start..start + length]
    }
}

#[cfg(test)]
mod tests {
    use super::{Pool, Size};
    use fastrand::Rng;

    #[test]
    fn sizes_are_numbers_ranges_and_units() {
        assert_eq!("64".parse(), Ok(Size::between(64, 64)));
        assert_eq!("1..65536".parse(), Ok(Size::between(1, 65536)));
        assert_eq!("1..=64k".parse(), Ok(Size::between(1, 65536)));
        assert_eq!("2M".parse(), Ok(Size::between(2 << 20, 2 << 20)));
    }

    #[test]
    fn sizes_that_make_no_sense_are_refused() {
        for bad in [
            "",
            "0",
            "many",
            "-1",
            "10..1",
            "0..5",
            "1..",
            "..",
            "65M",
            "1e3",
            "99999999999T",
        ] {
            assert!(bad.parse::<Size>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_messages() {
        let messages = |seed| {
            let mut random = Rng::with_seed(seed);
            let pool = Pool::new(&mut random, Size::between(1, 100));
            (0..50)
                .map(|_| pool.message(&mut random).to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(messages(7), messages(7));
        assert_ne!(messages(7), messages(8));
        assert!(
            messages(7)
                .iter()
                .all(|message| (1..=100).contains(&message.len()))
        );
    }
}
