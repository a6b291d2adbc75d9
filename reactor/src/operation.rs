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
/// The direction is a parameter of the type, so that no poll has to look it up.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Operation<'a, T: AsFd + 'static, F, const WRITES: bool> {
    io: &'a Async<T>,
    /// Zero until it first waits.
    waiter: WaiterId,
    /// What `make` does, for whoever observes.
    call: Call,
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
    /// An operation that waits for READ. `make` may say WouldBlock when it knows that it would.
    #[inline]
    pub(crate) fn reading<R, F>(&self, call: Call, make: F) -> Operation<'_, T, F, false>
    where
        F: FnMut(&Self) -> io::Result<R> + Unpin,
    {
        Operation {
            io: self,
            waiter: 0,
            call,
            make,
        }
    }

    /// An operation that waits for WRITE.
    #[inline]
    pub(crate) fn writing<R, F>(&self, call: Call, make: F) -> Operation<'_, T, F, true>
    where
        F: FnMut(&Self) -> io::Result<R> + Unpin,
    {
        Operation {
            io: self,
            waiter: 0,
            call,
            make,
        }
    }
}

impl<T: AsFd + 'static, F, const WRITES: bool> Operation<'_, T, F, WRITES> {
    const DIRECTION: Direction = if WRITES {
        Direction::Write
    } else {
        Direction::Read
    };
}

impl<T: AsFd + 'static, R, F, const WRITES: bool> Future for Operation<'_, T, F, WRITES>
where
    F: FnMut(&Async<T>) -> io::Result<R> + Unpin,
    R: Answer,
{
    type Output = io::Result<R>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Operation {
            io,
            waiter,
            call,
            make,
        } = self.get_mut();
        io.poll_with(*call, Self::DIRECTION, waiter, cx, make, R::outcome)
    }
}

impl<T: AsFd + 'static, F, const WRITES: bool> Drop for Operation<'_, T, F, WRITES> {
    #[inline(always)]
    fn drop(&mut self) {
        self.io.forget(Self::DIRECTION, self.waiter);
    }
}
