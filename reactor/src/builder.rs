//! Choosing the backend and the trigger mode of a reactor, and opening it.

use std::fmt;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use selectors_core::sys::process::prctl_set_timerslack;
use selectors_core::{
    Backend, DefaultSelector, EVENT_READ, Mode, Notifier, Script, ScriptedSelector,
};

use crate::errno::of_selector;
use crate::heart::pollable::Pollable;
use crate::heart::reactor::{Reactor, Trigger};
use crate::heart::shared::{Selector, Shared};
use crate::heart::slot::Slot;
use crate::heart::spin::Spin;
use crate::timers::clock::Clock;

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
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Chooses backend and trigger mode of a [`Reactor`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    backend: Option<Backend>,
    trigger: Trigger,
    script: Option<Opened>,
    spin: Duration,
    precise: bool,
}

/// What opens a selector that is no backend's. It is in no program that does not choose it.
#[derive(Clone)]
struct Opened(Arc<dyn Fn() -> Selector + Send + Sync + UnwindSafe + RefUnwindSafe>);

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Builder {
    /// The selector to wait with; without this call the first that works, in Python's order.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Edge or level; see [`Trigger`].
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = trigger;
        self
    }

    /// Asks the kernel again and again for up to `limit` before each sleep. Zero, the default, is
    /// never.
    ///
    /// Where waking a CPU takes tens of microseconds, as on many virtual machines, this makes the
    /// answer to a peer on another core several times faster; a limit of 50 to 100 us covers it.
    /// The price is a busy CPU for as long as events keep coming within the limit; a loop that
    /// finds nothing stops spinning until a sleep was shorter than the limit again.
    #[must_use]
    pub fn spin(mut self, limit: Duration) -> Self {
        self.spin = limit;
        self
    }

    /// Asks the kernel to wake this thread as soon as a timer is due. Linux otherwise delays the
    /// wake-ups of a thread by up to 50 us, to gather them and save power. The setting is one of
    /// the thread that builds the reactor, and stays with it.
    #[must_use]
    pub fn precise(mut self, precise: bool) -> Self {
        self.precise = precise;
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
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        let open = move || ScriptedSelector::play(script.clone()).into_default();
        self.script = Some(Opened(Arc::new(open)));
        self
    }

    /// Opens the selector and its notifier.
    ///
    /// # Errors
    ///
    /// What the kernel answers (EMFILE, ENOSYS; see [`errno_of`](crate::errno_of)), with the name of
    /// the call; `Unsupported` for [`Trigger::Edge`] on a
    /// backend that has only level.
    pub fn build(self) -> io::Result<Reactor> {
        if self.precise {
            prctl_set_timerslack(1)?;
        }
        let scripted = self.script.is_some();
        let mut selector: Selector = match (self.script, self.backend) {
            (Some(Opened(open)), _) => open(),
            (None, Some(backend)) => backend.selector().map_err(of_selector)?,
            (None, None) => DefaultSelector::new().map_err(of_selector)?,
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
        let notifier = Rc::new(Notifier::new().map_err(of_selector)?);
        let notified = Rc::new(Slot::new(None));
        let mode = if edge { Mode::Edge } else { Mode::Level };
        let token = selector
            .register_with(
                Pollable::of(&notifier),
                EVENT_READ,
                mode,
                Rc::clone(&notified),
            )
            .map_err(|refused| of_selector(refused.error))?;
        notified.registered(token.fd(), EVENT_READ, mode);
        // Its interest never changes: as if already on the list, it is never put on it.
        notified.mark_dirty();
        let clock = match scripted {
            true => Clock::scripted(selector.now()),
            false => Clock::monotonic(),
        };
        let shared = Shared::new(
            selector,
            clock,
            edge,
            Spin::new(self.spin),
            notifier,
            notified,
        );
        let reactor = Reactor {
            shared: Rc::new(shared),
        };
        #[cfg(feature = "trace")]
        crate::trace::install(&reactor);
        Ok(reactor)
    }
}
