//! clock_gettime(2).

use std::mem::MaybeUninit;

/// clock_gettime(2) of `CLOCK_MONOTONIC`: seconds and nanoseconds. It cannot fail: the clock
/// exists everywhere, and the pointer is good.
#[inline]
pub(crate) fn clock_gettime() -> libc::timespec {
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is to a whole timespec that the call may write.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, now.as_mut_ptr()) };
    // SAFETY: the call has filled it; and all zeros, from before, is a timespec too.
    unsafe { now.assume_init() }
}
