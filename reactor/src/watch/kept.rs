//! Does a future with a deadline keep its waker? Asked only while somebody observes.
//!
//! One that returns `Pending` and keeps none looks like a slow peer: its task sleeps, the timer ends that,
//! and nothing says that nobody else could have. So it is polled with a waker of its own, which wakes the
//! task, and of which it is known how many there are.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::spread::BySpread;

/// Wakers that are over stay in the map until there are so many, or twice those that are not.
const PRUNE_FROM: usize = 64;

/// A waker that is counted.
pub(crate) struct Kept {
    /// Who is woken.
    waker: Waker,
    /// It was called since its future was polled.
    called: AtomicBool,
}

impl Wake for Kept {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.called.store(true, Ordering::Relaxed);
        self.waker.wake_by_ref();
    }
}

impl Kept {
    /// Are there as many of it as when its future keeps none, and has none been called?
    pub(crate) fn is_kept_by_nobody(self: &Arc<Self>, fewest: usize) -> bool {
        let nobody = Arc::strong_count(self) == fewest;
        // A thread calls first and gives up second: what it called is seen by whoever sees that.
        fence(Ordering::Acquire);
        nobody && !self.called.load(Ordering::Relaxed)
    }
}

/// Those of one reactor, by what a waker made of one points to.
#[derive(Default)]
pub(crate) struct KeptWakers {
    known: RefCell<HashMap<*const (), Weak<Kept>, BySpread>>,
    prune_at: Cell<usize>,
}

impl KeptWakers {
    /// The waker to poll a future with for `waker`'s task, and how many of it there are while the future
    /// keeps none. It is `of_timer`, what the waker in its timer points to, if that was made for the same task.
    pub(crate) fn of(&self, of_timer: Option<*const ()>, waker: &Waker) -> (Arc<Kept>, usize) {
        let known = of_timer.and_then(|data| self.known.borrow().get(&data)?.upgrade());
        if let Some(kept) = known.filter(|kept| kept.waker.will_wake(waker)) {
            kept.called.store(false, Ordering::Relaxed);
            // This one, the one that it is polled with, and that of the timer.
            return (kept, 3);
        }
        let kept = Arc::new(Kept {
            waker: waker.clone(),
            called: AtomicBool::new(false),
        });
        let mut known = self.known.borrow_mut();
        if known.len() >= self.prune_at.get() {
            known.retain(|_, kept| kept.strong_count() != 0);
            self.prune_at.set(PRUNE_FROM.max(2 * known.len()));
        }
        known.insert(Arc::as_ptr(&kept).cast(), Arc::downgrade(&kept));
        (kept, 2)
    }

    /// Nobody observes any more, or somebody else does.
    pub(crate) fn clear(&self) {
        self.known.take();
        self.prune_at.take();
    }

    /// The one whose waker this is, and is called in its place.
    fn known(&self, waker: &Waker) -> Option<Arc<Kept>> {
        self.known.borrow().get(&waker.data())?.upgrade()
    }

    /// Shows the waker that `waker` calls in the end.
    pub(crate) fn in_the_end<R>(&self, waker: &Waker, look: impl FnOnce(&Waker) -> R) -> R {
        let mut last = self.known(waker);
        while let Some(next) = last.as_ref().and_then(|kept| self.known(&kept.waker)) {
            last = Some(next);
        }
        look(last.as_ref().map_or(waker, |kept| &kept.waker))
    }
}
