//! Exercise 2, solved.

use trace::{Step, Trace};

/// Calls that were answered with WouldBlock, for each byte that came in; `None` if none came.
pub fn wasted_per_byte(trace: &Trace) -> Option<f64> {
    let mut wasted = 0;
    let mut bytes = 0;
    for line in &trace.lines {
        if let Step::Syscall {
            call, result, n, ..
        } = &line.step
        {
            wasted += u32::from(result == "would_block");
            // The number of a send is the same bytes on their way out; that of an accept is an fd.
            if call == "recv" {
                bytes += n.unwrap_or(0);
            }
        }
    }
    (bytes != 0).then(|| f64::from(wasted) / bytes as f64)
}
