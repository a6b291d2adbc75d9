//! [`JoinHandle`]: the result of a task, to be awaited on its own thread.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::run::{current, waker};
use crate::spawning::abort_handle::AbortHandle;
use crate::spawning::join_error::JoinError;
use crate::spawning::outlet::{Promise, Stage};
use crate::task::id::Id;

/// The result of a task, to be awaited; made by [`spawn`](crate::spawn).
///
/// Dropping it detaches the task, which runs on.
#[must_use = "dropping a handle detaches its task; say so with `detach`"]
pub struct JoinHandle<T> {
    promise: Rc<Promise<T>>,
    /// What [`spawn_named`](crate::spawn_named) called it. In a box, because few have one and
    /// programs keep handles by the thousand. The destructor calls its own only if it is there.
    name: ManuallyDrop<Option<Box<Rc<str>>>>,
}

impl<T> JoinHandle<T> {
    #[inline]
    pub(crate) fn new(promise: Rc<Promise<T>>) -> Self {
        JoinHandle {
            promise,
            name: ManuallyDrop::new(None),
        }
    }

    #[inline(never)]
    fn leave(&mut self) {
        *self.name = None;
        self.promise.leave();
    }

    #[inline]
    #[track_caller]
    fn take(&self) -> Result<T, JoinError> {
        self.promise
            .take()
            .expect("a JoinHandle was polled after it had yielded its result")
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn poll_at_once(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        ready!(current::poll_budget(cx));
        Poll::Ready(self.take())
    }

    pub(crate) fn named(mut self, name: Rc<str>) -> Self {
        *self.name = Some(Box::new(name));
        self
    }

    /// Asks the task to end. Its future is dropped the next time it would be polled, and the
    /// handle then yields a [cancelled](JoinError::is_cancelled) error, unless the task was
    /// faster.
    pub fn abort(&self) {
        if !self.is_finished() {
            current::abort(self.id());
        }
    }

    /// Aborts the task as well, and may be cloned and sent anywhere.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::of_made(self.id())
    }

    /// A handle that aborts the task when it is dropped, and can be awaited as well.
    pub fn abort_on_drop(self) -> AbortOnDrop<T> {
        AbortOnDrop(Some(self))
    }

    /// Lets the task run on without a handle. The same as dropping it, said aloud.
    pub fn detach(self) {}

    /// Is the task over, in one way or another?
    #[inline]
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.promise.stage() != Stage::Running
    }

    /// Names the task in traces and dumps.
    #[must_use]
    pub fn id(&self) -> Id {
        self.promise.id()
    }

    /// The name that [`spawn_named`](crate::spawn_named) gave it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().map(|name| &**name)
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if self.promise.stage() != Stage::Taken || self.name.is_some() {
            self.leave();
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it has yielded the result, or awaited where no runtime runs:
    /// nobody would ever run the task.
    #[inline(always)]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.promise.stage() {
            Stage::Running => {
                current::assert_driven(self.promise.id().runtime());
                self.promise.wait(waker::clone(cx.waker()));
                Poll::Pending
            }
            // Who has waited has let others run.
            Stage::Delivered => Poll::Ready(self.take()),
            Stage::Over | Stage::Taken => self.poll_at_once(cx),
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("is_finished", &self.is_finished())
            .finish()
    }
}

/// A [`JoinHandle`] that aborts its task when it is dropped; made by
/// [`JoinHandle::abort_on_drop`].
///
/// ```
/// use std::future::pending;
///
/// executor::block_on(async {
///     let helper = executor::spawn(pending::<()>()).abort_on_drop();
///     let id = helper.id();
///     drop(helper);
///     executor::yield_now().await;
///     assert!(executor::dump().iter().all(|task| task.id != id));
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it aborts the task"]
pub struct AbortOnDrop<T>(Option<JoinHandle<T>>);

impl<T> AbortOnDrop<T> {
    /// Lets the task run on after all, and gives the plain handle back.
    pub fn keep(mut self) -> JoinHandle<T> {
        self.0.take().expect("only taken here, by value")
    }

    /// See [`JoinHandle::is_finished`].
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    /// See [`JoinHandle::id`].
    #[must_use]
    pub fn id(&self) -> Id {
        self.handle().id()
    }

    /// See [`JoinHandle::name`].
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.handle().name()
    }

    /// See [`JoinHandle::abort`]; the result can still be awaited.
    pub fn abort(&self) {
        self.handle().abort();
    }

    /// See [`JoinHandle::abort_handle`].
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        self.handle().abort_handle()
    }

    fn handle(&self) -> &JoinHandle<T> {
        self.0.as_ref().expect("present until `keep`")
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take().filter(|handle| !handle.is_finished()) {
            handle.abort();
        }
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.0.as_mut().expect("present until `keep`");
        Pin::new(handle).poll(cx)
    }
}
