//! What happens inside, as events: the vocabulary of every trace.
//!
//! One hook, switched at run time, for all that is worth telling on the way round the six
//! stations. The reactor emits what it does itself; an executor on top emits what it does with
//! tasks through [`Reactor::emit`](crate::Reactor::emit). While nobody observes, none of it is
//! evaluated: the checks ride on tests that the hot path makes anyway (see `heart/budget.rs`).

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use selectors_core::os::RawFd;
use selectors_core::{Events, Readiness};

use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::foreign::contain;
use crate::watch::kept::KeptWakers;

/// One step of one station. Tasks are numbers that the executor gives, timers numbers of the
/// reactor; both are used again after the task or timer is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Station *ready queue*: a task was made; it is queued for its first poll.
    Spawn {
        /// Which.
        task: u64,
        /// Where in the program `spawn` was called.
        from: &'static Location<'static>,
    },
    /// Station *ready queue*: a task was given a name.
    Named {
        /// Which.
        task: u64,
        /// The name.
        name: &'a str,
    },
    /// Station *ready queue*: a task was appended.
    Enqueue {
        /// Which.
        task: u64,
        /// How many are queued now.
        queued: usize,
    },
    /// Station *poll*: the executor calls the task's future.
    PollBegin {
        /// Which.
        task: u64,
    },
    /// Station *poll*: the future returned.
    PollEnd {
        /// Which.
        task: u64,
        /// With `Ready`; otherwise it sleeps until it is woken.
        ready: bool,
    },
    /// Station *poll*: a task is over.
    Done {
        /// Which.
        task: u64,
    },
    /// Station *poll*: a future was dropped before it was ready: aborted, or its runtime ended.
    DropPending {
        /// Which.
        task: u64,
    },
    /// Station *waker*: a task sleeps, and its last waker is gone: nobody can ever wake it. Known,
    /// not guessed: observed tasks have counted wakers.
    Lost {
        /// Which.
        task: u64,
    },
    /// Station *syscall*: a system call on a non-blocking fd.
    Syscall {
        /// Which call.
        call: Call,
        /// On what.
        fd: RawFd,
        /// What the kernel said.
        outcome: Outcome,
        /// Where in the program it is awaited, if it is.
        from: Option<&'static Location<'static>>,
    },
    /// Station *waker*: the running task's waker went into the slot of a key.
    WakerStored {
        /// The key.
        fd: RawFd,
        /// What it waits for.
        direction: Direction,
        /// Somebody else waits in this direction too.
        crowded: bool,
        /// Where in the program it is awaited, if it is.
        from: Option<&'static Location<'static>>,
    },
    /// Station *key*: the selector was told to watch an fd.
    Register {
        /// Which.
        fd: RawFd,
        /// For what.
        events: Events,
    },
    /// Station *key*: the interest of a key changed.
    Modify {
        /// Which.
        fd: RawFd,
        /// To what; `None` parks the key.
        events: Option<Events>,
    },
    /// Station *key*: the selector was told to forget an fd.
    Unregister {
        /// Which.
        fd: RawFd,
    },
    /// Station *select*: the thread asks the kernel, and may sleep.
    SelectBegin {
        /// For how long at most; `None` is for ever.
        timeout: Option<Duration>,
        /// How many keys are registered, the notifier's own not counted.
        keys: usize,
    },
    /// Station *select*: the kernel answered.
    SelectEnd {
        /// Who is ready, and for what.
        ready: &'a [(RawFd, Readiness)],
    },
    /// Station *waker*: a waker was called.
    Wake {
        /// Whose.
        task: u64,
        /// By whom.
        by: Cause,
        /// The task was queued already, so nothing changed.
        coalesced: bool,
    },
    /// Station *select*: another thread ended the wait.
    Notify,
    /// A timer was armed.
    TimerSet {
        /// Which.
        timer: u32,
        /// When it is due, in time since the reactor was made.
        deadline: Duration,
        /// Where in the program it is awaited, if it is.
        from: Option<&'static Location<'static>>,
    },
    /// A timer was due.
    TimerFired {
        /// Which.
        timer: u32,
    },
    /// Station *waker*: a future with a deadline returned `Pending` and has kept no waker: nothing but its
    /// timer goes on with it. Known, not guessed: observed, it is polled with a waker that is counted.
    /// [`std::future::pending`] is not told of.
    TimerAlone {
        /// The timer.
        timer: u32,
    },
}

