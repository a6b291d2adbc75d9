//! [`Spawner`]: spawning from other threads.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

use crate::run::current;
use crate::spawning::join_error::JoinError;
use crate::spawning::send_handle::{Outbound, SendHandle};
use crate::wake::remote::{Mail, Remote};

/// Spawns tasks on one runtime from any thread; made by
/// [`Runtime::spawner`](crate::Runtime::spawner), and inside by [`Spawner::current`].
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
        self.send(Location::caller(), move || future)
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
        self.send(Location::caller(), make)
    }

    /// The spawner of the runtime of this thread, for tasks to hand to other threads.
    ///
    /// # Panics
    ///
    /// If no runtime runs on this thread.
    ///
    /// ```
    /// use executor::Spawner;
    ///
    /// executor::block_on(async {
    ///     let spawner = Spawner::current();
    ///     let thread = std::thread::spawn(move || spawner.spawn(async { 6 * 7 }));
    ///     assert_eq!(thread.join().unwrap().await.unwrap(), 42);
    /// })?;
    /// assert!(Spawner::try_current().is_none());
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn current() -> Self {
        Self::new(Arc::clone(
            &current::expect_current("Spawner::current").remote,
        ))
    }

    /// As [`current`](Self::current); `None` where no runtime runs.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        current::current().map(|core| Self::new(Arc::clone(&core.remote)))
    }

    /// Asks the runtime to stop, as [`request_stop`](crate::request_stop) does on its own thread: the
    /// next time that it reads its mail it wakes every task, once. Nothing is done if it is gone.
    ///
    /// ```
    /// use executor::{Spawner, stopping};
    ///
    /// executor::block_on(async {
    ///     let spawner = Spawner::current();
    ///     std::thread::spawn(move || spawner.request_stop());
    ///     stopping().await;
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn request_stop(&self) {
        self.remote.send(Mail::Stop);
    }

    /// Is the runtime gone?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.remote.inbox.is_closed()
    }

    fn send<M, F>(&self, from: &'static Location<'static>, make: M) -> SendHandle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        let (handle, outlet) = SendHandle::new();
        let sent = Sent(Some((make, outlet)));
        self.remote
            .send(Mail::Spawn(Box::new(move || sent.arrive(from))));
        handle
    }
}

/// What makes a task, on its way to the runtime.
struct Sent<M, T>(Option<(M, Outbound<T>)>);

impl<M, T> Drop for Sent<M, T> {
    /// It never reached its runtime.
    fn drop(&mut self) {
        if let Some((make, outlet)) = self.0.take() {
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(make)));
            outlet.give(Err(match dropped {
                Ok(()) => JoinError::cancelled(None),
                Err(payload) => JoinError::panicked(None, payload),
            }));
        }
    }
}

impl<M, F> Sent<M, F::Output>
where
    M: FnOnce() -> F + 'static,
    F: Future + 'static,
{
    /// On the runtime's own thread, which reads its mail.
    fn arrive(mut self, from: &'static Location<'static>) {
        let (Some(core), Some((make, outlet))) = (current::current(), self.0.take()) else {
            return;
        };
        let promise = outlet.promise();
        let id = core.insert(async move { make().await }, outlet, from);
        promise.is_made(id);
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spawner")
    }
}
