//! [`Async<T>`]: any fd, made awaitable. TCP and all other sockets are made of it.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use selectors_core::{Events, Interest, Mode};

use crate::attention::Attend;
use crate::call::Call;
use crate::observe::{Event, Outcome};
use crate::reactor::Shared;
use crate::slot::{Direction, Slot, WaiterId};

/// An fd with a slot: tries the call first, and sleeps only when the kernel says WouldBlock.
///
/// The fd must be in non-blocking mode, or a call will block the whole loop. It is registered
/// with the reactor when an operation first has to wait, and unregistered before it is closed.
///
/// Dropping an operation cancels it: its waker is removed, and no byte is lost, because a byte
/// moves only in the poll that returns `Ready`.
///
/// ```
/// use reactor::Async;
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// executor::block_on(async {
///     let (mut near, far) = UnixStream::pair()?;
///     far.set_nonblocking(true)?;
///     let far = Async::new(far);
///     near.write_all(b"hello")?;
///     let mut buffer = [0; 16];
///     let length = far.read_with(|mut far| far.read(&mut buffer)).await?;
///     assert_eq!(&buffer[..length], b"hello");
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub struct Async<T: AsFd + 'static> {
    /// Shared with the selector's key, so that it cannot be closed while it is registered.
    source: Rc<T>,
    /// The key's data.
    slot: Rc<Slot>,
    reactor: Rc<Shared>,
}