/// The kernel's answer to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked.
    Done,
    /// It did what it was asked, and answered with this number: bytes moved, or a new fd.
    Returned(usize),
    /// It moved a part of the bytes, and the operation goes on: the rest would have to wait.
    Short,
    /// It would have to wait.
    WouldBlock,
    /// It refused, for this reason (errno).
    Failed(i32),
}

/// Who called a waker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// A task, itself or another, or code outside all tasks.
    #[default]
    Task,
    /// The reactor, because a key is ready.
    Reactor,
    /// The reactor, because a timer is due.
    Timer,
    /// Another thread.
    Thread,
    /// The reactor, because the task that runs has used its budget up: it goes on when the others
    /// have had their turn.
    Budget,
}

/// Is told what happens.
///
/// ```
/// use reactor::observe::{Event, Observer};
/// use std::{cell::Cell, panic::Location, rc::Rc};
///
/// #[derive(Default)]
/// struct Polls(Cell<u32>);
///
/// impl Observer for Polls {
///     fn event(&self, event: Event<'_>, _at: &'static Location<'static>) {
///         if let Event::PollBegin { .. } = event {
///             self.0.set(self.0.get() + 1);
///         }
///     }
/// }
///
/// let polls = Rc::new(Polls::default());
/// let runtime = executor::Runtime::new()?;
/// runtime.reactor().observe(Some(polls.clone()));
/// runtime.block_on(async {
///     executor::yield_now().await;
/// })?;
/// assert_eq!(polls.0.get(), 2);
/// # std::io::Result::Ok(())
/// ```
pub trait Observer {
    /// Something happened; `at` is the line that did it: of this library, of the executor, or of
    /// `selectors-core` where it makes the system call.
    ///
    /// Called in the middle of things: it must not use the reactor or the runtime that calls it.
    fn event(&self, event: Event<'_>, at: &'static Location<'static>);
}

/// The observer of one reactor, if it has one.
#[derive(Default)]
pub(crate) struct Hook {
    observer: RefCell<Option<Rc<dyn Observer>>>,
    /// The line of the await that is polled; nobody's while nobody observes.
    awaited: Cell<Option<&'static Location<'static>>>,
    /// The wakers of futures with deadlines, while somebody observes.
    pub(crate) kept: KeptWakers,
}

impl Hook {
    /// Somebody else is told from now on; whoever was told before is the caller's to drop.
    pub(crate) fn replace(&self, observer: Option<Rc<dyn Observer>>) -> Option<Rc<dyn Observer>> {
        self.kept.clear();
        self.observer.replace(observer)
    }

    /// What is polled from now on, until the guard is dropped, is awaited by the program in this line,
    /// unless it is a part of another await of ours.
    #[cold]
    pub(crate) fn await_at(&self, line: &'static Location<'static>) -> Awaited<'_> {
        let before = self.awaited.get();
        self.awaited.set(before.or(Some(line)));
        Awaited { hook: self, before }
    }

    /// The line of the await that is polled.
    pub(crate) fn awaited(&self) -> Option<&'static Location<'static>> {
        self.awaited.get()
    }

    /// It has happened in line `at`.
    #[cold]
    pub(crate) fn emit(&self, event: Event<'_>, at: &'static Location<'static>) {
        // The borrow ends first, so that an observer may take itself off.
        let observer = self.observer.borrow().clone();
        if let Some(observer) = observer {
            // Whoever watches must not fail what is watched; the panic hook has reported it.
            contain(|| observer.event(event, at));
            // It may have taken itself off, and this is the last of it.
            contain(|| drop(observer));
        }
    }
}

/// While an await is polled before the eyes of an observer.
pub(crate) struct Awaited<'a> {
    hook: &'a Hook,
    before: Option<&'static Location<'static>>,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.hook.awaited.set(self.before);
    }
}
