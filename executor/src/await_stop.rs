//! [`stopping`]: how a task hears that its runtime is to end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::run::core::Core;
use crate::run::current;
use crate::task::foreign::drop_contained;

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
pub struct AwaitStop(Option<Seat>);

/// A seat among those who wait. Dropping it vacates it, because `stopping()` is made and dropped
/// again and again beside other work.
struct Seat {
    core: Rc<Core>,
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop_contained(self.core.stop.leave(self.number));
    }
}

impl Future for AwaitStop {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let seat = match &mut self.0 {
            Some(seat) => seat,
            none => {
                let core = current::expect_current("stopping");
                let number = core.stop.seat();
                none.insert(Seat { core, number })
            }
        };
        let stop = &seat.core.stop;
        if stop.is_asked() {
            ready!(current::poll_budget(cx));
            return Poll::Ready(());
        }
        drop(stop.wait(seat.number, cx.waker().clone()));
        Poll::Pending
    }
}

impl fmt::Debug for AwaitStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitStop")
    }
}
