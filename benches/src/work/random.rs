//! Numbers that look random and cost next to nothing.

use std::time::Duration;

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // Knuth's multiplier for 64 bits; the high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    /// Between 10 and 11 seconds: what each connection of libev's bench waits for at most.
    pub(crate) fn idle_timeout(&mut self) -> Duration {
        Duration::from_micros(10_000_000 + self.below(1_000_000) as u64)
    }
}
