//! The recorder: what the reactor and its executor do, as lines of JSON in a file.
//!
//! Any program on the runtime can be traced without touching it:
//!
//! ```text
//! REACTOR_TRACE=echo.trace cargo run --example echo -- --demo
//! ```
//!
//! The first reactor that the program makes writes to the file of that name, the second to
//! `echo.trace.2`, and so on; `%p` in the name becomes the number of the process, for programs
//! that start others.
//!
//! # Format
//!
//! One JSON object a line. The first is the header: format, version, backend, trigger, and what
//! recording costs on this machine. Every other line is one [`Event`]: `t` in nanoseconds since
//! the recording began, `at` the line of the library that did it, `e` the name of the event, then
//! its fields. Fds, tasks and timers are numbered in the order in which they first appear, so that
//! two runs of one program compare equal; the line on which an fd first appears also has its real
//! number, as `raw`. `{"e":"recorder","took":…}` says that writing took so many nanoseconds.
//!
//! # What it costs
//!
//! An event becomes a record of 32 bytes, a few tens of nanoseconds. The records are turned into
//! text when there are `BATCH` of them, and before the thread sleeps: that is when it has time,
//! and so the file of a program that hangs, or is killed, ends with what it went to sleep over.

mod names;
mod record;
mod text;

use std::cell::RefCell;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::builder::Trigger;
use crate::observe::{Event, Observer};
use crate::reactor::Reactor;
use names::Names;
use record::{Record, What, pack};

/// The variable that names the file.
const VARIABLE: &str = "REACTOR_TRACE";

/// Records that are kept before they are written.
const BATCH: usize = 4096;

/// Events of one trial, and trials, that the header's statement of cost is measured with.
const SAMPLE: u64 = 64;
const TRIALS: u32 = 4;

/// Writes what it is told as lines of JSON; the [module](self) describes them.
///
/// ```
/// use reactor::trace::Recorder;
/// use std::rc::Rc;
///
/// let runtime = executor::Runtime::new()?;
/// let recorder = Recorder::new(std::io::sink(), "epoll", "edge");
/// runtime.reactor().observe(Some(Rc::new(recorder)));
/// runtime.block_on(async {})?;
/// # std::io::Result::Ok(())
/// ```
pub struct Recorder(RefCell<Recording>);

struct Recording {
    start: Instant,
    records: Vec<Record>,
    /// Where tasks were spawned: a record has no room for a second place.
    places: Vec<&'static Location<'static>>,
    names: Names,
    line: String,
    out: Box<dyn Write + Send>,
    /// The file has failed: nothing more is written.
    failed: bool,
}

impl Recorder {
    /// A recorder whose header says `backend` and `trigger`.
    pub fn new(out: impl Write + Send + 'static, backend: &str, trigger: &str) -> Self {
        let (record, write) = cost();
        let mut recording = Recording::new(Box::new(out));
        recording.put(&text::header(backend, trigger, record, write));
        Recorder(RefCell::new(recording))
    }
}

impl Observer for Recorder {
    fn event(&self, event: Event<'_>, at: &'static Location<'static>) {
        let mut recording = self.0.borrow_mut();
        let sleeps =
            matches!(event, Event::SelectBegin { timeout, .. } if timeout != Some(Duration::ZERO));
        if sleeps || recording.records.len() >= BATCH {
            recording.write();
        }
        recording.record(event, at);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.0.get_mut().write();
    }
}

impl Recording {
    fn new(out: Box<dyn Write + Send>) -> Self {
        Recording {
            start: Instant::now(),
            records: Vec::with_capacity(BATCH),
            places: Vec::new(),
            names: Names::default(),
            line: String::new(),
            out,
            failed: false,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn record(&mut self, event: Event<'_>, at: &'static Location<'static>) {
        let time = self.now();
        pack(event, &mut self.places, |what| {
            self.records.push(Record { time, at, what });
        });
    }

    /// Turns the records into text, and says how long that took.
    fn write(&mut self) {
        if self.records.is_empty() {
            return;
        }
        let begin = self.now();
        let mut text = std::mem::take(&mut self.line);
        text.clear();
        let mut records = self.records.iter().peekable();
        while let Some(record) = records.next() {
            text::event(
                &mut text,
                record,
                &self.places,
                &mut self.names,
                &mut records,
            );
        }
        self.records.clear();
        let took = self.now() - begin;
        text::recorder(&mut text, begin, took);
        self.put(&text);
        self.line = text;
    }

    fn put(&mut self, text: &str) {
        if self.failed {
            return;
        }
        let written = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
        if let Err(error) = written {
            // A program is not to fail because somebody watched it.
            eprintln!("{VARIABLE}: {error}; the trace ends here");
            self.failed = true;
        }
    }
}

/// Nanoseconds that one event costs: to record it, and to write it. The best of some trials: a
/// machine that does something else meanwhile makes a trial worse, never better.
fn cost() -> (u64, u64) {
    let mut best = (u64::MAX, u64::MAX);
    let mut trial = Recording::new(Box::new(io::sink()));
    let here = Location::caller();
    for _ in 0..TRIALS {
        let begin = trial.now();
        for task in 0..SAMPLE {
            trial.record(Event::PollBegin { task: task % 8 }, here);
        }
        let recorded = trial.now();
        trial.write();
        let written = trial.now();
        best.0 = best.0.min((recorded - begin) / SAMPLE);
        best.1 = best.1.min((written - recorded) / SAMPLE);
    }
    best
}

/// Installs a recorder if the variable says so.
pub(crate) fn install(reactor: &Reactor) -> io::Result<()> {
    let Some(name) = env::var_os(VARIABLE).filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed) + 1;
    let path = path(name, number);
    let file = File::create(&path).map_err(|error| {
        let message = format!("{VARIABLE}: cannot write {}: {error}", path.display());
        io::Error::new(error.kind(), message)
    })?;
    let trigger = match reactor.trigger() {
        Trigger::Edge => "edge",
        _ => "level",
    };
    let recorder = Recorder::new(file, reactor.backend().name(), trigger);
    reactor.observe(Some(Rc::new(recorder)));
    Ok(())
}

fn path(name: OsString, number: u32) -> std::path::PathBuf {
    let mut name = match name.into_string() {
        Ok(text) => text.replace("%p", &std::process::id().to_string()).into(),
        Err(name) => name,
    };
    if number > 1 {
        name.push(format!(".{number}"));
    }
    name.into()
}

/// Is it one of the records that belong to the line before them?
fn is_ready(record: &Record) -> bool {
    matches!(record.what, What::Ready { .. })
}
