//! An operation waits: the future behind `read`, `write` and the rest, and all that becomes of it.
//!
//! Try the call; if it would block, store the waker, arm the key, return `Pending`. There is one loop,
//! [`poll_with`](Async::poll_with), which knows every case. [`attempt`](Operation::attempt) is its first
//! round as a straight line, for what nearly always happens: the hot path, inlined into the task.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use selectors_core::os::{AsFd, BorrowedFd};
use selectors_core::{Events, poll_now};

use crate::fd::async_fd::Async;
use crate::fd::plain::Plain;
use crate::fd::transfer::{Reply, Transfer};
use crate::heart::crowd::{Use, WaiterId};
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::Outcome;
use crate::watch::made::MadeAt;

/// Makes a transfer until it does not say WouldBlock, sleeping in between. Dropping it takes its waker
/// out of the slot.
///
/// Which call it is, and so in which direction it waits, is a parameter of the type: no poll has
/// to look it up.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Operation<'a, T: AsFd + 'static, M, const CALL: u8> {
    pub(super) io: &'a Async<T>,
    /// Zero until it first waits.
    waiter: WaiterId,
    pub(super) made_at: MadeAt,
    transfer: M,
}

impl<T: AsFd + 'static> Async<T> {
    /// A recv(2), or its like.
    #[inline]
    #[track_caller]
    pub(crate) fn receiving<M>(&self, transfer: M) -> Operation<'_, T, M, { Call::Recv as u8 }>
    where
        M: Transfer<T>,
    {
        Operation {
            io: self,
            waiter: 0,
            made_at: MadeAt::here(),
            transfer,
        }
    }

    /// A send(2), or its like.
    #[inline]
    #[track_caller]
    pub(crate) fn sending<M>(&self, transfer: M) -> Operation<'_, T, M, { Call::Send as u8 }>
    where
        M: Transfer<T>,
    {
        Operation {
            io: self,
            waiter: 0,
            made_at: MadeAt::here(),
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
    type Output = io::Result<<M::Reply as Reply>::Output>;

    #[inline(always)]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = this.attempt::<true>(cx);
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
    ///
    /// `ALONE` is false inside of another await of ours, which looks itself whether anybody drives the
    /// reactor.
    #[inline(always)]
    #[track_caller]
    fn attempt<const ALONE: bool>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<<Self as Future>::Output> {
        let io = self.io;
        if !io.slot.may_be_ready(Self::DIRECTION) {
            if self.transfer.nothing().is_some() {
                return self.poll_slowly::<ALONE>(cx);
            }
            if !io.reactor.is_calm() {
                return self.poll_told::<ALONE>(cx);
            }
            // Before the slot is looked at, because it is not our code.
            let waker = cx.waker().clone();
            let arms_nothing = Self::DIRECTION == Direction::Read || io.reactor.edge;
            if io.slot.may_wait_alone(Self::DIRECTION) && arms_nothing {
                // A new name each time is cheaper than to look whether it has one.
                self.waiter = io.reactor.next_waiter();
                io.slot.wait_alone(Self::DIRECTION, self.waiter, waker);
                return Poll::Pending;
            }
            // By level there may be something to arm. `Ready` is an error, or another try is due.
            ready!(io.wait(Self::DIRECTION, &mut self.waiter, waker, Self::CALL.into()))?;
        } else if io.reactor.attention.spend() {
            match self.transfer.make(io) {
                Ok(answer) => return Poll::Ready(Ok(answer.settle(io, Self::DIRECTION))),
                Err(error) => {
                    if let Some(error) = io.refused(Self::CALL, Self::DIRECTION, self.waiter, error)
                    {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        } else {
            return self.poll_told::<ALONE>(cx);
        }
        self.poll_slowly::<ALONE>(cx)
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(super) fn poll_slowly<const ALONE: bool>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<<Self as Future>::Output> {
        let Operation {
            io,
            waiter,
            transfer,
            ..
        } = self;
        let answer = if let Some(nothing) = transfer.nothing() {
            ready!(io.reactor.poll_spend(cx));
            nothing
        } else {
            let make = |io: &Async<T>| transfer.make(io);
            let (call, direction) = (Self::CALL, Self::DIRECTION);
            let polled = io.poll_with(call, direction, waiter, cx, make, M::Reply::outcome);
            match ALONE {
                true => ready!(io.reactor.driven(polled))?,
                false => ready!(polled)?,
            }
        };
        Poll::Ready(Ok(answer.settle(io, Self::DIRECTION)))
    }

    /// For awaits of ours that are made of several: they say themselves who misuses them.
    pub(crate) async fn within(mut self) -> <Self as Future>::Output {
        poll_fn(|cx| {
            let polled = self.attempt::<false>(cx);
            if polled.is_ready() {
                self.waiter = 0;
            }
            polled
        })
        .await
    }
}

impl<T: AsFd + 'static, M, const CALL: u8> Drop for Operation<'_, T, M, CALL> {
    #[inline(always)]
    fn drop(&mut self) {
        self.io.forget(Self::DIRECTION, self.waiter);
    }
}

impl<T: AsFd + 'static> Async<T> {
    /// Tries `op`; on WouldBlock stores the waker as waiter `id`, arms the key and returns
    /// `Pending`. Once it returns `Ready`, that waiter is nowhere in the slot. `tell` says what an
    /// observer is told of a success.
    pub(crate) fn poll_with<R>(
        &self,
        call: Call,
        direction: Direction,
        id: &mut WaiterId,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&Self) -> io::Result<R>,
        tell: impl Fn(&R) -> Outcome,
    ) -> Poll<io::Result<R>> {
        loop {
            if !self.slot.is_worth_a_try(direction) {
                ready!(self.plain().wait_again(direction, id, cx, call.into()))?;
            }
            let result = if self.reactor.attention.spend() {
                op(self)
            } else {
                ready!(self.attend(call, cx, &mut op, &tell))
            };
            let refused = match result {
                Ok(done) => {
                    self.slot.forget_refusals();
                    Ok(done)
                }
                Err(error) => match self.refused(call, direction, *id, error) {
                    Some(error) => Err(error),
                    None => continue,
                },
            };
            // It may be in a crowd still, if it was polled before its turn.
            self.forget(direction, *id);
            return Poll::Ready(refused);
        }
    }

    /// Hands back what waiter `id` must hear of, and nothing if another try is due.
    #[cold]
    pub(crate) fn refused(
        &self,
        call: Call,
        direction: Direction,
        id: WaiterId,
        error: io::Error,
    ) -> Option<io::Error> {
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                self.slot.clear(direction);
                // Without an errno it was no answer of the kernel's: a write has moved some of its bytes.
                let for_nothing = id != 0 && error.raw_os_error().is_some();
                self.slot.count_refusal(call, for_nothing);
            }
            io::ErrorKind::Interrupted => {}
            _ => return Some(error),
        }
        None
    }

    /// See [`Plain::wait`]. Out of line, or an echo costs six instructions more.
    #[cold]
    #[inline(never)]
    fn wait(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        waker: Waker,
        what: Use,
    ) -> Poll<io::Result<()>> {
        self.plain().wait(direction, id, waker, what)
    }

    /// Waiter `id` is done, or given up.
    #[inline]
    pub(crate) fn forget(&self, direction: Direction, id: WaiterId) {
        if id != 0 {
            self.slot.forget(direction, id);
        }
    }
}

impl Plain<'_> {
    /// As [`wait`](Self::wait), for a waiter that may be here already, with a waker that will do.
    pub(super) fn wait_again(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        cx: &mut Context<'_>,
        what: Use,
    ) -> Poll<io::Result<()>> {
        if self.slot.is_waiting(direction, *id, cx.waker()) {
            return Poll::Pending;
        }
        self.wait(direction, id, cx.waker().clone(), what)
    }

    /// Store the waker, then arm, then return `Pending`. `Ready` is an error, or another try is
    /// due.
    ///
    /// Between the two an event can be queued in the kernel, but not dispatched: dispatch happens
    /// in a turn, on this thread, after we return. So whichever comes first, the event finds the
    /// waker. The exception is a turn that is taken by code that is not ours, the waker while it is
    /// cloned and the source while it is asked for its fd: so the one is over before this is called, the
    /// other comes first, and the slot is looked at after both.
    #[cold]
    fn wait(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        waker: Waker,
        what: Use,
    ) -> Poll<io::Result<()>> {
        if self.slot.is_doubtful() && self.short_was_not_all(direction)? {
            return Poll::Ready(Ok(()));
        }
        let fd = match self.slot.is_registered() {
            true => None,
            false => Some(self.source.fd()),
        };
        let before = if *id == 0 && self.slot.is_vacant(direction) {
            *id = self.reactor.next_waiter();
            self.slot.wait_alone(direction, *id, waker);
            None
        } else if self.slot.is_worth_a_try(direction) {
            return Poll::Ready(Ok(()));
        } else {
            let stands = *id == direction.standing_waiter();
            if !stands && !self.slot.knows(direction, *id) {
                // A new name for each wait: in a crowd they say who came first.
                *id = self.reactor.next_waiter();
            }
            self.slot.wait(direction, *id, waker, what)
        };
        if self.reactor.attention.is_observed() {
            self.tell_stored(direction, before.as_ref());
        }
        let armed = self.arm(fd, direction);
        // Not before: dropping a waker runs code that is not ours.
        drop(before);
        match armed {
            Ok(()) => Poll::Pending,
            // epoll and kqueue refuse what is always ready, such as a regular file; poll and
            // select say that it is ready.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.slot.forget(direction, *id);
                self.slot.assume_ready();
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.slot.forget(direction, *id);
                Poll::Ready(Err(error))
            }
        }
    }

    /// By edge, and where a short read proves nothing: asks the kernel before it waits.
    #[cold]
    fn short_was_not_all(&self, direction: Direction) -> io::Result<bool> {
        Ok(self.reactor.edge && !poll_now(self.source.fd(), direction.readiness())?.is_empty())
    }

    /// The waker is stored: now make sure that the kernel tells us, before `Pending` is returned.
    /// `fd` is what the source has said, if there was no key then.
    #[inline]
    fn arm(&self, fd: Option<BorrowedFd<'_>>, direction: Direction) -> io::Result<()> {
        if let Some(fd) = fd {
            // The source may have waited for itself meanwhile.
            if !self.slot.is_registered() {
                return self.register(fd, direction);
            }
        }
        if !self.reactor.edge {
            let armed = self.slot.armed().map_or(0, Events::bits);
            let is_armed = armed & (1 << direction as u8) != 0 && !self.slot.is_suspicious();
            if !is_armed && self.slot.mark_dirty() {
                self.reactor.dirty.borrow_mut().push(self.slot.fd());
            }
            self.slot.settle();
        }
        Ok(())
    }
}
