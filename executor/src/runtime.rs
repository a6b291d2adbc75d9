//! [`Runtime`]: one executor and its reactor, on one thread.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use reactor::{Reactor, Turn};
use selectors_core::Backend;

use crate::run::core::Core;
use crate::run::current::{self, Entered};
use crate::spawning::admit;
use crate::spawning::join::JoinHandle;
use crate::spawning::spawn_traits::LocalSpawner;
use crate::spawning::spawner::Spawner;
use crate::wake::inbox::MaySleep;
use crate::watch::dump::TaskInfo;
use crate::watch::metrics::Metrics;

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
#[track_caller]
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    current::refuse_nesting();
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
#[track_caller]
#[inline]
pub fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output> {
    admit::spawn(future)
}

/// As [`spawn`], with a name for traces and [dumps](crate::dump).
///
/// # Panics
///
/// If no runtime runs on this thread.
#[track_caller]
pub fn spawn_named<F: Future + 'static>(name: &str, future: F) -> JoinHandle<F::Output> {
    let core = current::expect_current("spawn_named");
    let name: Rc<str> = name.into();
    let handle = core.spawn(future, Location::caller()).named(name.clone());
    core.name(handle.id(), name);
    handle
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
/// use executor::{Backend, Runtime};
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
///
/// # Fork
///
/// A forked child has a copy of the runtime, but shares the kernel's side of it with its parent.
/// So it must not run it: drop it in the child before any socket that it does not own, which leaves
/// the parent's alone, and make a new one. Sockets that the child wants to keep go over by
/// `try_clone` of their std form, made before the fork.
pub struct Runtime {
    pub(crate) core: Rc<Core>,
}

