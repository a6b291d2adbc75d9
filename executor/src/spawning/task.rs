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
use reactor::observe::Event;

use selectors_core::act;

use crate::run::current;
use crate::spawning::join_error::JoinError;
use crate::spawning::outlet::{Outlet, Promise};
use crate::task::acts::{self, Act};
use crate::task::foreign::contain;
use crate::task::id::Id;
use crate::task::job::{Polled, Run};
use crate::task::spare::LARGEST;

/// A future on its way into a box, and what its task shares with the handle, which is known when it
/// is there.
pub(crate) struct Filling<F: Future> {
    pub(crate) future: Option<F>,
    pub(crate) promise: Option<Rc<Promise<F::Output>>>,
}

impl<F: Future> Filling<F> {
    #[inline]
    pub(crate) fn new(future: F) -> Self {
        Filling {
            future: Some(future),
            promise: None,
        }
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
        id: Id,
    }

    impl<F: Future, O: Outlet<F::Output>> PinnedDrop for Task<F, O> {
        fn drop(this: Pin<&mut Self>) {
            if this.id != Id::NOBODY {
                this.cancel();
            }
        }
    }
}

impl<F: Future, O: Outlet<F::Output>> Task<F, O> {
    pub(crate) fn new(id: Id, future: F, outlet: O) -> Self {
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
        let id = mem::replace(this.id, Id::NOBODY);
        // The observer should hear of it.
        if let Some(core) = current::current().filter(|core| core.reactor.is_observed()) {
            let told = Event::DropPending { task: id.bits() };
            core.reactor.emit(told, acts::Dropped::AT);
        }
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            act!(acts::Dropped, this.future.set(None));
        }));
        let is_empty = dropped.is_ok();
        let error = match dropped {
            Ok(()) => JoinError::cancelled(Some(id)),
            Err(payload) => JoinError::panicked(Some(id), payload),
        };
        this.outlet.finish(id, Err(error));
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
        let outcome = match catch_unwind(AssertUnwindSafe(|| act!(acts::Polled, future.poll(cx)))) {
            Ok(Poll::Pending) => return Polled::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(JoinError::panicked(Some(*this.id), payload)),
        };
        let id = mem::replace(this.id, Id::NOBODY);
        this.outlet.finish(id, outcome);
        Polled::Ready
    }

    fn clear(mut self: Pin<&mut Self>) -> bool {
        let is_empty = self.id == Id::NOBODY || self.as_mut().cancel();
        let mut this = self.project();
        // Where nothing is to be dropped, the compiler sees that nothing can panic.
        let cleared = contain(|| {
            this.future.set(None);
            this.outlet.close()
        });
        is_empty && cleared.unwrap_or(false) && mem::size_of::<Self>() <= LARGEST
    }

    fn refill(self: Pin<&mut Self>, id: Id, filling: &mut dyn Any) -> bool {
        let Some(filling) = filling.downcast_mut::<Filling<F>>() else {
            return false;
        };
        let mut this = self.project();
        filling.promise = this.outlet.renew(id);
        this.future.set(filling.future.take());
        *this.id = id;
        true
    }
}
