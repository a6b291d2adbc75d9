//! Choosing the reactor of a runtime and the order of its tasks, and opening it.

use std::io;
use std::rc::Rc;

use reactor::Trigger;
use selectors_core::Backend;

use crate::run::core::Core;
use crate::runtime::Runtime;

impl Runtime {
    /// A runtime on the best backend of this machine.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the selector is opened.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Chooses the reactor by hand: its backend, its trigger, its clock.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Chooses the reactor of a [`Runtime`], and the order of its tasks.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    reactor: reactor::Builder,
    seed: Option<u64>,
}

impl Builder {
    /// The reactor to wait with, instead of the default one: how long it spins, a scripted clock,
    /// and all else that [`reactor::Builder`] has. Of that only the two that nearly every program
    /// chooses by are repeated here.
    #[must_use]
    pub fn reactor(mut self, reactor: reactor::Builder) -> Self {
        self.reactor = reactor;
        self
    }

    /// What waits for readiness; as [`reactor::Builder::backend`].
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.reactor = self.reactor.backend(backend);
        self
    }

    /// When it reports; as [`reactor::Builder::trigger`].
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.reactor = self.reactor.trigger(trigger);
        self
    }

    /// Shuffles the order in which tasks that are ready together are polled; the same seed gives
    /// the same order. For tests that must not depend on it.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Opens the runtime.
    ///
    /// # Errors
    ///
    /// What the kernel answers; `Unsupported` for a trigger that the backend does not have.
    pub fn build(self) -> io::Result<Runtime> {
        Ok(Runtime {
            core: Rc::new(Core::new(self.reactor.build()?, self.seed)?),
        })
    }
}
