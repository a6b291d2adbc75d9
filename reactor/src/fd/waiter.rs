//! An operation waits: try the call; if it would block, store the waker, arm the key, return
//! `Pending`. All of it is here, in one loop; `operation.rs` has the short cut for what nearly always
//! happens.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use selectors_core::{Events, Interest, Mode, Token, poll_now};

use crate::fd::async_fd::Async;
use crate::heart::budget::Attend;
use crate::heart::crowd::Use;
use crate::heart::queue::WaiterId;
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::{Event, Outcome};

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
            if !self.slot.is_worth_a_try(direction) {
                ready!(self.wait_again(direction, id, cx, call.into()))?;
            }
            let result = if self.reactor.attention.spend() {
                op(self)
            } else {
                ready!(self.attend(call, cx, &mut op, &tell))
            };
            let refused = match result {
                Ok(done) => Ok(done),
                Err(error) => match self.refused(direction, error) {
                    Some(error) => Err(error),
                    None => continue,
                },
            };
            // It may be in a crowd still, if it was polled before its turn.
            self.forget(direction, *id);
            return Poll::Ready(refused);
        }
    }

    /// Hands back what the caller must hear of, and nothing if another try is due.
    #[cold]
    pub(crate) fn refused(&self, direction: Direction, error: io::Error) -> Option<io::Error> {
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                self.slot.clear(direction);
                self.slot.count_refusal();
            }
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

    /// Waits until poll(2) says that a call in `direction` would not block; see the table above
    /// the [slot](crate::heart::slot).
    fn poll_asked(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.reactor.attention.poll_spend(cx));
            let now = poll_now(&self.source, direction.readiness());
            if now.as_ref().map_or(true, |now| !now.is_empty()) {
                self.forget(direction, *id);
                return Poll::Ready(now.map(drop));
            }
            // By edge the next event is still to come, because the key was armed before this was
            // asked; or it is armed now, and tells what holds at that moment.
            self.slot.clear(direction);
            ready!(self.wait_again(direction, id, cx, Use::Look))?;
        }
    }

    /// Waits until the kernel has reported `direction`, if it has not done so before: for who knows
    /// that nobody has made a call since.
    pub(crate) fn poll_told(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.slot.is_worth_a_try(direction) {
            ready!(self.wait_again(direction, id, cx, Use::Look))?;
        }
        self.forget(direction, *id);
        Poll::Ready(Ok(()))
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

    /// As [`wait`](Self::wait), for a waiter that may be here already, with a waker that will do.
    fn wait_again(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        cx: &mut Context<'_>,
        what: Use,
    ) -> Poll<io::Result<()>> {
        if self.slot.is_waiting(direction, *id, cx.waker()) {
            self.reactor.assert_driven();
            return Poll::Pending;
        }
        self.wait(direction, id, cx.waker().clone(), what)
    }

    /// Store the waker, then arm, then return `Pending`. `Ready` is an error, or another try is
    /// due.
    ///
    /// Between the two an event can be queued in the kernel, but not dispatched: dispatch happens
    /// in a turn, on this thread, after we return. So whichever comes first, the event finds the
    /// waker. The exception is a turn that the waker takes while it is cloned: so that is over
    /// before this is called, and the slot is looked at after it.
    #[inline]
    pub(crate) fn wait(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        waker: Waker,
        what: Use,
    ) -> Poll<io::Result<()>> {
        if *id == 0 && self.may_wait_alone(direction) {
            *id = self.reactor.next_waiter();
            self.slot.wait_alone(direction, *id, waker);
            return Poll::Pending;
        }
        self.wait_and_arm(direction, id, waker, what)
    }

    /// Is storing the waker all there is to do?
    #[inline(always)]
    pub(crate) fn may_wait_alone(&self, direction: Direction) -> bool {
        self.reactor.is_calm() && self.slot.may_wait_alone(direction)
    }

    #[cold]
    fn wait_and_arm(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        waker: Waker,
        what: Use,
    ) -> Poll<io::Result<()>> {
        self.reactor.assert_driven();
        if self.slot.is_doubtful() && self.short_was_not_all(direction)? {
            return Poll::Ready(Ok(()));
        }
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
            let fd = self.source.as_fd().as_raw_fd();
            let crowded = self.slot.is_crowded_for(direction);
            self.reactor.hook.emit(Event::WakerStored {
                fd,
                direction,
                crowded,
            });
        }
        let armed = self.arm(direction);
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
        Ok(self.reactor.edge && !poll_now(&self.source, direction.readiness())?.is_empty())
    }

    /// The waker is stored: now make sure that the kernel tells us, before `Pending` is returned.
    #[inline]
    fn arm(&self, direction: Direction) -> io::Result<()> {
        if !self.slot.is_registered() {
            return self.register(direction);
        }
        if !self.reactor.edge {
            let armed = self.slot.armed().map_or(0, Events::bits);
            if armed & (1 << direction as u8) == 0 && self.slot.mark_dirty() {
                let fd = self.token().map(Token::fd);
                self.reactor.dirty.borrow_mut().extend(fd);
            }
        }
        Ok(())
    }

    #[cold]
    fn register(&self, direction: Direction) -> io::Result<()> {
        let (events, mode) = match direction {
            _ if self.reactor.edge => (Events::READ_WRITE, Mode::Edge),
            Direction::Read => (Events::READ, Mode::Level),
            Direction::Write => (Events::WRITE, Mode::Level),
        };
        let fileobj = Rc::clone(&self.source) as Rc<dyn AsFd>;
        let mut selector = self.reactor.selector.borrow_mut();
        let mut interest = Interest::new(events).mode(mode);
        if self.reactor.edge && selector.capabilities().priority {
            // A read stops short before an urgent byte, and no edge follows for what is behind it.
            interest = interest.priority();
        }
        let token = selector.register_interest(fileobj, interest, Rc::clone(&self.slot))?;
        drop(selector);
        self.slot.registered(events, mode);
        if self.reactor.attention.is_observed() {
            self.reactor.hook.emit(Event::Register {
                fd: token.fd(),
                events,
            });
        }
        Ok(())
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

    /// See [`Async::poll_asked`].
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_asked(self.direction, &mut self.id, cx)
    }

    /// See [`Async::poll_told`].
    pub(crate) fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_told(self.direction, &mut self.id, cx)
    }
}

impl<T: AsFd + 'static> Drop for Waiter<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.io.forget(self.direction, self.id);
    }
}
