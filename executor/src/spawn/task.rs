//! A task: the future that was spawned, with the header that catches its panics and delivers its
//! result.

use std::any::Any;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::run::current;
use crate::run::waker::TaskId;
use crate::spawn::join::Shared;
use crate::spawn::join_error::JoinError;
use crate::task::foreign::contain;

/// A task of any type.
pub(crate) type Job = Pin<Box<dyn Run>>;

/// What the runtime does with a task, whatever its type.
pub(crate) trait Run {
    /// Polls the future, and delivers its result if it has one.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled;

    /// Drops the future; before its time, it is cancelled. Is the box good for another task?
    fn clear(self: Pin<&mut Self>) -> bool;

    /// The other task, which is `id`: takes what is in `next`, a [`Next`], if the box has the shape
    /// for it.
    fn refill(self: Pin<&mut Self>, id: TaskId, next: &mut dyn Any) -> bool;
}

/// What came of a poll.
pub(crate) enum Polled {
    Pending,
    /// The task is over.
    Ready,
    /// No task is there, or it has just arrived and is not in its place yet.
    Nobody,
}

/// A future on its way into a box, and what its task shares with the handle, which is known when it
/// is there.
pub(crate) struct Next<F: Future> {
    pub(crate) future: Option<F>,
    pub(crate) shared: Option<Rc<Shared<F::Output>>>,
}

/// Where a task's result goes: a handle on this thread, one on another, or a set.
pub(crate) trait Outlet<T> {
    /// The task is over. Called once.
    fn finish(&self, outcome: Result<T, JoinError>);

    /// The future is dropped as well. Can the next task in the box have this outlet?
    fn close(&self) -> bool {
        false
    }

    /// For that task, with what it shares with its handle.
    fn renew(&mut self) -> Option<Rc<Shared<T>>> {
        None
    }
}

pin_project! {
    /// A spawned future with its header, in one allocation.
    pub(crate) struct Task<F: Future, O: Outlet<F::Output>> {
        // `None` in a box that waits for another task.
        #[pin]
        future: Option<F>,
        outlet: O,
        // `NOBODY` once the task is over.
        id: TaskId,
    }

    impl<F: Future, O: Outlet<F::Output>> PinnedDrop for Task<F, O> {
        fn drop(this: Pin<&mut Self>) {
            if this.id != TaskId::NOBODY {
                this.cancel();
            }
        }
    }
}

impl<F: Future, O: Outlet<F::Output>> Task<F, O> {
    pub(crate) fn new(id: TaskId, future: F, outlet: O) -> Self {
        Task {
            future: Some(future),
            outlet,
            id,
        }
    }

    /// It ends before its time: it was aborted, or its runtime is gone. False if the destructor of
    /// the future panicked, of which the joiner hears.
    #[cold]
    fn cancel(self: Pin<&mut Self>) -> bool {
        let mut this = self.project();
        current::dropped_pending(mem::replace(this.id, TaskId::NOBODY));
        let dropped = catch_unwind(AssertUnwindSafe(|| this.future.set(None)));
        let is_empty = dropped.is_ok();
        this.outlet.finish(Err(match dropped {
            Ok(()) => JoinError::cancelled(),
            Err(payload) => JoinError::panicked(payload),
        }));
        is_empty
    }
}

impl<F, O> Run for Task<F, O>
where
    F: Future + 'static,
    O: Outlet<F::Output> + 'static,
{
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = self.project();
        let future = this.future.as_pin_mut();
        let future = future.expect("an empty box is in no place");
        // Unwind safety: a future that has panicked is never polled again, only dropped.
        let outcome = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return Polled::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(JoinError::panicked(payload)),
        };
        *this.id = TaskId::NOBODY;
        this.outlet.finish(outcome);
        Polled::Ready
    }

    fn clear(mut self: Pin<&mut Self>) -> bool {
        let is_empty = self.id == TaskId::NOBODY || self.as_mut().cancel();
        let mut this = self.project();
        // Where nothing is to be dropped, the compiler sees that nothing can panic.
        let cleared = contain(|| {
            this.future.set(None);
            this.outlet.close()
        });
        is_empty && cleared.unwrap_or(false)
    }

    fn refill(self: Pin<&mut Self>, id: TaskId, next: &mut dyn Any) -> bool {
        let Some(next) = next.downcast_mut::<Next<F>>() else {
            return false;
        };
        let mut this = self.project();
        next.shared = this.outlet.renew();
        this.future.set(next.future.take());
        *this.id = id;
        true
    }
}

/// A place where no task is. Its box needs no memory.
pub(crate) struct Vacant;

impl Run for Vacant {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        Polled::Nobody
    }

    fn clear(self: Pin<&mut Self>) -> bool {
        false
    }

    fn refill(self: Pin<&mut Self>, _: TaskId, _: &mut dyn Any) -> bool {
        false
    }
}
