//! The clock that timeouts are measured on.

use crate::sys;

/// The kernel's monotonic clock, in nanoseconds since some moment before this program began.
///
/// The one that [`std::time::Instant`] reads, but as a plain number: a timer needs no more, and
/// comparing two of them is one instruction. Which clock of the system that is, is said in one
/// place, because two that differ would make a deadline early: those of macOS part when the machine
/// sleeps.
///
/// ```
/// let start = selectors_core::monotonic_nanos();
/// assert!(selectors_core::monotonic_nanos() >= start);
/// ```
#[inline]
#[must_use]
pub fn monotonic_nanos() -> u64 {
    now()
}

#[cfg(not(winsock))]
#[inline]
fn now() -> u64 {
    let now = sys::clock::clock_gettime();
    // Neither is ever negative, and 64 bits are enough for 584 years since boot.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(winsock)]
use sys::clock::query_performance_counter as now;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::monotonic_nanos;

    /// Nanoseconds between two moments of each clock, each read between two readings of the other.
    #[test]
    fn it_is_the_clock_of_instant() {
        for _ in 0..1000 {
            let (before, start, after) = (Instant::now(), monotonic_nanos(), Instant::now());
            std::thread::yield_now();
            let (early, end, late) = (Instant::now(), monotonic_nanos(), Instant::now());
            let passed = u128::from(end - start);
            assert!((early - after).as_nanos() <= passed, "it is behind");
            assert!(passed <= (late - before).as_nanos(), "it is ahead");
        }
    }
}
