//! A selector that plays a script on a virtual clock: for tests, and for learning to be the kernel.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::interest::Interest;
use crate::kernel::Scripted;
use crate::{Error, Readiness, Selector};

/// A selector without a kernel: what becomes ready, and when, is read from a [`Script`].
///
/// Time is virtual: a wait moves the clock to the next step of the script or by its timeout, and
/// takes no real time. The registered file objects are real but are never asked anything.
///
/// ```
/// use selectors_core::{EVENT_READ, Readiness, Script, ScriptedSelector};
/// use std::time::Duration;
///
/// let script = Script::new();
/// let mut selector = ScriptedSelector::play(script.clone());
/// let token = selector.register(std::io::stdin(), EVENT_READ, ())?;
/// script.ready_after(Duration::from_secs(3600), &[(token.fd(), Readiness::READABLE)]);
///
/// let mut ready = Vec::new();
/// let start = selector.now();
/// selector.select(&mut ready, None)?;
/// assert_eq!(ready[0].token, token);
/// assert_eq!(selector.now() - start, Duration::from_secs(3600));
/// # Ok::<(), selectors_core::Error>(())
/// ```
pub type ScriptedSelector<F, D> = Selector<Scripted, F, D>;

impl<F, D> ScriptedSelector<F, D> {
    /// A selector that plays this script. Keep a clone to write on while it plays.
    #[must_use]
    pub fn play(script: Script) -> Self {
        Selector::from_kernel(Scripted::new(script))
    }
}

/// What a [`ScriptedSelector`] will be told, its clock, and a record of what it asked.
///
/// Clones are the same script. A script that is over lets waits with a timeout time out, and
/// answers a wait without one with [`Error::ScriptEnded`], because it would never end.
#[derive(Clone, Debug)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
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
    calls: Vec<Call>,
}

/// What an `Instant` can show on every system; the script's own clock goes on.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

#[derive(Debug)]
enum Step {
    Ready(Vec<(RawFd, Readiness)>),
    Interrupt,
    Fail(i32),
}

/// What a wait is answered with.
pub(crate) enum Answer {
    Ready(Vec<(RawFd, Readiness)>),
    Interrupt,
    Timeout,
}

/// Something that a scripted selector asked of its kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Call {
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
        Script(Arc::new(Mutex::new(State {
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
        self.push(after, Step::Interrupt);
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
        state.start + state.elapsed.min(LONGEST)
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
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    fn push(&self, after: Duration, step: Step) {
        self.state().steps.push_back((after, step));
    }

    /// Takes note of a call, and answers a change with the next refusal.
    pub(crate) fn record(&self, call: Call) -> Result<(), Error> {
        let mut state = self.state();
        let (op, fd) = match call {
            Call::Add { fd, .. } => ("scripted add", fd),
            Call::Modify { fd, .. } => ("scripted modify", fd),
            Call::Delete { fd } => ("scripted delete", fd),
            Call::Wait { .. } => {
                state.calls.push(call);
                return Ok(());
            }
        };
        let is_add = matches!(call, Call::Add { .. });
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

    /// Plays the next step if it comes before the timeout, and moves the clock.
    pub(crate) fn play(&self, timeout: Option<Duration>) -> Result<Answer, Error> {
        let mut state = self.state();
        let deadline = timeout.map(|timeout| state.elapsed.saturating_add(timeout));
        let due = state
            .steps
            .front()
            .map(|(after, _)| state.played.saturating_add(*after));
        match (due, deadline) {
            (None, None) => Err(Error::ScriptEnded),
            (None, Some(deadline)) => {
                state.elapsed = deadline;
                Ok(Answer::Timeout)
            }
            (Some(due), Some(deadline)) if due > deadline => {
                state.elapsed = deadline;
                Ok(Answer::Timeout)
            }
            (Some(due), _) => {
                state.elapsed = state.elapsed.max(due);
                state.played = state.elapsed;
                match state.steps.pop_front() {
                    Some((_, Step::Ready(ready))) => Ok(Answer::Ready(ready)),
                    Some((_, Step::Fail(errno))) => {
                        let source = io::Error::from_raw_os_error(errno);
                        Err(Error::os("scripted wait", None, source))
                    }
                    Some((_, Step::Interrupt)) | None => Ok(Answer::Interrupt),
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the script has failed already.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
