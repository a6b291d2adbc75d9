//! QueryPerformanceCounter().

use std::sync::OnceLock;

use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};

/// The clock that [`std::time::Instant`] reads, in nanoseconds since the machine was started. It
/// cannot fail: the clock exists since Windows XP.
#[must_use]
pub fn query_performance_counter() -> u64 {
    static FREQUENCY: OnceLock<u64> = OnceLock::new();
    let frequency = *FREQUENCY.get_or_init(|| {
        let mut ticks = 0;
        // SAFETY: the call writes one i64, which is ours.
        unsafe { QueryPerformanceFrequency(&raw mut ticks) };
        (ticks as u64).max(1)
    });
    let mut ticks = 0;
    // SAFETY: the call writes one i64, which is ours.
    unsafe { QueryPerformanceCounter(&raw mut ticks) };
    let ticks = ticks as u64;
    // In two steps, because the product of both would be too large.
    let (seconds, rest) = (ticks / frequency, ticks % frequency);
    seconds * 1_000_000_000 + rest * 1_000_000_000 / frequency
}
