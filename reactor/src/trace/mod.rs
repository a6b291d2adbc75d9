//! The recorder: what the reactor and its executor do, as lines of JSON in a file.
//!
//! With the feature `trace`, which is off unless a program asks for it, any program on the runtime
//! can be traced without touching its code:
//!
//! ```text
//! REACTOR_TRACE=echo.trace cargo run --example echo -- --demo
//! ```
//!
//! The first reactor that the program makes writes to the file of that name, the second to
//! `echo.trace.2`, and so on; `%p` in the name becomes the number of the process, for programs
//! that start others. A program that was given rights which its caller does not have (set-user-id)
//! ignores the variable.
//!
//! # Nothing that watches may fail the program
//!
//! A file that cannot be made or written, a full disk: the trace is missing or ends there, a line on
//! stderr says so, and the program goes on. A trace ends after 1 GiB, or after as many bytes as
//! `REACTOR_TRACE_LIMIT` says (`4096`, `64K`, `100M`, `2G`); its last line and one on stderr say
//! that it did. A child of fork(2) writes nothing into the trace of its parent.
//!
//! # Format
//!
//! One JSON object a line. The first is the header: format, version, backend, trigger, and what
//! recording costs on this machine. Every other line is one [`Event`]: `t` in nanoseconds since
//! the recording began, `at` the line of the libraries that did it (recv(2), the push onto the queue,
//! the wait), `e` the name of the event, then its fields; `from` is the line of the program that spawns it
//! or made the await, as in `stream.read(..)`, however that is polled: in a box, in a combinator. What has
//! no future of ours has no line: `poll_read` of futures-io, and the other methods `poll_*`. Fds, tasks and
//! timers are numbered in the order in which they first appear, so that two runs of one program compare
//! equal; the line on which an fd first appears also has its real number, as `raw`.
//! `{"e":"recorder","took":…}` says that writing took so many nanoseconds; with `limit`, that the trace has
//! reached it; with `held_up`, that a poll takes long, and for how many nanoseconds of it the thread could
//! have run and did not, because others had the processors.
//!
//! # What it costs
//!
//! While nobody records: a word in each future of ours, for its line, and a store.
//!
//! An event becomes a record of 32 bytes, a few tens of nanoseconds. The records are turned into
//! text when there are 4096 of them, and before the thread sleeps: that is when it has time, and so
//! the file of a program that hangs, or is killed, ends with what it went to sleep over. For a
//! program that never sleeps a thread of the recorder writes them, ten times a second.

mod held_up;
mod late;
mod names;
mod record;
mod recording;
mod text;
mod told;
mod variable;

use std::fmt;
use std::io::Write;
use std::panic::Location;
use std::process;
use std::sync::{Arc, Mutex, TryLockError};
use std::thread::JoinHandle;

use crate::watch::events::{Event, Observer};
use recording::{Recording, cost, lock};

pub use variable::asked_for;
pub(crate) use variable::install;

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
pub struct Recorder {
    recording: Arc<Mutex<Recording>>,
    /// Writes what waits too long.
    late: Option<JoinHandle<()>>,
    /// The process that made it; in a child of fork(2) its thread does not exist.
    process: u32,
}

impl Recorder {
    /// A recorder whose header says `backend` and `trigger`. It has a thread of its own, which ends
    /// with it.
    pub fn new(out: impl Write + Send + 'static, backend: &str, trigger: &str) -> Self {
        let (record, write) = cost();
        let mut recording = Recording::new(Box::new(out));
        recording.put(&text::header(backend, trigger, record, write));
        let recording = Arc::new(Mutex::new(recording));
        Recorder {
            late: late::start(&recording),
            recording,
            process: process::id(),
        }
    }

    /// Ends the trace when it is `bytes` long, and a line that says so longer; 1 GiB without this.
    pub fn set_limit(&self, bytes: u64) {
        lock(&self.recording).set_limit(bytes);
    }

    fn is_in_a_child(&self) -> bool {
        self.process != process::id()
    }
}

impl Observer for Recorder {
    fn event(&self, event: Event<'_>, at: &'static Location<'static>) {
        let mut recording = match self.recording.try_lock() {
            Ok(recording) => recording,
            Err(TryLockError::Poisoned(recording)) => recording.into_inner(),
            // Its thread writes. Where it does not exist, nobody will ever unlock.
            Err(TryLockError::WouldBlock) if self.is_in_a_child() => return,
            Err(TryLockError::WouldBlock) => lock(&self.recording),
        };
        recording.record(event, at);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if self.is_in_a_child() {
            // The lock may be held for ever, and the thread is not there to be joined.
            return;
        }
        lock(&self.recording).end();
        if let Some(late) = self.late.take() {
            late.thread().unpark();
            // It only writes, and a writer that panics is no reason to.
            let _ = late.join();
        }
    }
}
