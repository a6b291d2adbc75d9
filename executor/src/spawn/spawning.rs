//! How a task comes in, and what is done with what is left of it.

use std::any::Any;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use crate::ready::marks::NO_TASK;
use crate::run::core::Core;
use crate::run::waker::TaskId;
use crate::spawn::join::{Delivery, JoinHandle};
use crate::spawn::task::{Job, Next, Outlet, Task};
use crate::task::foreign::drop_contained;

impl Core {
    /// Takes a future in; it is first polled by the run loop, not here.
    #[inline]
    pub(crate) fn spawn<F>(
        &self,
        future: F,
        from: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
    {
        let mut next = Next {
            future: Some(future),
            shared: None,
        };
        let id = self.admit_with_spare(from, &mut next);
        let shared = next.shared.unwrap_or_else(|| {
            let future = next.future.expect("only a box that fits has taken it");
            let shared = Rc::default();
            self.put(id, Box::pin(Task::new(id, future, Delivery::new(&shared))));
            shared
        });
        JoinHandle::new(id, shared)
    }

    /// The same, with the result going to any outlet.
    pub(crate) fn insert<F, O>(
        &self,
        future: F,
        outlet: O,
        from: &'static Location<'static>,
    ) -> TaskId
    where
        F: Future + 'static,
        O: Outlet<F::Output> + 'static,
    {
        let id = self.admit(from);
        self.put(id, Box::pin(Task::new(id, future, outlet)));
        id
    }

    /// The id of a new task, which is woken, and is there already if a box was good for it. All that
    /// does not depend on the type of the future is here, behind one call.
    #[inline(never)]
    fn admit_with_spare(&self, from: &'static Location<'static>, next: &mut dyn Any) -> TaskId {
        let id = self.admit(from);
        if let Some(job) = self.spare.fill(id, next) {
            self.put(id, job);
        }
        id
    }

    /// The id of a new task, which is woken. In the slot of none, if it is too late for a new one.
    #[inline(always)]
    fn admit(&self, from: &'static Location<'static>) -> TaskId {
        if self.is_closed() {
            return TaskId::new(self.number, NO_TASK, 0);
        }
        let id = self.scheduler.borrow_mut().new_task(from);
        if self.reactor.is_observed() {
            self.observe_spawn(id, from);
        }
        id
    }

    /// Takes the task in. If it is too late, it ends before it begins, as its outlet will say.
    #[inline(always)]
    fn put(&self, id: TaskId, job: Job) {
        if id.slot() != NO_TASK {
            self.tasks.insert(id, job);
        } else {
            drop_contained(job);
        }
    }

    /// Drops what a task that is over, or aborted, has left, and keeps its box if it is good for
    /// another one.
    #[inline]
    pub(crate) fn retire(&self, mut job: Job) {
        if job.as_mut().clear() {
            self.spare.keep(job);
        } else {
            drop_contained(job);
        }
    }
}