impl<T: AsFd + 'static> Async<T> {
    /// Attaches `source` to the reactor of this thread. Makes no system call.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    pub fn new(source: T) -> Self {
        Self::with_readiness(source, Some(Events::READ_WRITE))
    }

    /// As [`new`](Self::new), and switches `source` to non-blocking mode first. The mode belongs to
    /// the open file, so every duplicate of the fd sees it.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    pub fn nonblocking(source: T) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&source, true)?;
        Ok(Self::new(source))
    }

    /// As [`new`](Self::new), with only the directions of `ready` worth a first try.
    pub(crate) fn with_readiness(source: T, ready: Option<Events>) -> Self {
        let reactor = Shared::current();
        Async {
            source: Rc::new(source),
            slot: Rc::new(Slot::new(ready)),
            reactor,
        }
    }

    /// The source, for calls that never block (options, addresses).
    pub fn get_ref(&self) -> &T {
        &self.source
    }

    /// Unregisters and hands the source back, still in non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_inner(self) -> io::Result<T> {
        self.unregister()?;
        let source = Rc::clone(&self.source);
        drop(self);
        Rc::try_unwrap(source).map_err(|_| io::Error::other("the source is still shared"))
    }

    /// Waits until reading may succeed. Readiness is a hint: the call may still say WouldBlock.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the fd is registered.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Direction::Read).await
    }

    /// Waits until writing may succeed; see [`readable`](Self::readable).
    ///
    /// # Errors
    ///
    /// What the kernel answers when the fd is registered.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Direction::Write).await
    }

    async fn ready(&self, direction: Direction) -> io::Result<()> {
        let mut waiter = self.waiter(direction);
        poll_fn(|cx| waiter.poll_ready(cx)).await
    }

    /// Calls `op` until it does not say WouldBlock, waiting for readability in between.
    ///
    /// # Errors
    ///
    /// Those of `op`, and what the kernel answers when the fd is registered.
    pub async fn read_with<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let mut waiter = self.waiter(Direction::Read);
        poll_fn(|cx| waiter.poll(cx, |source| op(source))).await
    }

    /// Calls `op` until it does not say WouldBlock, waiting for writability in between.
    ///
    /// # Errors
    ///
    /// Those of `op`, and what the kernel answers when the fd is registered.
    pub async fn write_with<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let mut waiter = self.waiter(Direction::Write);
        poll_fn(|cx| waiter.poll(cx, |source| op(source))).await
    }

    /// One attempt, without waiting: WouldBlock is an error like any other, and remembered.
    ///
    /// # Errors
    ///
    /// Those of `op`; `WouldBlock` also when the slot knows that the call would not succeed.
    pub fn try_with<R>(
        &self,
        direction: Direction,
        op: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        // A slot that is not registered hears no news, and level-triggered it hears them only while
        // somebody waits. So the call may only be skipped when the kernel would have told us.
        let told = self.reactor.edge && self.slot.token().is_some();
        if told && !self.slot.may_be_ready(direction) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = op(&self.source).inspect_err(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                self.slot.clear(direction);
            }
        });
        if self.reactor.attention.is_observed() {
            self.tell(Call::Custom, &result, |_| Outcome::Done);
        }
        result
    }

    /// Tells the observer of a system call.
    #[cold]
    fn tell<R>(&self, call: Call, result: &io::Result<R>, tell: impl Fn(&R) -> Outcome) {
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

    /// A transfer of `moved` out of `asked` bytes on a stream: if it came up short, the kernel's
    /// buffer was drained (or filled), and the next call would only say WouldBlock.
    #[inline]
    pub(crate) fn transferred(&self, direction: Direction, moved: usize, asked: usize) {
        if moved < asked && moved != 0 {
            self.slot.came_up_short(direction);
        }
    }

    /// Tries `op`; on WouldBlock stores the waker as waiter `id`, arms the key and returns
    /// `Pending`. `tell` says what an observer is told of a success.
    #[inline(always)]
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
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => self.slot.clear(direction),
                    io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
            }
        }
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

    /// Store the waker, then arm, then return `Pending`.
    ///
    /// Between the two an event can be queued in the kernel, but not dispatched: dispatch happens
    /// in a turn, on this thread, after we return. So whichever comes first, the event finds the
    /// waker.
    #[inline(always)]
    fn wait(
        &self,
        direction: Direction,
        id: &mut WaiterId,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if *id == 0 {
            *id = self.reactor.next_waiter();
        }
        if self.reactor.is_calm() && self.slot.wait_alone(direction, *id, cx.waker()) {
            return Poll::Pending;
        }
        self.wait_and_arm(direction, *id, cx)
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
            let crowded = self.slot.is_crowded();
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
                self.slot.assume_ready();
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Waiter `id` is done, or given up.
    #[inline]
    pub(crate) fn forget(&self, direction: Direction, id: WaiterId) {
        if id != 0 {
            self.slot.forget(direction, id);
        }
    }

    /// The waker is stored: now make sure that the kernel tells us, before `Pending` is returned.
    #[inline]
    fn arm(&self, direction: Direction) -> io::Result<()> {
        match self.slot.token() {
            None => self.register(direction),
            Some(_) if self.reactor.edge => Ok(()),
            Some(token) => {
                let armed = self.slot.armed().map_or(0, Events::bits);
                if armed & (1 << direction as u8) == 0 && self.slot.mark_dirty() {
                    self.reactor.dirty.borrow_mut().push(token);
                }
                Ok(())
            }
        }
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
        self.slot.registered(token, events, mode);
        if self.reactor.attention.is_observed() {
            self.reactor.hook.emit(Event::Register {
                fd: token.fd(),
                events,
            });
        }
        Ok(())
    }

    fn unregister(&self) -> io::Result<()> {
        match self.slot.unregistered() {
            Some(token) => {
                if self.reactor.attention.is_observed() {
                    self.reactor.hook.emit(Event::Unregister { fd: token.fd() });
                }
                let key = self.reactor.selector.borrow_mut().unregister(token);
                // The key is dropped here, after the borrow.
                key.map(drop).map_err(io::Error::from)
            }
            None => Ok(()),
        }
    }
}

impl<T: AsFd + 'static> Drop for Async<T> {
    fn drop(&mut self) {
        // Told or not, the kernel forgets a closed fd; and a late event names a dead token.
        let _ = self.unregister();
    }
}

impl<T: AsFd + 'static> AsFd for Async<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl<T: AsFd + fmt::Debug + 'static> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Async").field(&self.source).finish()
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
