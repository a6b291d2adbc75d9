//! Boxes of tasks that are over, for tasks of the same type: a server that spawns a task for each
//! connection asks the allocator for the first of them only.
//!
//! They are empty: a task that is over leaves nothing of the user's behind. The box that was emptied
//! last is tried first, and only that one; its memory is still in the cache.

use std::any::Any;
use std::cell::RefCell;
use std::mem;

use crate::task::Job;
use crate::waker::TaskId;

/// How many boxes are kept. A loop that meets more ends and beginnings at once meets the allocator.
const MOST: usize = 64;
/// The largest box that is kept, in bytes: at the worst, all of them are a megabyte.
const LARGEST: usize = 16 << 10;

/// Empty boxes.
#[derive(Default)]
pub(crate) struct Spare(RefCell<Vec<Job>>);

impl Spare {
    /// A box that has taken what is in `next`, a [`Next`](crate::task::Next), for the task `id`.
    #[inline(always)]
    pub(crate) fn fill(&self, id: TaskId, next: &mut dyn Any) -> Option<Job> {
        let mut job = self.0.borrow_mut().pop()?;
        if job.as_mut().refill(id, next) {
            return Some(job);
        }
        self.0.borrow_mut().push(job);
        None
    }

    /// Keeps an empty box. When there are enough, it takes the place of the one that nobody wanted
    /// last.
    #[inline]
    pub(crate) fn keep(&self, job: Job) {
        if mem::size_of_val(&*job) > LARGEST {
            return;
        }
        let mut boxes = self.0.borrow_mut();
        let replaced = if boxes.len() == MOST {
            boxes.pop()
        } else {
            None
        };
        boxes.push(job);
        drop(boxes);
        drop(replaced);
    }
}
