//! A script for a kernel, and its virtual clock: for tests, and for learning to be the kernel.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::os::{RawFd, errno};
use crate::{Error, Interest, Readiness};

/// What a [`ScriptedSelector`](crate::ScriptedSelector) will be told, its clock, and a record of what it asked.
///
/// Clones are the same script. A script that is over lets waits with a timeout time out, and
/// answers a wait without one with [`Error::ScriptEnded`], because it would never end.
#[derive(Clone, Debug)]
pub struct Script(Arc<Mutex<Play>>);

#[derive(Debug)]
struct Play {
    /// The virtual clock began here...
    start: Instant,
    /// ...and shows this much more.
    elapsed: Duration,
    /// What is still to come: how long after the step before it, and what.
    steps: VecDeque<(Duration, Step)>,
    /// When the last step was played, counted from the start.
    played: Duration,
    /// Errors to answer changes with, first come first served.
    refusals: VecDeque<i32>,
    calls: Vec<ScriptedCall>,
}

/// What an `Instant` can show on every system, where some count nanoseconds in 64 bits since the
/// start: nearly twice what a reactor takes for the end of time, so that even its farthest timer comes.
/// The script's own clock goes on.
const END_OF_TIME: Duration = Duration::from_secs(570 * 365 * 24 * 3600);

/// What happens in one step, and ends a wait.
#[derive(Debug)]
enum Step {
    Ready(Vec<(RawFd, Readiness)>),
    Fail(i32),
}

/// Something that a scripted selector asked of its kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ScriptedCall {
    /// Start to watch.
    Add {
        /// The number.
        fd: RawFd,
        /// For what.
        interest: Interest,
    },
    /// Watch for something else.
    Modify {
        /// The number.
        fd: RawFd,
        /// For what from now on.
        interest: Interest,
    },
    /// Stop watching.
    Delete {
        /// The number.
        fd: RawFd,
    },
    /// Wait.
    Wait {
        /// For how long.
        timeout: Option<Duration>,
    },
}

impl Default for Script {
    fn default() -> Script {
        Script::new()
    }
}

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new() -> Script {
        Script(Arc::new(Mutex::new(Play {
            start: Instant::now(),
            elapsed: Duration::ZERO,
            steps: VecDeque::new(),
            played: Duration::ZERO,
            refusals: VecDeque::new(),
            calls: Vec::new(),
        })))
    }

    /// The next step: these numbers are ready, as soon as the step before has been played.
    pub fn ready(&self, ready: &[(RawFd, Readiness)]) {
        self.ready_after(Duration::ZERO, ready);
    }

    /// The next step: these numbers are ready, so long after the step before.
    pub fn ready_after(&self, after: Duration, ready: &[(RawFd, Readiness)]) {
        self.push(after, Step::Ready(ready.to_vec()));
    }

    /// The next step: a signal, so long after the step before.
    pub fn interrupt_after(&self, after: Duration) {
        self.push(after, Step::Fail(errno::EINTR));
    }

    /// The next step: the wait fails with this errno.
    pub fn fail(&self, errno: i32) {
        self.push(Duration::ZERO, Step::Fail(errno));
    }

    /// The next register, modify or unregister that reaches the kernel fails with this errno.
    pub fn refuse(&self, errno: i32) {
        self.state().refusals.push_back(errno);
    }

    /// Moves the clock forward, as work between two waits does.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.elapsed = state.elapsed.saturating_add(by);
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        let state = self.state();
        state.start + state.elapsed.min(END_OF_TIME)
    }

    /// How far the clock has moved since the script was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.state().elapsed
    }

    /// Whether every step has been played.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state().steps.is_empty()
    }

    /// Takes the record of what was asked since the last time.
    #[must_use]
    pub fn take_calls(&self) -> Vec<ScriptedCall> {
        std::mem::take(&mut self.state().calls)
    }

    fn push(&self, after: Duration, step: Step) {
        self.state().steps.push_back((after, step));
    }

    /// Takes note of a call, and answers a change with the next refusal.
    pub(crate) fn record(&self, call: ScriptedCall) -> Result<(), Error> {
        let mut state = self.state();
        let (op, fd) = match call {
            ScriptedCall::Add { fd, .. } => ("scripted add", fd),
            ScriptedCall::Modify { fd, .. } => ("scripted modify", fd),
            ScriptedCall::Delete { fd } => ("scripted delete", fd),
            ScriptedCall::Wait { .. } => {
                state.calls.push(call);
                return Ok(());
            }
        };
        let is_add = matches!(call, ScriptedCall::Add { .. });
        state.calls.push(call);
        let Some(errno) = state.refusals.pop_front() else {
            return Ok(());
        };
        let source = io::Error::from_raw_os_error(errno);
        Err(match is_add {
            true => Error::registration(op, fd, source),
            false => Error::os(op, Some(fd), source),
        })
    }

    /// Plays the next step if it comes before the timeout, and moves the clock; nobody is ready when
    /// the time is over.
    pub(crate) fn play(&self, timeout: Option<Duration>) -> Result<Vec<(RawFd, Readiness)>, Error> {
        let mut state = self.state();
        let deadline = timeout.map(|timeout| state.elapsed.saturating_add(timeout));
        let due = state
            .steps
            .front()
            .map(|(after, _)| state.played.saturating_add(*after));
        let due = due.filter(|due| deadline.is_none_or(|deadline| *due <= deadline));
        let Some(due) = due else {
            state.elapsed = deadline.ok_or(Error::ScriptEnded)?;
            return Ok(Vec::new());
        };
        state.elapsed = state.elapsed.max(due);
        state.played = state.elapsed;
        match state.steps.pop_front() {
            Some((_, Step::Ready(ready))) => Ok(ready),
            Some((_, Step::Fail(errno))) => {
                let source = io::Error::from_raw_os_error(errno);
                Err(Error::os("scripted wait", None, source))
            }
            None => Ok(Vec::new()),
        }
    }

    fn state(&self) -> MutexGuard<'_, Play> {
        // A test that panicked while it held the script has failed already.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
