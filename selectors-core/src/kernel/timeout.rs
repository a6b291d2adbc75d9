//! Timeouts as the system calls take them: rounded up, never down, and clamped, never an error.

use std::time::Duration;

/// The longest single wait. More than any kernel rejects, less than 2^31 milliseconds; the
/// retrying select waits again until its deadline.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 24 * 3600);

/// Whole milliseconds, rounded up; -1 for a wait without end.
#[cfg(not(winsock))]
pub(crate) fn millis(timeout: Option<Duration>) -> i32 {
    match timeout {
        None => -1,
        Some(timeout) => {
            let timeout = timeout.min(LONGEST);
            let up = timeout.subsec_nanos().div_ceil(1_000_000);
            // Fits: LONGEST is less than i32::MAX milliseconds.
            (timeout.as_secs() as i32) * 1000 + up as i32
        }
    }
}

/// The milliseconds of a timeout that is a whole number of them, and of none and zero: these need
/// no finer clock.
#[cfg(not(winsock))]
#[inline]
pub(crate) fn whole_millis(timeout: Option<Duration>) -> Option<i32> {
    match timeout {
        None => Some(-1),
        Some(Duration::ZERO) => Some(0),
        Some(timeout) if timeout.subsec_nanos() % 1_000_000 == 0 => Some(millis(Some(timeout))),
        Some(_) => None,
    }
}

/// The timeout of a call that takes nanoseconds.
#[cfg(not(winsock))]
pub(crate) fn timespec(timeout: Duration) -> libc::timespec {
    let timeout = timeout.min(LONGEST);
    libc::timespec {
        tv_sec: timeout.as_secs() as _,
        tv_nsec: timeout.subsec_nanos() as _,
    }
}

/// The timeout of select(2): microseconds, rounded up.
pub(crate) fn timeval(timeout: Duration) -> libc::timeval {
    let timeout = timeout.min(LONGEST);
    let micros_up = timeout.subsec_nanos().div_ceil(1000);
    let (carry, micros) = (micros_up / 1_000_000, micros_up % 1_000_000);
    libc::timeval {
        tv_sec: (timeout.as_secs() + u64::from(carry)) as _,
        tv_usec: micros as _,
    }
}
