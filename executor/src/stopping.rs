//! Graceful shutdown: asking tasks to end, giving them time, and ending them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::core::Core;
use crate::wake;

/// Was a shutdown asked for, and who waits to hear of it?
#[derive(Default)]
pub(crate) struct Stopping {
    asked: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Stopping {
    fn ask(&self) {
        self.asked.set(true);
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Waits until a shutdown of this runtime is asked for; see
/// [`Runtime::shutdown`](crate::Runtime::shutdown). A task that accepts or serves for ever waits
/// for this beside its work, and returns.
///
/// # Panics
///
/// If no runtime runs on this thread.
pub async fn stopping() {
    let core = wake::expect_current("stopping");
    let mut known: Option<Waker> = None;
    poll_fn(move |cx| {
        if core.stopping.asked.get() {
            return Poll::Ready(());
        }
        if !known
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            known = Some(cx.waker().clone());
            core.stopping.waiting.borrow_mut().push(cx.waker().clone());
        }
        Poll::Pending
    })
    .await;
}

/// How a [shutdown](crate::Runtime::shutdown) went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// Tasks that ended by themselves within the grace period.
    pub ended: usize,
    /// Tasks that were dropped, in the order in which their slots stand in the slab.
    pub dropped: usize,
}

impl Core {
    /// Asks, waits for `grace` at most, and drops what is left.
    pub(crate) fn shut_down(self: &Rc<Self>, grace: Duration) -> io::Result<Shutdown> {
        let before = self.live();
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
        self.close();
        waited.map(|()| Shutdown {
            ended: before.saturating_sub(dropped),
            dropped,
        })
    }
}
