//! [`Runtime`]: one executor and its reactor, on one thread.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use reactor::{Reactor, Trigger};
use selectors_core::Backend;

use crate::core::Core;
use crate::task::JoinHandle;
use crate::wake;

/// Runs `future`, and everything it spawns, until it is done.
///
/// Tasks that are still running then are dropped. To choose a backend, or to run several futures
/// one after another, use [`Runtime`].
///
/// # Errors
///
/// What the kernel answers when the runtime opens its selector (`EMFILE`), or to a wait.
///
/// # Panics
///
/// If this thread is inside a `block_on` already: await the future instead, or spawn it. A panic
/// of `future` itself passes through.
///
/// ```
/// let answer = executor::block_on(async { 6 * 7 })?;
/// assert_eq!(answer, 42);
/// # std::io::Result::Ok(())
/// ```
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    refuse_nesting();
    Runtime::new()?.block_on(future)
}

/// Spawns `future` on the runtime of this thread. It need not be `Send`. It is first polled when
/// the run loop comes to it.
///
/// # Panics
///
/// If no runtime runs on this thread.
///
/// ```
/// executor::block_on(async {
///     let task = executor::spawn(async { 6 * 7 });
///     assert_eq!(task.await.unwrap(), 42);
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output> {
    let Some(core) = wake::current() else {
        panic!("no runtime on this thread: call `spawn` inside `executor::block_on`");
    };
    core.spawn(future)
}

/// Lets every other task that is ready run once before this one goes on.
///
/// ```
/// executor::block_on(async {
///     let other = executor::spawn(async {});
///     executor::yield_now().await;
///     assert!(other.is_finished());
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// An executor and its reactor. It stays on the thread that made it.
///
/// ```
/// use executor::Runtime;
/// use selectors_core::Backend;
///
/// let runtime = Runtime::builder().backend(Backend::Poll).build()?;
/// assert_eq!(runtime.backend(), Backend::Poll);
/// let sum = runtime.block_on(async {
///     let one = executor::spawn(async { 1 });
///     let two = executor::spawn(async { 2 });
///     one.await.unwrap() + two.await.unwrap()
/// })?;
/// assert_eq!(sum, 3);
/// # std::io::Result::Ok(())
/// ```
///
/// Dropping it drops every task, then the reactor.
pub struct Runtime {
    core: Rc<Core>,
}

/// Chooses the backend of a [`Runtime`] and its trigger mode.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    reactor: reactor::Builder,
}

impl Builder {
    /// The selector to wait with; without this call the best that works.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.reactor = self.reactor.backend(backend);
        self
    }

    /// Edge or level; by default edge where the backend offers it.
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.reactor = self.reactor.trigger(trigger);
        self
    }

    /// Opens the runtime.
    ///
    /// # Errors
    ///
    /// What the kernel answers; `Unsupported` for a trigger that the backend does not have.
    pub fn build(self) -> io::Result<Runtime> {
        Ok(Runtime {
            core: Rc::new(Core::new(self.reactor.build()?)?),
        })
    }
}

impl Runtime {
    /// A runtime on the best backend of this machine.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the selector is opened.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// Chooses backend and trigger by hand.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Runs `future` until it is done, and other tasks meanwhile. Tasks that are not done then
    /// wait for the next `block_on`.
    ///
    /// # Errors
    ///
    /// What the kernel answers to a wait.
    ///
    /// # Panics
    ///
    /// If this thread is inside a `block_on` already. A panic of `future` passes through.
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        refuse_nesting();
        let _reactor = self.core.reactor.enter();
        let _entered = wake::enter(&self.core);
        self.core.run(pin!(future))
    }

    /// Spawns `future`; it runs during the next `block_on`.
    pub fn spawn<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        self.core.spawn(future)
    }

    /// Tasks that were spawned and are not done.
    pub fn tasks(&self) -> usize {
        self.core.live()
    }

    /// The reactor under this executor.
    pub fn reactor(&self) -> &Reactor {
        &self.core.reactor
    }

    /// The backend that waits.
    pub fn backend(&self) -> Backend {
        self.core.reactor.backend()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.core.close();
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("reactor", &self.core.reactor)
            .field("tasks", &self.tasks())
            .finish()
    }
}

fn refuse_nesting() {
    assert!(
        wake::current().is_none(),
        "`block_on` inside `block_on`: this thread already runs a loop, and blocking it would \
         stop every task. Await the future, or spawn it"
    );
}
