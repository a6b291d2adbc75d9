//! Counted wakers, for observed runs only: who can still be woken?
//!
//! A waker of ours is a number that nobody counts. While somebody observes, tasks are given
//! counted ones instead, so that a task that sleeps without a waker anywhere is *known* to be
//! lost, not guessed. (The future of `block_on` keeps its uncounted waker.)

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;

use reactor::BySpread;

use crate::task::id::Id;

/// What a counted waker holds; what it does when it is called stands in `waker.rs`.
pub(crate) struct Counted(pub(crate) Id);

/// The counted wakers of one runtime, by slot: while somebody observes, every task that is polled has one.
#[derive(Default)]
pub(crate) struct CountedWakers(RefCell<Vec<Option<Watch>>>);

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
        let slot = id.slot() as usize;
        while watched.len() <= slot {
            watched.push(None);
        }
        // One who was there before may have ended unobserved.
        let known = watched[slot].take().filter(|watch| watch.waker.0 == id);
        let waker = known.map_or_else(|| Arc::new(Counted(id)), |watch| watch.waker);
        let given = Waker::from(Arc::clone(&waker));
        // It is about to be polled: from now on it may be lost anew.
        let told = false;
        watched[slot] = Some(Watch { waker, told });
        given
    }

    /// The tasks, by the data of their wakers.
    pub(crate) fn by_data(&self) -> HashMap<*const (), Id, BySpread> {
        let watched = self.0.borrow();
        let each = watched.iter().flatten();
        each.map(|watch| (Arc::as_ptr(&watch.waker).cast(), watch.waker.0))
            .collect()
    }

    /// A task is over.
    pub(crate) fn forget(&self, id: Id) {
        if let Some(watch) = self.0.borrow_mut().get_mut(id.slot() as usize) {
            *watch = None;
        }
    }

    /// Those whose last waker is gone, and of whom that was not said yet, in the order of their slots.
    pub(crate) fn take_lost(&self) -> Vec<Id> {
        let mut lost = Vec::new();
        for watch in self.0.borrow_mut().iter_mut().flatten() {
            if !watch.told && Arc::strong_count(&watch.waker) == 1 {
                watch.told = true;
                lost.push(watch.waker.0);
            }
        }
        lost
    }

    /// Gives memory back after a burst.
    pub(crate) fn give_back(&self) {
        let mut watched = self.0.borrow_mut();
        while let Some(None) = watched.last() {
            watched.pop();
        }
        watched.shrink_to_fit();
    }
}
