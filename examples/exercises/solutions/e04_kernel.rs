//! Exercise 4, solved.

use std::os::fd::RawFd;
use std::time::Duration;

use selectors_core::{Readiness, Script};

/// Writes down what the kernel reports, and when.
pub fn kernel(script: &Script, a: RawFd, b: RawFd) {
    script.ready(&[(b, Readiness::READABLE)]);
    script.ready(&[(b, Readiness::WRITABLE)]);
    // A's bytes have been there all the time; a server hears of them when the kernel says so.
    script.ready_after(Duration::from_secs(1), &[(a, Readiness::READABLE)]);
    script.ready(&[(a, Readiness::WRITABLE)]);
}
