//! The clock that timeouts are measured on.

use crate::sys;

/// The kernel's monotonic clock, in nanoseconds since some moment before this program began.
///
/// What [`std::time::Instant`] reads as well, but as a plain number: a timer needs no more, and
/// comparing two of them is one instruction.
///
/// ```
/// let start = selectors_core::monotonic_nanos();
/// assert!(selectors_core::monotonic_nanos() >= start);
/// ```
#[inline]
#[must_use]
pub fn monotonic_nanos() -> u64 {
    let now = sys::clock::clock_gettime();
    // Neither is ever negative, and 64 bits are enough for 584 years since boot.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
