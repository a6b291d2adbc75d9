//! The handle of a reactor: one selector, the slots in its keys, and the timers.

use std::fmt;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use selectors_core::os::OwnedFd;
use selectors_core::{Backend, NotifyHandle};

use crate::heart::pass::Pass;
use crate::heart::shared::Shared;
use crate::watch::events::{Cause, Event, Observer};
use crate::watch::metrics::Metrics;

/// When the kernel reports a ready key again. See the crate page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Edge where the backend offers it, else level.
    #[default]
    Auto,
    /// Interest is switched on and off with the waiters; works on every backend.
    Level,
    /// Every key is registered once, for both directions; the kernel reports changes.
    Edge,
}

/// Maps the readiness of keys onto wakers, one [turn](Reactor::turn) at a time.
///
/// A handle: clones share one reactor. It stays on its thread; what crosses threads is its
/// [notifier](Reactor::notifier).
#[derive(Clone)]
pub struct Reactor {
    pub(crate) shared: Rc<Shared>,
}

impl Reactor {
    /// The reactor entered last on this thread.
    ///
    /// # Panics
    ///
    /// If no reactor is entered: the sentence says what to do.
    #[track_caller]
    #[must_use]
    pub fn current() -> Self {
        Reactor {
            shared: Shared::current(),
        }
    }

