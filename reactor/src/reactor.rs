//! The reactor: one selector, the slots in its keys, the timers, and the thread's idea of which
//! reactor is current.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use selectors_core::{
    Backend, DefaultSelector, EVENT_READ, Mode, Notifier, Script, ScriptedSelector, Token,
};

use crate::attention::Attention;
use crate::metrics::{Counts, Metrics};
use crate::observe::{Cause, Hook};
use crate::slot::{Slot, WaiterId};
use crate::timers::Timers;

/// The selector of a reactor: the file objects are shared with the I/O types, the data is a slot.
pub(crate) type Selector = DefaultSelector<Rc<dyn AsFd>, Rc<Slot>>;

/// Maps the readiness of keys onto wakers, one [turn](Reactor::turn) at a time.
///
/// A handle: clones share one reactor. It stays on its thread; what crosses threads is its
/// [`Notifier`].
#[derive(Clone)]
pub struct Reactor {
    pub(crate) shared: Rc<Shared>,
}

/// What the reactor, its I/O types and its timers share.
pub(crate) struct Shared {
    /// The heart.
    pub(crate) selector: RefCell<Selector>,
    /// Deadlines and who waits for them.
    pub(crate) timers: RefCell<Timers>,
    /// Edge-triggered and registered once, or level-triggered with deferred interest.
    pub(crate) edge: bool,
    /// Level mode: keys whose wanted interest may differ from the armed one.
    pub(crate) dirty: RefCell<Vec<Token>>,
    /// Wakers collected by a turn; kept here so that a turn allocates nothing.
    pub(crate) woken: Cell<Vec<Waker>>,
    /// The running task's budget, and whether somebody observes.
    pub(crate) attention: Attention,
    /// Who observes.
    pub(crate) hook: Hook,
    /// On whose behalf wakers are called right now.
    pub(crate) cause: Cell<Cause>,
    /// What happened so far.
    pub(crate) counts: Counts,
    /// The next name of a waiter; see [`WaiterId`].
    next_waiter: Cell<WaiterId>,
    /// How many guards of [`Reactor::enter`] are alive.
    entered: Cell<u32>,
    /// Entered, and nobody observes; see `is_calm`.
    calm: Cell<bool>,
    /// Ends a wait from any thread.
    pub(crate) notifier: Arc<Notifier>,
    /// The notifier's own slot: its readiness says that somebody notified.
    pub(crate) notified: Rc<Slot>,
}

thread_local! {
    /// The reactor that new I/O types and timers of this thread belong to.
    static CURRENT: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
}

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

/// Chooses backend and trigger mode of a [`Reactor`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    backend: Option<Backend>,
    trigger: Trigger,
    script: Option<Script>,
}

impl Builder {
    /// The selector to wait with; without this call the first that works, in Python's order.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Edge or level; see [`Trigger`].
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = trigger;
        self
    }

    /// A scripted kernel with a virtual clock instead of a backend, for tests: sleeping takes no
    /// time, and what becomes ready is written in `script`.
    ///
    /// ```
    /// use reactor::Reactor;
    /// use selectors_core::Script;
    /// use std::time::Duration;
    ///
    /// let script = Script::new();
    /// let reactor = Reactor::builder().script(script.clone()).build()?;
    /// let start = reactor.now();
    /// script.advance(Duration::from_secs(3600));
    /// assert_eq!(reactor.now() - start, Duration::from_secs(3600));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn script(mut self, script: Script) -> Self {
        self.script = Some(script);
        self
    }

    /// Opens the selector and its notifier.
    ///
    /// # Errors
    ///
    /// What the kernel answers (`EMFILE`, `ENOSYS`); `Unsupported` for [`Trigger::Edge`] on a
    /// backend that has only level. If the variable `REACTOR_TRACE` asks for a
    /// [trace](crate::trace): why its file cannot be written.
    pub fn build(self) -> io::Result<Reactor> {
        let mut selector: Selector = match (self.script, self.backend) {
            (Some(script), _) => ScriptedSelector::play(script).into_default(),
            (None, Some(backend)) => backend.selector()?,
            (None, None) => DefaultSelector::new()?,
        };
        let offered = selector.capabilities().edge;
        let edge = match self.trigger {
            Trigger::Auto => offered,
            Trigger::Level => false,
            Trigger::Edge if offered => true,
            Trigger::Edge => {
                let message = format!("the {} backend has no edge trigger", selector.backend());
                return Err(io::Error::new(io::ErrorKind::Unsupported, message));
            }
        };
        let notifier = Arc::new(Notifier::new()?);
        let notified = Rc::new(Slot::new(None));
        let fileobj: Rc<dyn AsFd> = Rc::new(NotifierFd(Arc::clone(&notifier)));
        let mode = if edge { Mode::Edge } else { Mode::Level };
        let token = selector.register_with(fileobj, EVENT_READ, mode, Rc::clone(&notified))?;
        notified.registered(token, EVENT_READ, mode);
        // Its interest never changes: as if already on the list, it is never put on it.
        notified.mark_dirty();
        let timers = Timers::new(selector.now());
        let shared = Shared {
            selector: RefCell::new(selector),
            timers: RefCell::new(timers),
            edge,
            dirty: RefCell::default(),
            woken: Cell::default(),
            attention: Attention::new(),
            hook: Hook::default(),
            cause: Cell::default(),
            counts: Counts::default(),
            next_waiter: Cell::new(1),
            entered: Cell::new(0),
            calm: Cell::new(false),
            notifier,
            notified,
        };
        let reactor = Reactor {
            shared: Rc::new(shared),
        };
        crate::trace::install(&reactor)?;
        Ok(reactor)
    }
}

