//! How far a run is: a bar with the time left on a terminal, plain lines otherwise.

use std::io::{IsTerminal, Write, stderr};
use std::time::Instant;

/// The state of the bar.
pub(crate) struct Progress {
    total: usize,
    done: usize,
    began: Instant,
    terminal: bool,
    last_point: String,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            done: 0,
            began: Instant::now(),
            terminal: stderr().is_terminal(),
            last_point: String::new(),
        }
    }

    /// The next step begins.
    pub(crate) fn step(&mut self, point: &str, subject: &str) {
        let mut out = stderr().lock();
        // Nobody reading the progress is no reason to stop.
        if self.terminal {
            let width = 30 * self.done / self.total.max(1);
            let bar = format!("{}{}", "#".repeat(width), " ".repeat(30 - width));
            let left = match self.done {
                0 => String::new(),
                done => {
                    let each = self.began.elapsed().as_secs_f64() / done as f64;
                    format!("{:.0} s left", each * (self.total - done) as f64)
                }
            };
            let _ = write!(
                out,
                "\r\x1b[K[{bar}] {}/{} {left} {point} {subject}",
                self.done, self.total
            );
            let _ = out.flush();
        } else if self.last_point != point {
            let _ = writeln!(out, "{}/{} {point}", self.done, self.total);
            point.clone_into(&mut self.last_point);
        }
        self.done += 1;
    }

    /// The bar goes.
    pub(crate) fn end(&self) {
        if self.terminal {
            let _ = write!(stderr().lock(), "\r\x1b[K");
        }
    }
}
