//! [`Async<T>`]: any fd, made awaitable. TCP and all other sockets are made of it.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use selectors_core::sys::fd::ioctl_fionbio;
use selectors_core::{Events, Interest, Mode};

use crate::call::Call;
use crate::observe::{Event, Outcome};
use crate::shared::Shared;
use crate::slot::{Direction, Slot};

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
    pub(crate) source: Rc<T>,
    /// The key's data.
    pub(crate) slot: Rc<Slot>,
    pub(crate) reactor: Rc<Shared>,
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
        ioctl_fionbio(source.as_fd(), true)?;
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

    /// The waker is stored: now make sure that the kernel tells us, before `Pending` is returned.
    #[inline]
    pub(crate) fn arm(&self, direction: Direction) -> io::Result<()> {
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

    /// Another source in the same reactor, whichever is current.
    pub(crate) fn beside<U: AsFd + 'static>(&self, source: U) -> Async<U> {
        Async {
            source: Rc::new(source),
            slot: Rc::new(Slot::new(Some(Events::READ_WRITE))),
            reactor: Rc::clone(&self.reactor),
        }
    }

    /// Registers for urgent data, errors and hang-ups alone; they count as READ.
    pub(crate) fn register_for_exceptions(&self) -> io::Result<()> {
        let mode = if self.reactor.edge {
            Mode::Edge
        } else {
            Mode::Level
        };
        let interest = Interest::new(Events::READ)
            .mode(mode)
            .priority()
            .without_directions();
        let fileobj = Rc::clone(&self.source) as Rc<dyn AsFd>;
        let mut selector = self.reactor.selector.borrow_mut();
        let token = selector.register_interest(fileobj, interest, Rc::clone(&self.slot))?;
        self.slot.registered(token, Events::READ, mode);
        Ok(())
    }

    fn unregister(&self) -> io::Result<()> {
        match self.slot.unregistered() {
            // The key stays in the map, and goes with the reactor.
            Some(_) if self.reactor.abandoned.get() => Ok(()),
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
