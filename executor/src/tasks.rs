//! The slab of tasks: the futures, by slot.
//!
//! It is borrowed for a whole round of polls, so a poll costs no more than finding its place. What
//! is spawned during the round arrives in a list beside it, and moves in between two polls.

use std::cell::{Cell, RefCell, RefMut};
use std::future::Future;
use std::mem;
use std::pin::Pin;

use crate::waker::TaskId;

/// A spawned future with its header; see [`Task`](crate::task::Task).
pub(crate) type Job = Pin<Box<dyn Future<Output = ()>>>;

/// The futures of one runtime.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Indexed by slot; place 0 stays vacant.
    slab: RefCell<Vec<Option<Job>>>,
    /// Spawned, and not in the slab yet.
    arrivals: RefCell<Vec<(TaskId, Job)>>,
    /// Is there anything in `arrivals`?
    arrived: Cell<bool>,
}

impl Tasks {
    /// Takes a task in; possible at any time.
    pub(crate) fn insert(&self, id: TaskId, job: Job) {
        self.arrivals.borrow_mut().push((id, job));
        self.arrived.set(true);
    }

    /// Borrows the slab for polling. Only the run loop does, and it does not call itself.
    pub(crate) fn open(&self) -> Open<'_> {
        Open {
            tasks: self,
            slab: self.slab.borrow_mut(),
        }
    }

    /// Takes all tasks out, in the order of their slots.
    pub(crate) fn take_all(&self) -> Vec<Option<Job>> {
        let mut open = self.open();
        open.settle();
        mem::take(&mut *open.slab)
    }
}

/// The slab, borrowed.
pub(crate) struct Open<'a> {
    tasks: &'a Tasks,
    slab: RefMut<'a, Vec<Option<Job>>>,
}

impl Open<'_> {
    /// The place of a slot; it is vacant if the task is gone.
    #[inline]
    pub(crate) fn place(&mut self, slot: u32) -> Option<&mut Option<Job>> {
        if self.tasks.arrived.get() {
            self.settle();
        }
        self.slab.get_mut(slot as usize)
    }

    fn settle(&mut self) {
        self.tasks.arrived.set(false);
        for (id, job) in self.tasks.arrivals.borrow_mut().drain(..) {
            let slot = id.slot() as usize;
            if slot >= self.slab.len() {
                self.slab.resize_with(slot + 1, || None);
            }
            self.slab[slot] = Some(job);
        }
    }
}