/// Lets the selector own a share of the notifier.
struct NotifierFd(Arc<Notifier>);

impl AsFd for NotifierFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Reactor {
    /// A reactor on the best backend of this machine, edge-triggered where that is offered.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it opens the selector or the notifier.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Chooses backend and trigger by hand.
    ///
    /// ```
    /// use reactor::{Reactor, Trigger};
    /// use selectors_core::Backend;
    ///
    /// let reactor = Reactor::builder().backend(Backend::Poll).build()?;
    /// assert_eq!(reactor.backend(), Backend::Poll);
    /// assert_eq!(reactor.trigger(), Trigger::Level);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Makes this the reactor of everything created on this thread until the guard is dropped.
    pub fn enter(&self) -> EnterGuard {
        let previous = CURRENT.replace(Some(Rc::clone(&self.shared)));
        self.shared.entered.set(self.shared.entered.get() + 1);
        self.shared.update_calm();
        EnterGuard {
            entered: Rc::clone(&self.shared),
            previous,
        }
    }

    /// The reactor entered last on this thread.
    ///
    /// # Panics
    ///
    /// If no reactor is entered: the sentence says what to do.
    pub fn current() -> Self {
        Reactor {
            shared: Shared::current(),
        }
    }

    /// The reactor entered last on this thread, if any.
    pub fn try_current() -> Option<Self> {
        CURRENT
            .with_borrow(Clone::clone)
            .map(|shared| Reactor { shared })
    }

    /// The backend that waits.
    pub fn backend(&self) -> Backend {
        self.shared.selector.borrow().backend()
    }

    /// How keys are registered: [`Trigger::Edge`] or [`Trigger::Level`].
    pub fn trigger(&self) -> Trigger {
        if self.shared.edge {
            Trigger::Edge
        } else {
            Trigger::Level
        }
    }

    /// How many fds are registered, the notifier's own not counted.
    pub fn keys(&self) -> usize {
        self.shared.selector.borrow().get_map().len() - 1
    }

    /// Ends the current or the next blocking [turn](Reactor::turn); may cross threads.
    pub fn notifier(&self) -> Arc<Notifier> {
        Arc::clone(&self.shared.notifier)
    }

    /// Gives the running task a full budget of leaf operations: an executor calls this before each
    /// poll; a turn does it too. True if somebody [observes](Reactor::observe).
    #[inline]
    pub fn refill_budget(&self) -> bool {
        self.shared.attention.refill()
    }

    /// The time on this reactor's clock: the real one, or that of its [script](Builder::script).
    pub fn now(&self) -> Instant {
        self.shared.selector.borrow().now()
    }

    /// How long it is to the next timer; `None` if there is none. Possibly shorter, if that timer
    /// was moved or cancelled.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.shared.next_timer().map(|(_, due)| due)
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
    pub fn cause(&self) -> Cause {
        self.shared.cause.get()
    }

    /// What happened so far.
    pub fn metrics(&self) -> Metrics {
        let keys = self.keys();
        self.shared
            .counts
            .read(keys, self.shared.timers.borrow().len())
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

/// Keeps a reactor entered; made by [`Reactor::enter`].
#[must_use = "the reactor is left when the guard is dropped"]
pub struct EnterGuard {
    entered: Rc<Shared>,
    previous: Option<Rc<Shared>>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        self.entered.entered.set(self.entered.entered.get() - 1);
        self.entered.update_calm();
        CURRENT.set(self.previous.take());
    }
}

impl fmt::Debug for EnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnterGuard")
    }
}

impl Shared {
    pub(crate) fn current() -> Rc<Self> {
        CURRENT.with_borrow(Clone::clone).unwrap_or_else(|| {
            panic!(
                "no reactor on this thread: sockets and timers are made inside \
                 `executor::block_on`, or while a guard of `Reactor::enter` is alive"
            )
        })
    }

    /// Nothing is out of the ordinary: the reactor is entered, and nobody observes. One test
    /// for a waiter in a hurry; the long way tells which it is.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        self.calm.get()
    }

    fn update_calm(&self) {
        self.calm
            .set(self.entered.get() != 0 && !self.attention.is_observed());
    }

    pub(crate) fn set_observed(&self, observed: bool) {
        self.attention.set_observed(observed);
        self.update_calm();
    }

    /// Nobody will ever dispatch to a waiter of a reactor that is not entered: better a sentence
    /// than a hang.
    #[inline]
    pub(crate) fn assert_driven(&self) {
        assert!(
            self.entered.get() != 0,
            "this socket or timer would wait for ever: nobody drives its reactor. Await it inside \
             the `executor::Runtime` that it was made in, or hold a guard of `Reactor::enter` \
             and call `Reactor::turn`"
        );
    }

    /// The time of this reactor's clock, in its nanoseconds.
    pub(crate) fn elapsed_now(&self) -> u64 {
        let now = self.selector.borrow().now();
        self.timers.borrow().elapsed(now)
    }

    /// A name for a new waiter: odd, so neither zero nor one of the standing ones.
    #[inline]
    pub(crate) fn next_waiter(&self) -> WaiterId {
        let id = self.next_waiter.get();
        self.next_waiter.set(id.wrapping_add(2));
        id
    }
}
