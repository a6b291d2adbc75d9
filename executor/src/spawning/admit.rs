//! How a task comes in.

use std::any::Any;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use reactor::observe::Event;

use selectors_core::act;

use crate::ready::marks::NO_TASK;
use crate::run::core::Core;
use crate::run::current;
use crate::spawning::join::JoinHandle;
use crate::spawning::outlet::{Delivery, Outlet};
use crate::spawning::task::{Filling, Task};
use crate::task::acts::{self, Act};
use crate::task::foreign::drop_contained;
use crate::task::id::Id;
use crate::task::job::Job;

impl Core {
    /// Takes a future in; it is first polled by the run loop, not here.
    pub(crate) fn spawn<F: Future + 'static>(
        &self,
        future: F,
        from: &'static Location<'static>,
    ) -> JoinHandle<F::Output> {
        let mut filling = Filling::new(future);
        let id = self.admit_outside(from, &mut filling);
        match filling.promise {
            Some(promise) => JoinHandle::new(promise),
            None => self.put_new(id, filling),
        }
    }

    /// A task that no box was good for.
    #[cold]
    #[inline(never)]
    fn put_new<F: Future + 'static>(&self, id: Id, filling: Filling<F>) -> JoinHandle<F::Output> {
        let future = filling.future.expect("only a box that fits has taken it");
        let (delivery, promise) = Delivery::new(id);
        self.put(id, Box::pin(Task::new(id, future, delivery)));
        JoinHandle::new(promise)
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
    fn admit_outside(&self, from: &'static Location<'static>, filling: &mut dyn Any) -> Id {
        self.admit_with_spare(from, filling)
    }

    #[inline(always)]
    pub(crate) fn admit_with_spare(
        &self,
        from: &'static Location<'static>,
        filling: &mut dyn Any,
    ) -> Id {
        if self.is_closed() {
            return self.too_late();
        }
        let id = self.admit_open(from);
        if let Some(job) = self.spare.fill(id, filling) {
            self.slab.insert(id, job);
        }
        id
    }

    /// The id of a new task, which is woken. In the slot of none, if it is too late for a new one.
    fn admit(&self, from: &'static Location<'static>) -> Id {
        if self.is_closed() {
            return self.too_late();
        }
        self.admit_open(from)
    }

    #[cold]
    fn too_late(&self) -> Id {
        Id::new(self.number, NO_TASK, 0)
    }

    #[inline(always)]
    fn admit_open(&self, from: &'static Location<'static>) -> Id {
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
    fn put(&self, id: Id, job: Job) {
        if id.slot() != NO_TASK {
            self.slab.insert(id, job);
        } else {
            drop_contained(job);
        }
    }
}

/// As [`Core::spawn`], on the runtime of this thread.
#[inline]
#[track_caller]
pub(crate) fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output> {
    let mut filling = Filling::new(future);
    let id = current::admit(&mut filling);
    match filling.promise {
        Some(promise) => JoinHandle::new(promise),
        None => current::expect_current("spawn").put_new(id, filling),
    }
}
