//! Counted wakers, for observed runs only: who can still be woken?
//!
//! A waker of ours is a number that nobody counts. While somebody observes, tasks are given
//! counted ones instead, so that a task that sleeps without a waker anywhere is *known* to be
//! lost, not guessed. (The future of `block_on` keeps its uncounted waker.)

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Wake, Waker};

use reactor::observe::Event;

use crate::run::core::Core;
use crate::run::current;
use crate::run::waker::TaskId;

/// The counted wakers of one runtime, by task.
#[derive(Default)]
pub(crate) struct Watched(RefCell<HashMap<TaskId, Watch>>);

struct Watch {
    /// Our own share: if it is the only one, no waker is left.
    waker: Arc<Counted>,
    /// It was said that the task is lost.
    told: bool,
}

/// What a counted waker holds.
struct Counted(TaskId);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        current::wake(self.0);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        current::wake(self.0);
    }
}

impl Watched {
    /// Gives memory back after a burst.
    pub(crate) fn give_back(&self) {
        self.0.borrow_mut().shrink_to_fit();
    }
}

impl Core {
    /// The counted waker of a task.
    #[cold]
    pub(crate) fn counted_waker(&self, id: TaskId) -> Waker {
        let mut watched = self.watched.0.borrow_mut();
        let watch = watched.entry(id).or_insert_with(|| Watch {
            waker: Arc::new(Counted(id)),
            told: false,
        });
        Waker::from(Arc::clone(&watch.waker))
    }

    /// The tasks of our wakers, counted or not, to be found by a waker.
    pub(crate) fn task_finder(&self) -> impl Fn(&Waker) -> Option<TaskId> {
        let watched = self.watched.0.borrow();
        let counted: HashMap<_, _> = watched
            .iter()
            .map(|(id, watch)| (Arc::as_ptr(&watch.waker).cast::<()>(), *id))
            .collect();
        move |waker| TaskId::of(waker).or_else(|| counted.get(&waker.data()).copied())
    }

    /// A task is over.
    pub(crate) fn forget_watched(&self, id: TaskId) {
        self.watched.0.borrow_mut().remove(&id);
    }

    /// The loop is about to sleep, and nobody is queued: whose last waker is gone?
    #[cold]
    #[track_caller]
    pub(crate) fn tell_lost(&self) {
        let mut lost = Vec::new();
        for (id, watch) in self.watched.0.borrow_mut().iter_mut() {
            if !watch.told && Arc::strong_count(&watch.waker) == 1 {
                watch.told = true;
                lost.push(*id);
            }
        }
        // A thread wakes first and gives its waker up second: what it sent must be here by now.
        if lost.is_empty() || self.remote.inbox.has_mail() {
            return;
        }
        lost.sort_by_key(|id| id.bits());
        for id in lost {
            self.reactor.emit(Event::Lost { task: id.bits() });
        }
    }
}
