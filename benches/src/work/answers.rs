//! What a server says about itself while it runs, when the process that started it asks.

use std::io::{BufRead, Write, stdin, stdout};

use crate::sys;

/// Answers each line of the standard input with `heap BYTES`: what the server has from its
/// allocator at that moment, or -1 where the C library does not tell.
///
/// On a thread of its own, which sleeps until it is asked: the loop that is looked at need not know
/// of it, and its sleep is not disturbed.
pub(crate) fn answer_questions() {
    std::thread::spawn(|| {
        for question in stdin().lock().lines() {
            if question.is_err() {
                return;
            }
            let bytes = sys::load::heap_in_use().map_or(-1.0, |bytes| bytes as f64);
            // Whoever no longer listens has ended.
            let mut out = stdout().lock();
            if writeln!(out, "heap {bytes}")
                .and_then(|()| out.flush())
                .is_err()
            {
                return;
            }
        }
    });
}
