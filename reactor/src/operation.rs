//! One operation in flight: the future behind `read`, `write` and the rest.
//!
//! A named future and not an `async fn`: there is no state to keep but the waiter, and a poll that
//! is inlined into the task saves two calls for each transfer.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::async_fd::Async;
use crate::call::Call;
use crate::observe::Outcome;
use crate::slot::{Direction, WaiterId};

/// Calls `make` until it does not say WouldBlock, sleeping in between. Dropping it takes its waker
/// out of the slot.
///
/// Which call it is, and so in which direction it waits, is a parameter of the type: no poll has
/// to look it up.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Operation<'a, T: AsFd + 'static, F, const CALL: u8> {
    io: &'a Async<T>,
    /// Zero until it first waits.
    waiter: WaiterId,
    make: F,
}

/// What an operation ends with, as an observer is told.
pub(crate) trait Answer {
    fn outcome(&self) -> Outcome;
}

/// Bytes moved.
impl Answer for usize {
    fn outcome(&self) -> Outcome {
        Outcome::Returned(*self)
    }
}

/// All of them.
impl Answer for () {
    fn outcome(&self) -> Outcome {
        Outcome::Done
    }
}

impl<T: AsFd + 'static> Async<T> {
    /// A recv(2), or its like. `make` may say WouldBlock when it knows that it would.
    #[inline]
    pub(crate) fn receiving<R, F>(&self, make: F) -> Operation<'_, T, F, { Call::Recv as u8 }>
    where
        F: FnMut(&Self) -> io::Result<R> + Unpin,
    {
        Operation {
            io: self,
            waiter: 0,
            make,
        }
    }

    /// A send(2), or its like.
    #[inline]
    pub(crate) fn sending<R, F>(&self, make: F) -> Operation<'_, T, F, { Call::Send as u8 }>
    where
        F: FnMut(&Self) -> io::Result<R> + Unpin,
    {
        Operation {
            io: self,
            waiter: 0,
            make,
        }
    }
}

impl<T: AsFd + 'static, F, const CALL: u8> Operation<'_, T, F, CALL> {
    const CALL: Call = if CALL == Call::Send as u8 {
        Call::Send
    } else {
        Call::Recv
    };
    const DIRECTION: Direction = match Self::CALL {
        Call::Send => Direction::Write,
        _ => Direction::Read,
    };
}

impl<T: AsFd + 'static, R, F, const CALL: u8> Future for Operation<'_, T, F, CALL>
where
    F: FnMut(&Async<T>) -> io::Result<R> + Unpin,
    R: Answer,
{
    type Output = io::Result<R>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Operation { io, waiter, make } = self.get_mut();
        io.poll_with(Self::CALL, Self::DIRECTION, waiter, cx, make, R::outcome)
    }
}

impl<T: AsFd + 'static, F, const CALL: u8> Drop for Operation<'_, T, F, CALL> {
    #[inline(always)]
    fn drop(&mut self) {
        self.io.forget(Self::DIRECTION, self.waiter);
    }
}
