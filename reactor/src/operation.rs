//! One operation in flight: the future behind `read`, `write` and the rest.
//!
//! A named future and not an `async fn`: there is no state to keep but the waiter, and a poll that
//! is inlined into the task saves two calls for each transfer.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::async_fd::{Async, Waiter};
use crate::slot::Direction;

/// Calls `call` until it does not say WouldBlock, sleeping in between. Dropping it takes its waker
/// out of the slot.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Operation<'a, T: AsFd + 'static, F> {
    waiter: Waiter<'a, T>,
    call: F,
}

impl<T: AsFd + 'static> Async<T> {
    /// An operation in `direction`. `call` may say WouldBlock when it knows that it would.
    #[inline]
    pub(crate) fn operation<R, F>(&self, direction: Direction, call: F) -> Operation<'_, T, F>
    where
        F: FnMut(&Self) -> io::Result<R> + Unpin,
    {
        Operation { waiter: self.waiter(direction), call }
    }
}

impl<T: AsFd + 'static, R, F> Future for Operation<'_, T, F>
where
    F: FnMut(&Async<T>) -> io::Result<R> + Unpin,
{
    type Output = io::Result<R>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Operation { waiter, call } = self.get_mut();
        let io = waiter.io;
        waiter.poll(cx, |_| call(io))
    }
}
