//! clock_gettime(2).

use std::mem::MaybeUninit;

/// The clock that [`std::time::Instant`] reads, and that the kernel measures timeouts on. It stands
/// still while the machine sleeps.
#[cfg(not(target_vendor = "apple"))]
const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// Here `CLOCK_MONOTONIC` goes on while the machine sleeps; `Instant` and kevent(2) stand still.
#[cfg(target_vendor = "apple")]
const CLOCK: libc::clockid_t = libc::CLOCK_UPTIME_RAW;

/// clock_gettime(2) of the clock that [`std::time::Instant`] reads: seconds and nanoseconds. It cannot fail: the clock
/// exists everywhere, and the pointer is good.
#[inline]
#[must_use]
pub fn clock_gettime() -> libc::timespec {
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is to a whole timespec that the call may write.
    unsafe { libc::clock_gettime(CLOCK, now.as_mut_ptr()) };
    // SAFETY: the call has filled it; and all zeros, from before, is a timespec too.
    unsafe { now.assume_init() }
}
