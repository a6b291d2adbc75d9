//! How far a program has come: a bar on a terminal, a line now and then elsewhere.

use std::fmt;
use std::io::{self, IsTerminal};
use std::rc::Rc;
use std::time::{Duration, Instant};

use executor::JoinHandle;
use executor::time::interval;
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use trace::complain;

/// Between two looks at a bar.
const FRAME: Duration = Duration::from_millis(100);

/// Between two lines, where there is no bar.
const LINE: Duration = Duration::from_secs(5);

/// Shows progress on standard error until it is dropped.
pub struct Progress {
    bar: ProgressBar,
    task: JoinHandle<()>,
}

impl Progress {
    /// Shows how many messages of `total` are done, as `done` counts them.
    ///
    /// # Panics
    ///
    /// If this thread runs no runtime.
    pub fn show(total: u64, done: impl Fn() -> u64 + 'static) -> Progress {
        let bar = if io::stderr().is_terminal() {
            ProgressBar::new(total).with_style(style())
        } else {
            ProgressBar::hidden()
        };
        let shown = Rc::new(bar.clone());
        let task = executor::spawn(async move {
            let mut frames = interval(FRAME);
            let mut last_line = Instant::now();
            loop {
                frames.tick().await;
                let done = done();
                if !shown.is_hidden() {
                    shown.set_position(done);
                } else if last_line.elapsed() >= LINE {
                    last_line = Instant::now();
                    complain!("{} of {} messages", HumanCount(done), HumanCount(total));
                }
            }
        });
        Progress { bar, task }
    }
}

fn style() -> ProgressStyle {
    let template = "{bar:40.cyan/blue} {human_pos} of {human_len} messages, {rate}/s, {eta} to go";
    // The template is a constant and right; a wrong one would be no reason to stop.
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
        let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
    })
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}
