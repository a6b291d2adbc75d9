//! One operation in flight: the future behind `read`, `write` and the rest.
//!
//! This is the hot path. A named future and not an `async fn`: there is no state to keep but the
//! waiter, and a poll that is inlined into the task saves two calls for each transfer.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::async_fd::Async;
use crate::call::Call;
use crate::observe::Outcome;
use crate::slot::{Direction, Slot, WaiterId};

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

/// What an operation ends with.
pub(crate) trait Answer {
    /// What the caller gets.
    type Output;

    /// As an observer is told.
    fn outcome(&self) -> Outcome;

    /// Notes in the slot what the answer says about the next call.
    fn settle(self, slot: &Slot, direction: Direction) -> Self::Output;
}

/// Bytes moved, out of as many as were asked for.
pub(crate) struct Moved {
    pub(crate) bytes: usize,
    pub(crate) asked: usize,
}

impl Answer for Moved {
    type Output = usize;

    fn outcome(&self) -> Outcome {
        Outcome::Returned(self.bytes)
    }

    #[inline]
    fn settle(self, slot: &Slot, direction: Direction) -> usize {
        // Fewer than asked, but not none: that is the end of the stream. In one comparison,
        // because none wraps round to more than can be asked for.
        if self.bytes.wrapping_sub(1) < self.asked.wrapping_sub(1) {
            slot.came_up_short(direction);
        }
        self.bytes
    }
}

/// All of them.
impl Answer for () {
    type Output = ();

    fn outcome(&self) -> Outcome {
        Outcome::Done
    }

    #[inline]
    fn settle(self, _slot: &Slot, _direction: Direction) {}
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
    type Output = io::Result<R::Output>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = this.attempt(cx);
        if polled.is_ready() {
            // It waits no more, so its destructor, which runs next, has nothing to look up.
            this.waiter = 0;
        }
        polled
    }
}

impl<T: AsFd + 'static, R, F, const CALL: u8> Operation<'_, T, F, CALL>
where
    F: FnMut(&Async<T>) -> io::Result<R> + Unpin,
    R: Answer,
{
    /// What nearly always happens, in one straight line: either the call succeeds, or the waker is
    /// stored and that is all. Everything else is [`poll_slowly`](Self::poll_slowly), which knows
    /// it all.
    #[inline(always)]
    fn attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<R::Output>> {
        let io = self.io;
        if !io.slot.may_be_ready(Self::DIRECTION) {
            if io.may_wait_alone() {
                // A new name each time is cheaper than to look whether it has one.
                self.waiter = io.reactor.next_waiter();
                io.slot.wait_alone(Self::DIRECTION, self.waiter, cx.waker());
                return Poll::Pending;
            }
            // By level there may be something to arm. `Ready` is an error, or a source that is
            // always ready.
            ready!(io.wait(Self::DIRECTION, &mut self.waiter, cx))?;
        } else if io.reactor.attention.spend() {
            match (self.make)(io) {
                Ok(answer) => return Poll::Ready(Ok(answer.settle(&io.slot, Self::DIRECTION))),
                Err(error) => {
                    if let Some(error) = io.refused(Self::DIRECTION, error) {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
        self.poll_slowly(cx)
    }

    #[cold]
    #[inline(never)]
    fn poll_slowly(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<R::Output>> {
        let Operation { io, waiter, make } = self;
        let answer =
            ready!(io.poll_with(Self::CALL, Self::DIRECTION, waiter, cx, make, R::outcome))?;
        Poll::Ready(Ok(answer.settle(&io.slot, Self::DIRECTION)))
    }
}

impl<T: AsFd + 'static, F, const CALL: u8> Drop for Operation<'_, T, F, CALL> {
    #[inline(always)]
    fn drop(&mut self) {
        self.io.forget(Self::DIRECTION, self.waiter);
    }
}