    /// The reactor entered last on this thread, if any.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        Shared::try_current().map(|shared| Reactor { shared })
    }

    /// The backend that waits.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.shared.selector.borrow().backend()
    }

    /// How keys are registered: [`Trigger::Edge`] or [`Trigger::Level`].
    #[inline]
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        if self.shared.edge {
            Trigger::Edge
        } else {
            Trigger::Level
        }
    }

    /// How many fds are registered, the notifier's own not counted.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.shared.selector.borrow().get_map().len() - 1
    }

    /// What ends the current or the next blocking [turn](Reactor::turn), from any thread; it can do
    /// nothing else.
    #[must_use]
    pub fn notifier(&self) -> NotifyHandle {
        self.shared.notifier.handle()
    }

    /// Gives the running task a full budget of leaf operations, 16 by edge and 32 by level: an executor
    /// calls this before each poll; a turn does it too. True if there is something to attend to: somebody
    /// [observes](Reactor::observe), or a budget was [used up](Self::take_exhausted).
    #[inline]
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn refill_budget(&self) -> bool {
        self.shared.attention.refill()
    }

    /// Begins a pass of an executor over those who are woken: `steps` at most, and at least one.
    #[inline]
    #[must_use]
    pub fn begin_pass(&self, steps: usize) -> Pass<'_> {
        Pass::begin(&self.shared.attention, steps)
    }

    /// Takes one operation from the budget of the running task. `Pending` if it is used up: then the
    /// task is woken already, and must let others run first.
    ///
    /// For awaits that are not the reactor's own and can be ready again and again without waiting,
    /// such as a channel's: they ask this before they take what is ready.
    ///
    /// ```
    /// use reactor::{Reactor, Trigger};
    /// use std::task::{Context, Waker};
    ///
    /// let reactor = Reactor::new()?;
    /// let mut cx = Context::from_waker(Waker::noop());
    /// let operations = (0..1000).take_while(|_| reactor.poll_budget(&mut cx).is_ready()).count();
    /// assert_eq!(operations, if reactor.trigger() == Trigger::Edge { 16 } else { 32 });
    /// # std::io::Result::Ok(())
    /// ```
    #[inline]
    pub fn poll_budget(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.attention.poll_spend(cx)
    }

    /// The first half of [`poll_budget`](Self::poll_budget), which calls no waker; if it says no,
    /// that is to be asked.
    #[inline]
    #[must_use]
    pub fn spend_budget(&self) -> bool {
        self.shared.attention.spend()
    }

    /// Calls `body`, to which the budget of the running task has no end, and which takes nothing from
    /// it.
    ///
    /// ```
    /// use reactor::{Reactor, Trigger};
    /// use std::task::{Context, Waker};
    ///
    /// let reactor = Reactor::new()?;
    /// let mut cx = Context::from_waker(Waker::noop());
    /// reactor.unconstrained(|| {
    ///     assert!((0..1000).all(|_| reactor.poll_budget(&mut cx).is_ready()));
    /// });
    /// let operations = (0..1000).take_while(|_| reactor.poll_budget(&mut cx).is_ready()).count();
    /// assert_eq!(operations, if reactor.trigger() == Trigger::Edge { 16 } else { 32 });
    /// # std::io::Result::Ok(())
    /// ```
    pub fn unconstrained<R>(&self, body: impl FnOnce() -> R) -> R {
        let _lifted = self.shared.attention.lift();
        body()
    }

    /// Did a task use its budget up since the last time that this was asked? Then it has woken
    /// itself, and an executor should take a turn before it polls that task again: there is more
    /// I/O about than one task should see.
    #[inline]
    #[must_use]
    pub fn take_exhausted(&self) -> bool {
        self.shared.attention.take_exhausted()
    }

    /// The time on this reactor's clock: the real one, one that was [paused](crate::time::pause), or that
    /// of its [script](crate::Builder::script).
    #[must_use]
    pub fn now(&self) -> Instant {
        let shared = &self.shared;
        shared.clock.instant(shared.elapsed_now())
    }

    /// How long a loop may wait for [`host_fd`](Self::host_fd) before it takes a [`turn`](Self::turn):
    /// to the next timer, or less if that was moved or cancelled, or if there is more to be looked after;
    /// `None` is for ever. Call it just before each wait: it tells the kernel what that is to end for.
    ///
    /// On a clock that is [paused](Self::is_paused) a timer is waited for by a turn, which moves it, and
    /// by nothing else.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        let shared = &self.shared;
        if !shared.is_settled() {
            return Some(Duration::ZERO);
        }
        let timer = shared.next_timer().map(|(_, due)| due);
        timer.into_iter().chain(shared.first_rest()).min()
    }

    /// Does its clock stand still? See [`time::pause`](crate::time::pause).
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.shared.clock.is_paused()
    }

    /// A duplicate of the selector's own fd, for an outer loop: it is readable when a
    /// [`turn`](Self::turn) would find a key ready. Timers are told by
    /// [`next_timeout`](Self::next_timeout).
    ///
    /// # Errors
    ///
    /// `Unsupported` on select and poll, which have no such fd; `EMFILE`.
    pub fn host_fd(&self) -> io::Result<OwnedFd> {
        let selector = self.shared.selector.borrow();
        match selector.fileno() {
            Some(fd) => fd.try_clone_to_owned(),
            None => {
                let message = format!("the {} backend has no fd of its own", selector.backend());
                Err(io::Error::new(io::ErrorKind::Unsupported, message))
            }
        }
    }

    /// On whose behalf the waker is called that is being called right now.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self.shared.cause.get() {
            Cause::Task if self.shared.attention.is_used_up() => Cause::Budget,
            cause => cause,
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let keys = self.keys();
        self.shared
            .counts
            .read(keys, self.shared.timers.borrow().len())
    }
}

impl Reactor {
    /// Tells `observer` what happens from now on, instead of whoever was told before.
    pub fn observe(&self, observer: Option<Rc<dyn Observer>>) {
        self.shared.set_observed(observer.is_some());
        // Dropped last: its destructor is not our code.
        drop(self.shared.hook.replace(observer));
    }

    /// Is somebody observing?
    #[inline]
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.shared.attention.is_observed()
    }

    /// Tells the observer, if there is one, what has happened in line `at`; for executors on top of
    /// this reactor.
    #[cold]
    pub fn emit(&self, event: Event<'_>, at: &'static Location<'static>) {
        self.shared.hook.emit(event, at);
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Reactor");
        if let Ok(selector) = self.shared.selector.try_borrow() {
            out.field("backend", &selector.backend())
                .field("keys", &selector.get_map().len());
        }
        out.field("trigger", &self.trigger())
            .finish_non_exhaustive()
    }
}
