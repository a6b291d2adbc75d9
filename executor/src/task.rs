//! A task: the future that was spawned, and what it shares with its [`JoinHandle`].

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::wake;
use crate::waker::TaskId;

pin_project! {
    /// A spawned future with its header. One allocation together; the other is [`Shared`].
    pub(crate) struct Task<F: Future> {
        #[pin]
        future: F,
        shared: Rc<Shared<F::Output>>,
    }

    impl<F: Future> PinnedDrop for Task<F> {
        fn drop(this: Pin<&mut Self>) {
            // Dropped before it was done: aborted, or its runtime is gone.
            if !this.shared.finished.get() {
                this.shared.finish(Err(JoinError(Reason::Cancelled)));
            }
        }
    }
}

/// What a task and its handle share.
struct Shared<T> {
    /// The result, between the task's end and the handle's `await`.
    outcome: Cell<Option<Result<T, JoinError>>>,
    /// Who awaits the handle.
    joiner: Cell<Option<Waker>>,
    /// The task is over. Set once, by the task.
    finished: Cell<bool>,
    /// The handle asked the task to end. Set once, by the handle; the task sees it when it is
    /// next polled.
    aborted: Cell<bool>,
}

impl<T> Shared<T> {
    fn finish(&self, outcome: Result<T, JoinError>) {
        self.outcome.set(Some(outcome));
        self.finished.set(true);
        if let Some(joiner) = self.joiner.take() {
            joiner.wake();
        }
    }
}

impl<F: Future> Task<F> {
    /// The task and its handle.
    pub(crate) fn new(id: TaskId, future: F) -> (Self, JoinHandle<F::Output>) {
        let shared = Rc::new(Shared {
            outcome: Cell::new(None),
            joiner: Cell::new(None),
            finished: Cell::new(false),
            aborted: Cell::new(false),
        });
        (
            Task {
                future,
                shared: Rc::clone(&shared),
            },
            JoinHandle { id, shared },
        )
    }
}

impl<F: Future> Future for Task<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.shared.aborted.get() {
            return Poll::Ready(());
        }
        // Unwind safety: a future that has panicked is never polled again, only dropped.
        match catch_unwind(AssertUnwindSafe(|| this.future.poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => {
                this.shared.finish(Ok(output));
                Poll::Ready(())
            }
            Err(payload) => {
                this.shared
                    .finish(Err(JoinError(Reason::Panicked(payload))));
                Poll::Ready(())
            }
        }
    }
}

/// The result of a task, to be awaited; made by [`spawn`](crate::spawn).
///
/// Dropping it detaches the task, which runs on.
#[must_use = "dropping a handle detaches its task; say so with `drop` or `detach`"]
pub struct JoinHandle<T> {
    id: TaskId,
    shared: Rc<Shared<T>>,
}

impl<T> JoinHandle<T> {
    /// Asks the task to end. Its future is dropped the next time it would be polled, and the
    /// handle then yields a [cancelled](JoinError::is_cancelled) error, unless the task was
    /// faster.
    pub fn abort(&self) {
        self.shared.aborted.set(true);
        wake::wake(self.id);
    }

    /// Lets the task run on without a handle. The same as dropping it, said aloud.
    pub fn detach(self) {}

    /// Is the task over, in one way or another?
    pub fn is_finished(&self) -> bool {
        self.shared.finished.get()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it has yielded the result, or awaited where the task's runtime
    /// does not run: nobody would ever run the task.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.shared.outcome.take() {
            return Poll::Ready(outcome);
        }
        assert!(
            !self.is_finished(),
            "a JoinHandle was polled after it had yielded its result"
        );
        assert!(
            wake::current().is_some_and(|core| core.number == self.id.runtime()),
            "this JoinHandle would wait for ever: nobody drives its runtime. Await it inside \
             `Runtime::block_on`"
        );
        self.shared.joiner.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("is_finished", &self.is_finished())
            .finish()
    }
}

/// Why a task has no result.
pub struct JoinError(Reason);

enum Reason {
    Cancelled,
    Panicked(Box<dyn Any + Send>),
}

impl JoinError {
    /// The task was aborted, or its runtime was dropped.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Reason::Cancelled)
    }

    /// The task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Reason::Panicked(_))
    }

    /// Goes on with the task's panic on this thread.
    ///
    /// # Panics
    ///
    /// Always: with the task's payload, or with a text that says that it was cancelled.
    pub fn resume_panic(self) -> ! {
        match self.0 {
            Reason::Panicked(payload) => resume_unwind(payload),
            Reason::Cancelled => panic!("the task was cancelled"),
        }
    }

    /// The text of the task's panic, if it had one.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.0 {
            Reason::Panicked(payload) => match payload.downcast_ref::<&str>() {
                Some(text) => Some(text),
                None => payload.downcast_ref::<String>().map(String::as_str),
            },
            Reason::Cancelled => None,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.panic_message()) {
            (Reason::Cancelled, _) => f.write_str("the task was cancelled"),
            (_, Some(message)) => write!(f, "the task panicked: {message}"),
            (_, None) => f.write_str("the task panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        // The payload of a panic is not `Sync`, so the text has to do.
        io::Error::other(error.to_string())
    }
}
