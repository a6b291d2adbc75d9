//! Try the call; if it would block, store the waker, arm the key, return `Pending`.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::task::{Context, Poll, ready};

use crate::async_fd::Async;
use crate::attention::Attend;
use crate::call::Call;
use crate::observe::{Event, Outcome};
use crate::slot::{Direction, WaiterId};

impl<T: AsFd + 'static> Async<T> {
    /// An operation that may come to wait in `direction`.
    pub(crate) fn waiter(&self, direction: Direction) -> Waiter<'_, T> {
        Waiter {
            io: self,
            direction,
            id: 0,
        }
    }

    /// The waiter that all poll-style operations in `direction` share.
    pub(crate) fn standing_waiter(&self, direction: Direction) -> Waiter<'_, T> {
        Waiter {
            io: self,
            direction,
            id: direction.standing_waiter(),
        }
    }

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
            if !self.slot.may_be_ready(direction) {
                ready!(self.wait(direction, id, cx))?;
            }
            let result = if self.reactor.attention.spend() {
                op(self)
            } else {
                ready!(self.attend(call, cx, &mut op, &tell))
            };
            match result {
                Ok(done) => return Poll::Ready(Ok(done)),
                Err(error) => {
                    if let Some(error) = self.refused(direction, error) {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
    }

    /// Hands back what the caller must hear of, and nothing if another try is due.
    #[cold]
    pub(crate) fn refused(&self, direction: Direction, error: io::Error) -> Option<io::Error> {
        match error.kind() {
            io::ErrorKind::WouldBlock => self.slot.clear(direction),
            io::ErrorKind::Interrupted => {}
            _ => return Some(error),
        }
        None
    }

    /// The budget is used up, or somebody observes.
    #[cold]
    fn attend<R>(
        &self,
        call: Call,
        cx: &mut Context<'_>,
        op: &mut impl FnMut(&Self) -> io::Result<R>,
        tell: &impl Fn(&R) -> Outcome,
    ) -> Poll<io::Result<R>> {
        if self.reactor.attention.attend() == Attend::BudgetIsUsedUp {
            // One busy socket must not starve the rest: go to the back of the queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let result = op(self);
        self.tell(call, &result, tell);
        Poll::Ready(result)
    }

    /// Tells the observer of a system call.
    #[cold]
    pub(crate) fn tell<R>(&self, call: Call, result: &io::Result<R>, tell: impl Fn(&R) -> Outcome) {
        let outcome = match result {
            Ok(done) => tell(done),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // Without an errno it was not the kernel: a write came up short, and need not ask.
                error
                    .raw_os_error()
                    .map_or(Outcome::Short, |_| Outcome::WouldBlock)
            }
            Err(error) => Outcome::Failed(error.raw_os_error().unwrap_or(0)),
        };
        let fd = self.source.as_fd().as_raw_fd();
        self.reactor.hook.emit(Event::Syscall { call, fd, outcome });
    }

    /// Store the waker, then arm, then return `Pending`.
    ///
    /// Between the two an event can be queued in the kernel, but not dispatched: dispatch happens
    /// in a turn, on this thread, after we return. So whichever comes first, the event finds the
    /// waker.
    #[inline]
    pub(crate) fn wait(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if *id == 0 {
            *id = self.reactor.next_waiter();
        }
        if self.may_wait_alone() {
            self.slot.wait_alone(direction, *id, cx.waker());
            return Poll::Pending;
        }
        self.wait_and_arm(direction, *id, cx)
    }

    /// Is storing the waker all there is to do?
    #[inline(always)]
    pub(crate) fn may_wait_alone(&self) -> bool {
        self.reactor.is_calm() && self.slot.may_wait_alone()
    }

    #[cold]
    fn wait_and_arm(
        &self,
        direction: Direction,
        id: WaiterId,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.reactor.assert_driven();
        self.slot.wait(direction, id, cx.waker());
        if self.reactor.attention.is_observed() {
            let fd = self.source.as_fd().as_raw_fd();
            let crowded = self.slot.is_crowded_for(direction);
            self.reactor.hook.emit(Event::WakerStored {
                fd,
                direction,
                crowded,
            });
        }
        match self.arm(direction) {
            Ok(()) => Poll::Pending,
            // epoll and kqueue refuse what is always ready, such as a regular file; poll and
            // select say that it is ready.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.slot.forget(direction, id);
                self.slot.assume_ready();
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.slot.forget(direction, id);
                Poll::Ready(Err(error))
            }
        }
    }

    /// Waiter `id` is done, or given up.
    #[inline]
    pub(crate) fn forget(&self, direction: Direction, id: WaiterId) {
        if id != 0 {
            self.slot.forget(direction, id);
        }
    }
}

/// One operation on an [`Async`] and the place where it waits; dropping it takes its waker out.
pub(crate) struct Waiter<'a, T: AsFd + 'static> {
    io: &'a Async<T>,
    direction: Direction,
    /// Zero until it first waits.
    id: WaiterId,
}

impl<T: AsFd + 'static> Waiter<'_, T> {
    /// Leaves the waker in the slot when the operation that polled goes away: the poll-style
    /// operations are not objects that could be dropped.
    pub(crate) fn stay(mut self) {
        self.id = 0;
    }

    /// See [`Async::poll_with`].
    pub(crate) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_call(Call::Custom, cx, op, |_| Outcome::Done)
    }

    /// The same, for a call that has a name and an answer worth telling.
    pub(crate) fn poll_call<R>(
        &mut self,
        call: Call,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&T) -> io::Result<R>,
        tell: impl Fn(&R) -> Outcome,
    ) -> Poll<io::Result<R>> {
        let make = |io: &Async<T>| op(&io.source);
        let direction = self.direction;
        self.io
            .poll_with(call, direction, &mut self.id, cx, make, tell)
    }

    /// Waits until a call may succeed, without making it.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.io.slot.may_be_ready(self.direction) {
            return Poll::Ready(Ok(()));
        }
        self.io.wait(self.direction, &mut self.id, cx)
    }
}

impl<T: AsFd + 'static> Drop for Waiter<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.io.forget(self.direction, self.id);
    }
}
