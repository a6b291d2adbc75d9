//! One operation in flight: the future behind `read`, `write` and the rest.
//!
//! This is the hot path. A named future and not an `async fn`: there is no state to keep but the
//! waiter, and a poll that is inlined into the task saves two calls for each transfer.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::fd::async_fd::Async;
use crate::heart::queue::WaiterId;
use crate::heart::slot::Slot;
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::Outcome;

/// Makes a transfer until it does not say WouldBlock, sleeping in between. Dropping it takes its waker
/// out of the slot.
///
/// Which call it is, and so in which direction it waits, is a parameter of the type: no poll has
/// to look it up.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Operation<'a, T: AsFd + 'static, M, const CALL: u8> {
    io: &'a Async<T>,
    /// Zero until it first waits.
    waiter: WaiterId,
    transfer: M,
}

/// The system call of an operation, and what it moves.
pub(crate) trait Transfer<T: AsFd + 'static>: Unpin {
    /// What it ends with.
    type Answer: Answer;

    /// Makes the call. It may say WouldBlock without it, when it knows that it would.
    fn make(&mut self, io: &Async<T>) -> io::Result<Self::Answer>;

    /// The answer to a transfer of no bytes, which is done at once; `None` for all others.
    fn nothing(&self) -> Option<Self::Answer>;
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

impl Moved {
    pub(crate) const NOTHING: Moved = Moved { bytes: 0, asked: 0 };
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
    /// A recv(2), or its like.
    #[inline]
    pub(crate) fn receiving<M>(&self, transfer: M) -> Operation<'_, T, M, { Call::Recv as u8 }>
    where
        M: Transfer<T>,
    {
        Operation {
            io: self,
            waiter: 0,
            transfer,
        }
    }

    /// A send(2), or its like.
    #[inline]
    pub(crate) fn sending<M>(&self, transfer: M) -> Operation<'_, T, M, { Call::Send as u8 }>
    where
        M: Transfer<T>,
    {
        Operation {
            io: self,
            waiter: 0,
            transfer,
        }
    }
}

impl<T: AsFd + 'static, M, const CALL: u8> Operation<'_, T, M, CALL> {
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

impl<T, M, const CALL: u8> Future for Operation<'_, T, M, CALL>
where
    T: AsFd + 'static,
    M: Transfer<T>,
{
    type Output = io::Result<<M::Answer as Answer>::Output>;

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

impl<T, M, const CALL: u8> Operation<'_, T, M, CALL>
where
    T: AsFd + 'static,
    M: Transfer<T>,
{
    /// What nearly always happens, in one straight line: either the call succeeds, or the waker is
    /// stored and that is all. Everything else is [`poll_slowly`](Self::poll_slowly), which knows
    /// it all.
    #[inline(always)]
    fn attempt(&mut self, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let io = self.io;
        if !io.slot.may_be_ready(Self::DIRECTION) {
            if self.transfer.nothing().is_some() {
                return self.poll_slowly(cx);
            }
            // Before the slot is looked at, because it is not our code.
            let waker = cx.waker().clone();
            if io.may_wait_alone(Self::DIRECTION) {
                // A new name each time is cheaper than to look whether it has one.
                self.waiter = io.reactor.next_waiter();
                io.slot.wait_alone(Self::DIRECTION, self.waiter, waker);
                return Poll::Pending;
            }
            // By level there may be something to arm. `Ready` is an error, or another try is due.
            ready!(io.wait(Self::DIRECTION, &mut self.waiter, waker, Self::CALL.into()))?;
        } else if io.reactor.attention.spend() {
            match self.transfer.make(io) {
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
    fn poll_slowly(&mut self, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let Operation {
            io,
            waiter,
            transfer,
        } = self;
        let answer = if let Some(nothing) = transfer.nothing() {
            ready!(io.reactor.attention.poll_spend(cx));
            nothing
        } else {
            let make = |io: &Async<T>| transfer.make(io);
            let (call, direction) = (Self::CALL, Self::DIRECTION);
            ready!(io.poll_with(call, direction, waiter, cx, make, M::Answer::outcome))?
        };
        Poll::Ready(Ok(answer.settle(&io.slot, Self::DIRECTION)))
    }
}

impl<T: AsFd + 'static, M, const CALL: u8> Drop for Operation<'_, T, M, CALL> {
    #[inline(always)]
    fn drop(&mut self) {
        self.io.forget(Self::DIRECTION, self.waiter);
    }
}