impl Runtime {
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
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let _running = current::run(&self.core);
        self.core.run(pin!(future))
    }

    /// Runs until no task is left.
    ///
    /// # Errors
    ///
    /// What the kernel answers to a wait.
    ///
    /// # Panics
    ///
    /// If this thread is inside a `block_on` already.
    ///
    /// ```
    /// let runtime = executor::Runtime::new()?;
    /// let task = runtime.spawn(async { executor::spawn(async { 7 }).await });
    /// runtime.run()?;
    /// assert!(task.is_finished() && runtime.tasks() == 0);
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn run(&self) -> io::Result<()> {
        let _running = current::run(&self.core);
        self.core.run_all()
    }

    /// Polls one task that is woken, and asks no kernel. False if there is none.
    ///
    /// # Panics
    ///
    /// If this thread is inside a `block_on` already.
    ///
    /// ```
    /// let runtime = executor::Runtime::new()?;
    /// let tasks = [1, 2].map(|number| runtime.spawn(async move { number }));
    /// assert!(runtime.try_run_one());
    /// assert!(tasks[0].is_finished() && !tasks[1].is_finished());
    /// assert!(runtime.try_run_one() && !runtime.try_run_one());
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn try_run_one(&self) -> bool {
        let _running = current::run(&self.core);
        self.core.poll_one()
    }

    /// Makes this the runtime of the thread until the guard is dropped, without running it: what is
    /// [spawned](crate::spawn) runs during the next `block_on`, which may begin while the guard is
    /// there, and sockets and timers can be made.
    ///
    /// Guards are dropped in the reverse order of their making; one that is not, panics. Do not hold
    /// one across an await: inside of another runtime, awaiting what belongs to this one panics.
    ///
    /// ```
    /// let runtime = executor::Runtime::new()?;
    /// let guard = runtime.enter();
    /// let task = executor::spawn(async { 7 });
    /// assert_eq!(runtime.block_on(task)?.unwrap(), 7);
    /// drop(guard);
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard {
            _entered: current::enter(&self.core),
            runtime: self,
        }
    }

    /// Spawns `future`; it runs during the next `block_on`.
    #[track_caller]
    pub fn spawn<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        self.core.spawn(future, Location::caller())
    }

    /// Spawns from other threads.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        Spawner::new(Arc::clone(&self.core.remote))
    }

    /// Spawns from anywhere on this thread; implements the traits of `futures_task`.
    #[must_use]
    pub fn local_spawner(&self) -> LocalSpawner {
        LocalSpawner::new(Rc::clone(&self.core))
    }

    /// Polls every task that is woken, and whom they wake, until nobody is. Asks no kernel: for
    /// host loops, and for tests. True if anybody was polled, or was aborted and is dropped now.
    ///
    /// # Panics
    ///
    /// If this thread is inside a `block_on` already.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn run_until_stalled(&self) -> bool {
        let _running = current::run(&self.core);
        let done = || (self.core.polls.get(), self.core.live());
        let before = done();
        while !self.core.is_idle() || self.core.has_mail() {
            self.core.poll_somebody();
        }
        done() != before
    }

    /// One step for a host loop: polls who is woken, takes a [turn](Reactor::turn) of at most
    /// `timeout`, and polls whom that woke. If somebody was polled before the turn, it does not
    /// wait: that may be what the host is waiting for.
    ///
    /// [`Reactor::host_fd`] tells the host when to call this before
    /// [`next_timeout`](Self::next_timeout) is over.
    ///
    /// A clock that is [paused](reactor::time::pause) is moved by a step that polls nobody before its turn
    /// and finds nothing ready: by `timeout`, or to the next timer if that is sooner, or if `timeout` is
    /// zero.
    ///
    /// # Errors
    ///
    /// What the kernel answers to the wait.
    ///
    /// # Panics
    ///
    /// If this thread is inside a `block_on` already.
    #[track_caller]
    pub fn turn(&self, timeout: Option<Duration>) -> io::Result<Turn> {
        let _running = current::run(&self.core);
        let timeout = if self.core.poll_somebody() {
            Some(Duration::ZERO)
        } else if timeout == Some(Duration::ZERO) && self.core.waits_for_a_paused_clock() {
            // It ends with the next timer, and takes no time.
            Some(Duration::MAX)
        } else {
            timeout
        };
        let turn = self.core.turn(timeout)?;
        self.core.poll_woken();
        Ok(turn)
    }

    /// How long a host loop may wait before it calls [`turn`](Self::turn), unless
    /// [`Reactor::host_fd`] becomes readable; `None`: for ever.
    ///
    /// Call it just before each wait of the host: it also announces to other threads that this one
    /// is about to sleep, so that their wakes make the fd readable.
    ///
    /// Zero while a task waits for a clock that is [paused](reactor::time::pause): the next `turn` moves it.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        let asleep = self.core.is_idle()
            && !self.core.waits_for_a_paused_clock()
            && self.core.prepare_to_sleep() == MaySleep::Allowed;
        if asleep {
            self.core.reactor.next_timeout()
        } else {
            Some(Duration::ZERO)
        }
    }

    /// Asks all tasks to end (see [`stopping`](crate::stopping)), runs them for `grace` at most,
    /// then drops those that are left, in the order of their slots, and last the reactor.
    ///
    /// # Errors
    ///
    /// What the kernel answers to a wait; the tasks are dropped all the same.
    ///
    /// # Panics
    ///
    /// If this thread is inside a `block_on` already.
    ///
    /// ```
    /// use std::{future::pending, time::Duration};
    ///
    /// let runtime = executor::Runtime::new()?;
    /// runtime.spawn(executor::stopping()).detach();
    /// runtime.spawn(pending::<()>()).detach();
    /// let shutdown = runtime.shutdown(Duration::from_millis(1))?;
    /// assert_eq!((shutdown.ended, shutdown.dropped), (1, 1));
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn shutdown(self, grace: Duration) -> io::Result<Shutdown> {
        let _running = current::run(&self.core);
        let (ended, dropped) = self.core.shut_down(grace)?;
        Ok(Shutdown { ended, dropped })
    }

    /// All tasks, as in [`dump`](crate::dump).
    #[must_use]
    pub fn dump(&self) -> Vec<TaskInfo> {
        self.core.dump()
    }

    /// What happened so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.core.metrics()
    }

    /// Tasks that were spawned and are not done.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.core.live()
    }

    /// The reactor under this executor.
    #[must_use]
    pub fn reactor(&self) -> &Reactor {
        &self.core.reactor
    }

    /// The backend that waits.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.core.reactor.backend()
    }
}

/// Keeps a runtime entered; made by [`Runtime::enter`].
#[must_use = "the runtime is left when the guard is dropped"]
pub struct EnterGuard<'a> {
    _entered: Entered,
    runtime: &'a Runtime,
}

impl fmt::Debug for EnterGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnterGuard").field(self.runtime).finish()
    }
}

/// How a [shutdown](Runtime::shutdown) went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// Tasks that ended by themselves within the grace period, those included that were spawned
    /// in it.
    pub ended: usize,
    /// Tasks that were dropped, in the order in which their slots stand in the slab.
    pub dropped: usize,
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
