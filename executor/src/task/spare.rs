//! Boxes of tasks that are over, for tasks of the same type: a server that spawns a task for each
//! connection asks the allocator for the first of them only.
//!
//! They are empty: a task that is over leaves nothing of the user's behind. The box that was emptied
//! last is tried first, and only that one; its memory is still in the cache.

use std::any::Any;
use std::cell::{Cell, RefCell};

use crate::task::id::Id;
use crate::task::job::Job;

/// How many boxes are kept. A loop that meets more ends and beginnings at once meets the allocator.
const MOST: usize = 32;
/// The largest box that is kept, in bytes: at the worst, all of them are half a megabyte.
pub(crate) const LARGEST: usize = 16 << 10;

/// Empty boxes.
#[derive(Default)]
pub(crate) struct Spare {
    /// The one that was emptied last: apart, because it is nearly always the one that is wanted.
    last: Cell<Option<Job>>,
    /// Those before it.
    others: RefCell<Vec<Job>>,
}

impl Spare {
    /// A box that has taken what is in `filling`, a [`Filling`](crate::spawning::task::Filling), for the task `id`.
    #[inline(always)]
    pub(crate) fn fill(&self, id: Id, filling: &mut dyn Any) -> Option<Job> {
        let mut job = match self.last.take() {
            Some(job) => job,
            None => self.take_other()?,
        };
        if job.as_mut().refill(id, filling) {
            return Some(job);
        }
        self.last.set(Some(job));
        None
    }

    #[inline(never)]
    fn take_other(&self) -> Option<Job> {
        self.others.borrow_mut().pop()
    }

    /// Keeps an empty box, which is not larger than [`LARGEST`].
    #[inline]
    pub(crate) fn keep(&self, job: Job) {
        if let Some(before) = self.last.replace(Some(job)) {
            self.keep_other(before);
        }
    }

    /// When there are enough, it takes the place of the one that nobody wanted last.
    #[inline(never)]
    fn keep_other(&self, job: Job) {
        let mut others = self.others.borrow_mut();
        let replaced = if others.len() == MOST - 1 {
            others.pop()
        } else {
            None
        };
        others.push(job);
        drop(others);
        drop(replaced);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, pending};
    use std::ptr;

    use super::{LARGEST, MOST, Spare};
    use crate::spawning::outlet::Delivery;
    use crate::spawning::task::{Filling, Task};
    use crate::task::id::Id;
    use crate::task::job::Job;

    impl Spare {
        fn is_empty(&self) -> bool {
            let last = self.last.take();
            let is_empty = last.is_none() && self.others.borrow().is_empty();
            self.last.set(last);
            is_empty
        }
    }

    /// An empty box for futures of that type.
    fn empty<F: Future + 'static>(future: F) -> Job {
        let mut job = full(future);
        assert!(job.as_mut().clear(), "it is good for another one");
        job
    }

    fn full<F: Future + 'static>(future: F) -> Job {
        let (outlet, _) = Delivery::new(Id::NOBODY);
        Box::pin(Task::new(Id::NOBODY, future, outlet))
    }

    fn bytes<const SIZE: usize>() -> impl Future<Output = ()> {
        let bytes = [0_u8; SIZE];
        async move {
            pending::<()>().await;
            std::hint::black_box(bytes);
        }
    }

    #[test]
    fn a_box_of_the_same_type_is_used_again() {
        let spare = Spare::default();
        let job = empty(bytes::<8>());
        let place = ptr::from_ref(&*job).cast::<()>();
        spare.keep(job);
        let mut other = Filling::new(bytes::<9>());
        assert!(spare.fill(Id::new(0, 1, 0), &mut other).is_none());
        assert!(other.future.is_some(), "and keeps its future");
        let mut same = Filling::new(bytes::<8>());
        let job = spare.fill(Id::new(0, 1, 0), &mut same).unwrap();
        assert_eq!(ptr::from_ref(&*job).cast::<()>(), place);
        assert!(same.future.is_none() && same.promise.is_some());
        assert!(spare.is_empty());
    }

    #[test]
    fn few_boxes_are_kept_and_none_that_is_large() {
        let spare = Spare::default();
        assert!(!full(bytes::<LARGEST>()).as_mut().clear());
        for _ in 0..2 * MOST {
            spare.keep(empty(bytes::<8>()));
        }
        assert_eq!(spare.others.borrow().len(), MOST - 1);
        // The newest is on top, even where all are there.
        spare.keep(empty(bytes::<9>()));
        assert_eq!(spare.others.borrow().len(), MOST - 1);
        let mut last = Filling::new(bytes::<9>());
        assert!(spare.fill(Id::new(0, 1, 0), &mut last).is_some());
    }
}
