//! Exercise 2: how many system calls were in vain, for each byte that was read?
//!
//! ```text
//! cargo run -p exercises -- check e02
//! REACTOR_TRACE=s03.trace cargo run --example s03_spin      # a trace to try it on
//! cargo run -p exercises -- waste s03.trace
//! ```

use trace::{Step, Trace};

/// Calls that were answered with WouldBlock, for each byte that came in; `None` if none came.
pub fn wasted_per_byte(trace: &Trace) -> Option<f64> {
    let mut wasted = 0;
    let mut bytes = 0;
    for line in &trace.lines {
        // To be changed: this counts every call, and every byte twice.
        if let Step::Syscall { n, .. } = &line.step {
            wasted += 1;
            bytes += n.unwrap_or(0);
        }
    }
    Some(f64::from(wasted) / bytes as f64)
}
