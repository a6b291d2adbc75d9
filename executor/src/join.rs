//! [`JoinHandle`]: the result of a task, to be awaited on its own thread.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::id::Id;
use crate::join_error::JoinError;
use crate::task::Outlet;
use crate::wake;
use crate::waker::TaskId;

/// What a task and its handle share.
pub(crate) struct Shared<T> {
    /// The result, between the task's end and the handle's `await`.
    outcome: Cell<Option<Result<T, JoinError>>>,
    /// Who awaits the handle.
    joiner: Cell<Option<Waker>>,
    /// The task is over. Set once, by the task.
    finished: Cell<bool>,
}

impl<T> Shared<T> {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Shared {
            outcome: Cell::new(None),
            joiner: Cell::new(None),
            finished: Cell::new(false),
        })
    }
}

impl<T> Outlet<T> for Rc<Shared<T>> {
    fn finish(&self, outcome: Result<T, JoinError>) {
        self.outcome.set(Some(outcome));
        self.finished.set(true);
        if let Some(joiner) = self.joiner.take() {
            joiner.wake();
        }
    }
}

/// The result of a task, to be awaited; made by [`spawn`](crate::spawn).
///
/// Dropping it detaches the task, which runs on.
#[must_use = "dropping a handle detaches its task; say so with `detach`"]
pub struct JoinHandle<T> {
    id: TaskId,
    shared: Rc<Shared<T>>,
    /// What [`spawn_named`](crate::spawn_named) called it.
    name: Option<Rc<str>>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(id: TaskId, shared: Rc<Shared<T>>) -> Self {
        JoinHandle {
            id,
            shared,
            name: None,
        }
    }

    pub(crate) fn named(mut self, name: Rc<str>) -> Self {
        self.name = Some(name);
        self
    }

    /// Asks the task to end. Its future is dropped the next time it would be polled, and the
    /// handle then yields a [cancelled](JoinError::is_cancelled) error, unless the task was
    /// faster.
    pub fn abort(&self) {
        if !self.is_finished() {
            wake::abort(self.id);
        }
    }

    /// A handle that aborts the task when it is dropped, and can be awaited as well.
    pub fn abort_on_drop(self) -> AbortOnDrop<T> {
        AbortOnDrop(Some(self))
    }

    /// Lets the task run on without a handle. The same as dropping it, said aloud.
    pub fn detach(self) {}

    /// Is the task over, in one way or another?
    pub fn is_finished(&self) -> bool {
        self.shared.finished.get()
    }

    /// Names the task in traces and dumps.
    pub fn id(&self) -> Id {
        Id::new(self.id)
    }

    /// The name that [`spawn_named`](crate::spawn_named) gave it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it has yielded the result, or awaited where no runtime runs:
    /// nobody would ever run the task.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.shared.outcome.take() {
            return Poll::Ready(outcome);
        }
        assert!(
            !self.is_finished(),
            "a JoinHandle was polled after it had yielded its result"
        );
        wake::assert_driven(self.id.runtime());
        self.shared.joiner.set(Some(cx.waker().clone()));
        Poll::Pending
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
    pub fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    /// See [`JoinHandle::id`].
    pub fn id(&self) -> Id {
        self.handle().id()
    }

    /// See [`JoinHandle::name`].
    pub fn name(&self) -> Option<&str> {
        self.handle().name()
    }

    /// See [`JoinHandle::abort`]; the result can still be awaited.
    pub fn abort(&self) {
        self.handle().abort();
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.0.as_mut().expect("present until `keep`");
        Pin::new(handle).poll(cx)
    }
}
