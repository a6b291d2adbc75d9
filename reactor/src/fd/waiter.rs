//! Who waits beside the operations of streams: with a call of any kind, or with none.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use selectors_core::os::AsFd;
use selectors_core::poll_now;

use crate::fd::async_fd::Async;
use crate::heart::crowd::{Use, WaiterId};
use crate::heart::shared::Shared;
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::Outcome;

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
}

/// One operation on an [`Async`] and the place where it waits; dropping it takes its waker out.
pub(crate) struct Waiter<'a, T: AsFd + 'static> {
    io: &'a Async<T>,
    direction: Direction,
    /// Zero until it first waits.
    id: WaiterId,
}

impl<T: AsFd + 'static> Waiter<'_, T> {
    /// In which it waits.
    pub(crate) fn reactor(&self) -> &Rc<Shared> {
        &self.io.reactor
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

    /// One connection was accepted, and `last` says in which turn the one before. If that is not the last
    /// one, they do not come in bursts, and this one was all: see [`Slot::is_paced`](crate::heart::slot::Slot).
    pub(crate) fn took_one(&self, last: &Cell<u64>) {
        let turn = self.io.reactor.counts.turns.get();
        let is_burst = last.replace(turn).wrapping_add(1) >= turn;
        if self.io.slot.is_paced() && !is_burst {
            self.io.slot.came_up_short(self.direction);
        }
    }

    /// Waits until poll(2) says that a call would not block; see the table above the
    /// [slot](crate::heart::slot).
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (io, direction) = (self.io, self.direction);
        loop {
            ready!(io.reactor.poll_spend(cx));
            let now = poll_now(&io.source, direction.readiness());
            if now.as_ref().map_or(true, |now| !now.is_empty()) {
                io.forget(direction, self.id);
                return Poll::Ready(now.map(drop));
            }
            // By edge the next event is still to come, because the key was armed before this was
            // asked; or it is armed now, and tells what holds at that moment.
            io.slot.clear(direction);
            ready!(
                io.plain()
                    .wait_again(direction, &mut self.id, cx, Use::Look)
            )?;
        }
    }

    /// Waits until the kernel has reported the direction, if it has not done so before: for who knows
    /// that nobody has made a call since.
    pub(crate) fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.io.slot.is_worth_a_try(self.direction) {
            ready!(
                self.io
                    .plain()
                    .wait_again(self.direction, &mut self.id, cx, Use::Look)
            )?;
        }
        self.io.forget(self.direction, self.id);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsFd + 'static> Drop for Waiter<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // The standing one is no object that could be dropped: it stays until it is answered.
        if self.id != self.direction.standing_waiter() {
            self.io.forget(self.direction, self.id);
        }
    }
}
