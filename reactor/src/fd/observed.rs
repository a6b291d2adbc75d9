//! What an observer is told of the calls and the waits of an [`Async`].

use std::future::Future;
use std::io;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

use selectors_core::act;
use selectors_core::os::{AsFd, AsRawFd, RawFd};

use crate::fd::async_fd::Async;
use crate::fd::operation::Operation;
use crate::fd::plain::Plain;
use crate::fd::transfer::Transfer;
use crate::heart::budget::Attend;
use crate::heart::shared::Shared;
use crate::watch::acts::{self, Act};
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::{Event, Outcome};

impl<T: AsFd + 'static> Async<T> {
    /// The budget is used up, or somebody observes.
    #[cold]
    pub(super) fn attend<R>(
        &self,
        call: Call,
        cx: &mut Context<'_>,
        op: &mut impl FnMut(&Self) -> io::Result<R>,
        tell: &impl Fn(&R) -> Outcome,
    ) -> Poll<io::Result<R>> {
        if self.reactor.attend() == Attend::BudgetIsUsedUp {
            // One busy socket must not starve the rest: go to the back of the queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let result = act!(acts::Called, op(self));
        if self.reactor.attention.is_observed() {
            self.tell(call, &result, tell, acts::Called::AT);
        }
        Poll::Ready(result)
    }

    /// Tells the observer of a system call; one of the program's own was made from line `at`.
    #[cold]
    pub(crate) fn tell<R>(
        &self,
        call: Call,
        result: &io::Result<R>,
        tell: impl Fn(&R) -> Outcome,
        at: &'static Location<'static>,
    ) {
        let fd = self.source.as_fd().as_raw_fd();
        self.reactor
            .tell_call(call, fd, result.as_ref().map(tell), at);
    }
}

impl Shared {
    /// A call was made, and this is what came of it.
    #[cold]
    fn tell_call(
        &self,
        call: Call,
        fd: RawFd,
        result: Result<Outcome, &io::Error>,
        at: &'static Location<'static>,
    ) {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // Without an errno it was not the kernel: a write came up short, and need not ask.
                error
                    .raw_os_error()
                    .map_or(Outcome::Short, |_| Outcome::WouldBlock)
            }
            Err(error) => Outcome::Failed(error.raw_os_error().unwrap_or(0)),
        };
        let hook = &self.hook;
        let from = hook.awaited();
        let told = Event::Syscall {
            call,
            fd,
            outcome,
            from,
        };
        hook.emit(told, call.place().unwrap_or(at));
    }
}

impl Plain<'_> {
    /// Tells the observer that a waker is in the slot, unless it wakes whom the one `before` it did.
    #[cold]
    pub(crate) fn tell_stored(&self, direction: Direction, before: Option<&Waker>) {
        if before.is_some_and(|before| self.still_wakes(direction, before)) {
            return;
        }
        let fd = self.source.fd().as_raw_fd();
        let crowded = self.slot.is_crowded_for(direction);
        let hook = &self.reactor.hook;
        let from = hook.awaited();
        let told = Event::WakerStored {
            fd,
            direction,
            crowded,
            from,
        };
        let at = match crowded {
            true => acts::StoredInCrowd::AT,
            false => acts::Stored::AT,
        };
        hook.emit(told, at);
    }

    /// Does a waker in the slot wake whom this one did?
    fn still_wakes(&self, direction: Direction, before: &Waker) -> bool {
        let kept = &self.reactor.hook.kept;
        kept.in_the_end(before, |before| {
            let mut still = false;
            self.slot.for_each_waiter(&mut |waker, its| {
                still |=
                    its == direction && kept.in_the_end(waker, |waker| waker.will_wake(before));
            });
            still
        })
    }
}

impl<T, M, const CALL: u8> Operation<'_, T, M, CALL>
where
    T: AsFd + 'static,
    M: Transfer<T>,
{
    /// As [`poll_slowly`](Self::poll_slowly), perhaps before the eyes of an observer, who is told the
    /// line of the await.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(super) fn poll_told<const ALONE: bool>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<<Self as Future>::Output> {
        let reactor = &self.io.reactor;
        let _awaited = match reactor.attention.is_observed() {
            true => Some(reactor.hook.await_at(self.made_at.or_here())),
            false => None,
        };
        self.poll_slowly::<ALONE>(cx)
    }
}
