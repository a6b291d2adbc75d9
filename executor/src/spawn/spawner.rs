//! Spawning from other threads: a [`Spawner`] that is `Send`, and the handle that it returns.

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use crate::run::core::Core;
use crate::run::current::{self, Mail, Remote};
use crate::run::waker::TaskId;
use crate::spawn::join_error::JoinError;
use crate::spawn::task::Outlet;
use crate::task::foreign::drop_contained;
use crate::task::id::Id;

/// Spawns tasks on one runtime from any thread; made by
/// [`Runtime::spawner`](crate::Runtime::spawner).
///
/// ```
/// let runtime = executor::Runtime::new()?;
/// let spawner = runtime.spawner();
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let thread = std::thread::spawn(move || {
///     spawner.spawn(async move { sender.send(6 * 7).unwrap() })
/// });
/// let handle = thread.join().unwrap();
/// runtime.block_on(handle)?.unwrap();
/// assert_eq!(receiver.recv().unwrap(), 42);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Spawner {
    remote: Arc<Remote>,
}

impl Spawner {
    pub(crate) fn new(remote: Arc<Remote>) -> Self {
        Spawner { remote }
    }

    /// Sends `future` to the runtime, which polls it on its own thread. If the runtime is gone,
    /// the handle yields a [cancelled](JoinError::is_cancelled) error.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> SendHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let from = Location::caller();
        self.send(from, move || future)
    }

    /// As [`spawn`](Self::spawn), for a future that is not `Send`: only what makes it crosses the
    /// threads, and is called on the runtime's own.
    #[track_caller]
    pub fn spawn_with<M, F>(&self, make: M) -> SendHandle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        let from = Location::caller();
        self.send(from, make)
    }

    /// Is the runtime gone?
    pub fn is_closed(&self) -> bool {
        self.remote.inbox.is_closed()
    }

    fn send<M, F>(&self, from: &'static Location<'static>, make: M) -> SendHandle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        let shared = Arc::new(Shared::default());
        let sent = Sent(Some((make, Outbound(Arc::clone(&shared)))));
        self.remote
            .send(Mail::Spawn(Box::new(move |core| sent.arrive(core, from))));
        SendHandle { shared }
    }
}

/// What makes a task, on its way to the runtime.
struct Sent<M, T>(Option<(M, Outbound<T>)>);

impl<M, T> Drop for Sent<M, T> {
    /// It never reached its runtime.
    fn drop(&mut self) {
        if let Some((make, outlet)) = self.0.take() {
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(make)));
            outlet.finish(Err(match dropped {
                Ok(()) => JoinError::cancelled(),
                Err(payload) => JoinError::panicked(payload),
            }));
        }
    }
}

impl<M, F> Sent<M, F::Output>
where
    M: FnOnce() -> F + 'static,
    F: Future + 'static,
{
    fn arrive(mut self, core: &Core, from: &'static Location<'static>) {
        let Some((make, outlet)) = self.0.take() else {
            return;
        };
        let shared = Arc::clone(&outlet.0);
        let id = core.insert(async move { make().await }, outlet, from);
        shared.id.store(id.bits(), Ordering::SeqCst);
        if shared.aborted.load(Ordering::SeqCst) {
            core.abort_task(id);
        }
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spawner")
    }
}

/// What a task and its handle on another thread share.
struct Shared<T> {
    state: Mutex<State<T>>,
    /// Set once, by the handle.
    ///
    /// The handle writes this and then reads `id`, the runtime writes `id` and then, before the
    /// first poll, reads this. All four are sequentially consistent, so that they cannot both read
    /// the old value: an abort that finds no id to tell is seen before the first poll.
    aborted: AtomicBool,
    /// The bits of the task's id; zero until the runtime has made it.
    id: AtomicU64,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        let state = Mutex::new(State::Running(None));
        Shared {
            state,
            aborted: AtomicBool::new(false),
            id: AtomicU64::new(0),
        }
    }
}

enum State<T> {
    /// Not over; who awaits the handle.
    Running(Option<Waker>),
    /// Over, and not yet taken.
    Over(Result<T, JoinError>),
    /// Over, and taken.
    Taken,
    /// The handle is gone.
    Detached,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task's end.
struct Outbound<T>(Arc<Shared<T>>);

impl<T> Outlet<T> for Outbound<T> {
    fn finish(&self, outcome: Result<T, JoinError>) {
        let mut state = self.0.lock();
        if let State::Running(joiner) = &mut *state {
            let joiner = joiner.take();
            *state = State::Over(outcome);
            drop(state);
            if let Some(joiner) = joiner {
                current::wake_contained(joiner);
            }
        } else {
            drop(state);
            drop_contained(outcome);
        }
    }
}

impl<T> Drop for Outbound<T> {
    /// Whatever ends it before it is a task.
    fn drop(&mut self) {
        self.finish(Err(JoinError::cancelled()));
    }
}

/// The result of a task on another thread's runtime; made by [`Spawner::spawn`]. It can be awaited
/// on any thread. Dropping it detaches the task.
#[must_use = "dropping a handle detaches its task; say so with `detach`"]
pub struct SendHandle<T> {
    shared: Arc<Shared<T>>,
}

impl<T> SendHandle<T> {
    /// Asks the task to end; see [`JoinHandle::abort`](crate::JoinHandle::abort).
    pub fn abort(&self) {
        // Once: whoever was first has told the runtime, or it will look.
        if self.shared.aborted.swap(true, Ordering::SeqCst) {
            return;
        }
        // Zero: the runtime has not made it yet, and will look before the first poll.
        match self.shared.id.load(Ordering::SeqCst) {
            0 => {}
            _ if self.is_finished() => {}
            id => current::abort(TaskId::from_bits(id)),
        }
    }

    /// Lets the task run on without a handle.
    pub fn detach(self) {}

    /// Names the task in traces and dumps; `None` until the runtime has made it.
    pub fn id(&self) -> Option<Id> {
        match self.shared.id.load(Ordering::SeqCst) {
            0 => None,
            id => Some(Id::new(TaskId::from_bits(id))),
        }
    }

    /// Is the task over, in one way or another?
    pub fn is_finished(&self) -> bool {
        !matches!(*self.shared.lock(), State::Running(_))
    }
}

impl<T> Drop for SendHandle<T> {
    fn drop(&mut self) {
        let state = mem::replace(&mut *self.shared.lock(), State::Detached);
        drop_contained(state);
    }
}

impl<T> Future for SendHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it has yielded the result.
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_finished() {
            ready!(current::poll_budget(cx));
        }
        // A waker is not our code: it is cloned before the lock, and the old one dropped after it.
        let waker = cx.waker().clone();
        let mut state = self.shared.lock();
        match &mut *state {
            State::Running(joiner) => {
                let replaced = joiner.replace(waker);
                drop(state);
                drop(replaced);
                return Poll::Pending;
            }
            State::Over(_) => {}
            State::Taken | State::Detached => {
                drop(state);
                panic!("a SendHandle was polled after it had yielded its result");
            }
        }
        let over = mem::replace(&mut *state, State::Taken);
        drop(state);
        match over {
            State::Over(outcome) => Poll::Ready(outcome),
            _ => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for SendHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHandle")
            .field("is_finished", &self.is_finished())
            .finish()
    }
}
