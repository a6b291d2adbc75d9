//! How far a run is: a bar with the time left on a terminal, plain lines otherwise.

use std::io::{Write, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// The state of the bar.
pub(crate) struct Progress {
    bar: ProgressBar,
    last_point: String,
}

impl Progress {
    /// On the standard error; the bar draws itself on terminals only.
    pub(crate) fn new(total: usize) -> Self {
        let bar = ProgressBar::new(total as u64);
        if let Ok(style) =
            ProgressStyle::with_template("[{bar:30}] {pos}/{len} {eta} left  {wide_msg}")
        {
            bar.set_style(style.progress_chars("##-"));
        }
        Self {
            bar,
            last_point: String::new(),
        }
    }

    /// The next step begins.
    pub(crate) fn step(&mut self, point: &str, subject: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{point} {subject}"));
        } else if self.last_point != point {
            let (done, total) = (self.bar.position(), self.bar.length().unwrap_or(0));
            // Nobody reading the progress is no reason to stop.
            let _ = writeln!(stderr(), "{done}/{total} {point}");
            point.clone_into(&mut self.last_point);
        }
        self.bar.inc(1);
    }

    /// So many steps are not needed.
    pub(crate) fn spare(&self, steps: usize) {
        self.bar.inc(steps as u64);
    }
}

impl Drop for Progress {
    /// The bar goes.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
