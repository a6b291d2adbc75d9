//! Exercise 4: be the kernel. Two clients have asked the server of step 5 something, A first. Let
//! it answer B, and a second later A.
//!
//! The server registers both for READ. A report makes it do one thing: with READ it reads the
//! question and asks for WRITE, with WRITE it writes the answer and asks for READ. It knows nothing
//! but what this script tells it, and its clock is the script's, so a second takes no time.
//!
//! ```text
//! cargo run -p exercises -- check e04
//! ```

use std::os::fd::RawFd;

use selectors_core::{Readiness, Script};

/// Writes down what the kernel reports, and when.
pub fn kernel(script: &Script, a: RawFd, b: RawFd) {
    // To be changed. See also `Script::ready_after`.
    script.ready(&[(a, Readiness::READABLE), (b, Readiness::READABLE)]);
    script.ready(&[(a, Readiness::WRITABLE), (b, Readiness::WRITABLE)]);
}
