//! [`stopping`]: how a task hears that its runtime is to end.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::run::core::Core;
use crate::run::{current, waker};
use crate::task::foreign::drop_contained;

/// Waits until a stop of this runtime is asked for, by
/// [`Runtime::shutdown`](crate::Runtime::shutdown) or [`request_stop`](crate::request_stop). A task
/// that accepts or serves for ever waits for this beside its work, and returns;
/// [`unless_stopping`](crate::unless_stopping) is that in one.
///
/// A stop wakes every task, so who waits in one leaves no waker anywhere. Only where a combinator polls
/// with a waker of its own, as sets of futures do, that waker is kept.
///
/// Dropping the future leaves nothing behind.
///
/// # Panics
///
/// If it is awaited where no runtime runs.
pub fn stopping() -> AwaitStop {
    AwaitStop {
        seat: ManuallyDrop::new(None),
    }
}

/// Waits until a shutdown is asked for; made by [`stopping`].
#[must_use = "futures do nothing unless awaited"]
pub struct AwaitStop {
    /// Nearly always none: so the destructor is one test, and the rest of it is out of the way.
    seat: ManuallyDrop<Option<Box<Seat>>>,
}

impl Drop for AwaitStop {
    #[inline]
    fn drop(&mut self) {
        if self.seat.is_some() {
            leave(&mut self.seat);
        }
    }
}

#[cold]
#[inline(never)]
fn leave(seat: &mut Option<Box<Seat>>) {
    *seat = None;
}

/// A seat among those who wait. Dropping it vacates it, because `stopping()` is made and dropped
/// again and again beside other work.
struct Seat {
    core: Rc<Core>,
    /// Zero until it waits.
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop_contained(self.core.stop.leave(self.number));
    }
}

impl Future for AwaitStop {
    type Output = ();

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A task of ours, and no stop yet: it is woken with all the others.
        match waker::id(cx.waker()) {
            Some(id) if current::is_unasked(id.runtime()) => Poll::Pending,
            _ => self.poll_slowly(cx),
        }
    }
}

impl AwaitStop {
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn poll_slowly(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let seat = match &mut *self.seat {
            Some(seat) => seat,
            none => {
                let core = current::expect_current("stopping");
                none.insert(Box::new(Seat { core, number: 0 }))
            }
        };
        let Seat { core, number } = &mut **seat;
        if core.stop.is_asked() {
            ready!(current::poll_budget(cx));
            return Poll::Ready(());
        }
        drop(core.stop.wait(number, cx.waker().clone()));
        Poll::Pending
    }
}

impl fmt::Debug for AwaitStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitStop")
    }
}
