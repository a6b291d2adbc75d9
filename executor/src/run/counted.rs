//! Counted wakers, for observed runs only: who can still be woken?
//!
//! A waker of ours is a number that nobody counts. While somebody observes, tasks are given
//! counted ones instead, so that a task that sleeps without a waker anywhere is *known* to be
//! lost, not guessed. (The future of `block_on` keeps its uncounted waker.)

use std::cell::RefCell;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::task::Waker;

use reactor::BySpread;

use crate::task::id::Id;

/// What a counted waker holds; what it does when it is called stands in `waker.rs`.
pub(crate) struct Counted(pub(crate) Id);

/// The counted wakers of one runtime, by task.
#[derive(Default)]
pub(crate) struct CountedWakers(RefCell<HashMap<Id, Watch, BySpread>>);

struct Watch {
    /// Our own share: if it is the only one, no waker is left.
    waker: Arc<Counted>,
    /// It was said that the task is lost.
    told: bool,
}

impl CountedWakers {
    /// The counted waker of a task.
    pub(crate) fn waker(&self, id: Id) -> Waker {
        let mut watched = self.0.borrow_mut();
        let watch = watched.entry(id).or_insert_with(|| Watch {
            waker: Arc::new(Counted(id)),
            told: false,
        });
        // It is about to be polled: from now on it may be lost anew.
        watch.told = false;
        Waker::from(Arc::clone(&watch.waker))
    }

    /// The tasks, by the data of their wakers.
    pub(crate) fn by_data(&self) -> HashMap<*const (), Id, BySpread> {
        let watched = self.0.borrow();
        let each = watched.iter();
        each.map(|(id, watch)| (Arc::as_ptr(&watch.waker).cast(), *id))
            .collect()
    }

    /// A task is over.
    pub(crate) fn forget(&self, id: Id) {
        self.0.borrow_mut().remove(&id);
    }

    /// Those whose last waker is gone, and of whom that was not said yet, in the order of their ids.
    pub(crate) fn take_lost(&self) -> Vec<Id> {
        let mut lost = BinaryHeap::new();
        for (id, watch) in self.0.borrow_mut().iter_mut() {
            if !watch.told && Arc::strong_count(&watch.waker) == 1 {
                watch.told = true;
                lost.push(*id);
            }
        }
        lost.into_sorted_vec()
    }

    /// Gives memory back after a burst.
    pub(crate) fn give_back(&self) {
        self.0.borrow_mut().shrink_to_fit();
    }
}
