//! How a task comes in.

use std::any::Any;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use reactor::observe::Event;

use selectors_core::act;

use crate::ready::marks::NO_TASK;
use crate::run::core::Core;
use crate::spawning::join::JoinHandle;
use crate::spawning::outlet::{Delivery, Outlet};
use crate::spawning::task::{Filling, Task};
use crate::task::acts::{self, Act};
use crate::task::foreign::drop_contained;
use crate::task::id::Id;
use crate::task::job::Job;

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
        let mut filling = Filling {
            future: Some(future),
            promise: None,
        };
        let id = self.admit_with_spare(from, &mut filling);
        let promise = filling.promise.unwrap_or_else(|| {
            let future = filling.future.expect("only a box that fits has taken it");
            let promise = Rc::default();
            self.put(id, Box::pin(Task::new(id, future, Delivery::new(&promise))));
            promise
        });
        JoinHandle::new(id, promise)
    }

    /// The same, with the result going to any outlet.
    pub(crate) fn insert<F, O>(&self, future: F, outlet: O, from: &'static Location<'static>) -> Id
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
    fn admit_with_spare(&self, from: &'static Location<'static>, filling: &mut dyn Any) -> Id {
        let id = self.admit(from);
        if let Some(job) = self.spare.fill(id, filling) {
            self.put(id, job);
        }
        id
    }

    /// The id of a new task, which is woken. In the slot of none, if it is too late for a new one.
    #[inline(always)]
    fn admit(&self, from: &'static Location<'static>) -> Id {
        if self.is_closed() {
            return Id::new(self.number, NO_TASK, 0);
        }
        let id = act!(acts::Spawned, self.scheduler.borrow_mut().new_task(from));
        if self.reactor.is_observed() {
            self.tell_spawn(id, from);
        }
        id
    }

    #[cold]
    fn tell_spawn(&self, id: Id, from: &'static Location<'static>) {
        let task = id.bits();
        let told = Event::Spawn { task, from };
        self.reactor.emit(told, acts::Spawned::AT);
        let queued = self.scheduler.borrow().queued();
        let told = Event::Enqueue { task, queued };
        self.reactor.emit(told, acts::PushedNew::AT);
    }

    /// Gives a task its name, for traces and dumps.
    pub(crate) fn name(&self, id: Id, name: Rc<str>) {
        if self.reactor.is_observed() {
            let task = id.bits();
            self.reactor
                .emit(Event::Named { task, name: &name }, acts::Named::AT);
        }
        act!(acts::Named, self.scheduler.borrow_mut().name(id, name));
    }

    /// Takes the task in. If it is too late, it ends before it begins, as its outlet will say.
    #[inline(always)]
    fn put(&self, id: Id, job: Job) {
        if id.slot() != NO_TASK {
            self.slab.insert(id, job);
        } else {
            drop_contained(job);
        }
    }
}
