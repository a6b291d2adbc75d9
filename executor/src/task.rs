//! A task: the future that was spawned, with the header that catches its panics and delivers its
//! result.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::join_error::JoinError;
use crate::wake;
use crate::waker::TaskId;

/// Where a task's result goes: a handle on this thread, one on another, or a set.
pub(crate) trait Outlet<T> {
    /// The task is over. Called once.
    fn finish(&self, outcome: Result<T, JoinError>);
}

pin_project! {
    /// A spawned future with its header, in one allocation.
    pub(crate) struct Task<F: Future, O: Outlet<F::Output>> {
        #[pin]
        future: F,
        outlet: O,
        id: TaskId,
        finished: bool,
    }

    impl<F: Future, O: Outlet<F::Output>> PinnedDrop for Task<F, O> {
        fn drop(this: Pin<&mut Self>) {
            // Dropped before it was done: aborted, or its runtime is gone.
            if !this.finished {
                wake::dropped_pending(this.id);
                this.outlet.finish(Err(JoinError::cancelled()));
            }
        }
    }
}

impl<F: Future, O: Outlet<F::Output>> Task<F, O> {
    pub(crate) fn new(id: TaskId, future: F, outlet: O) -> Self {
        Task {
            future,
            outlet,
            id,
            finished: false,
        }
    }
}

impl<F: Future, O: Outlet<F::Output>> Future for Task<F, O> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        // Unwind safety: a future that has panicked is never polled again, only dropped.
        let outcome = match catch_unwind(AssertUnwindSafe(|| this.future.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(JoinError::panicked(payload)),
        };
        *this.finished = true;
        this.outlet.finish(outcome);
        Poll::Ready(())
    }
}
