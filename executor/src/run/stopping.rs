//! Graceful shutdown: asking tasks to end, giving them time, and ending them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use crate::run::core::Core;
use crate::run::current;
use crate::task::foreign::drop_contained;

/// Was a shutdown asked for, and who waits to hear of it?
#[derive(Default)]
pub(crate) struct Stopping {
    asked: Cell<bool>,
    /// By the number of the `stopping()` that waits.
    waiting: RefCell<BTreeMap<u64, Waker>>,
    /// The next such number.
    next: Cell<u64>,
}

/// A place among those who wait; dropping it vacates it, because `stopping()` is made and dropped
/// again and again beside other work.
struct Place {
    core: Rc<Core>,
    number: u64,
}

impl Place {
    fn new(core: Rc<Core>) -> Self {
        let next = &core.stopping.next;
        let number = next.replace(next.get() + 1);
        Place { core, number }
    }

    fn wait(&self, waker: Waker) {
        let mut waiting = self.core.stopping.waiting.borrow_mut();
        let replaced = waiting.insert(self.number, waker);
        drop(waiting);
        drop(replaced);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let waker = self.core.stopping.waiting.borrow_mut().remove(&self.number);
        drop_contained(waker);
    }
}

impl Stopping {
    /// As if that many had waited.
    #[cfg(test)]
    pub(crate) fn begin_at(&self, number: u64) {
        self.next.set(number);
    }

    fn ask(&self) {
        self.asked.set(true);
        let waiting = self.waiting.take();
        waiting.into_values().for_each(current::wake_contained);
    }
}

/// Waits until a shutdown of this runtime is asked for; see
/// [`Runtime::shutdown`](crate::Runtime::shutdown). A task that accepts or serves for ever waits
/// for this beside its work, and returns.
///
/// Dropping the future leaves nothing behind.
///
/// # Panics
///
/// If it is awaited where no runtime runs.
pub fn stopping() -> AwaitStop {
    AwaitStop(None)
}

/// Waits until a shutdown is asked for; made by [`stopping`].
#[must_use = "futures do nothing unless awaited"]
pub struct AwaitStop(Option<Place>);

impl Future for AwaitStop {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let place = match &mut self.0 {
            Some(place) => place,
            none => none.insert(Place::new(current::expect_current("stopping"))),
        };
        if place.core.stopping.asked.get() {
            ready!(current::poll_budget(cx));
            return Poll::Ready(());
        }
        place.wait(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for AwaitStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitStop")
    }
}

/// How a [shutdown](crate::Runtime::shutdown) went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// Tasks that ended by themselves within the grace period, those included that were spawned
    /// in it.
    pub ended: usize,
    /// Tasks that were dropped, in the order in which their slots stand in the slab.
    pub dropped: usize,
}

impl Core {
    /// Asks, waits for `grace` at most, and drops what is left.
    pub(crate) fn shut_down(self: &Rc<Self>, grace: Duration) -> io::Result<Shutdown> {
        let spawned = || self.scheduler.borrow().spawned();
        let before = self.live() as u64;
        let spawned_before = spawned();
        self.stopping.ask();
        let deadline = self.reactor.now().checked_add(grace);
        let mut waited = Ok(());
        while waited.is_ok() && self.live() != 0 {
            let _: Poll<()> = self.poll_tasks(|| Poll::Pending);
            let left = deadline.map(|at| at.saturating_duration_since(self.reactor.now()));
            if self.live() == 0 || left == Some(Duration::ZERO) {
                break;
            }
            waited = self.turn(left).map(drop);
        }
        let dropped = self.live();
        let all = before + (spawned() - spawned_before);
        self.close();
        waited.map(|()| Shutdown {
            ended: all as usize - dropped,
            dropped,
        })
    }
}
