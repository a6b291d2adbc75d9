//! [`Async<T>`]: any fd, made awaitable. TCP and all other sockets are made of it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::rc::Rc;
use std::task::Context;

use selectors_core::os::{AsFd, AsRawFd};
use selectors_core::sys::fd::ioctl_fionbio;
use selectors_core::sys::uninterrupted;
use selectors_core::{Events, act};

use crate::errno::tried;
use crate::heart::driven::Driven;
use crate::heart::shared::Shared;
use crate::heart::slot::Slot;
use crate::watch::acts::{self, Act};
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::Outcome;

/// An fd with a slot: tries the call first, and sleeps only when the kernel says WouldBlock.
///
/// The fd must be in non-blocking mode, or a call will block the whole loop. It is registered
/// with the reactor when an operation first has to wait, and unregistered before it is closed; or by
/// being closed, if it is a socket of std, which saves a call: see
/// [`Selector::unregister_to_close`](selectors_core::Selector::unregister_to_close).
///
/// Dropping an operation cancels it: its waker is removed, and no byte is lost, because a byte
/// moves only in the poll that returns `Ready`.
///
/// A closure says `WouldBlock` when the kernel has said so. One that makes it up waits for the next
/// event: where keys are edge-triggered that is the next change, else it is called again for what is
/// there, after 31 such answers every 10 ms, so that the loop does not turn for nothing.
///
/// **It owns its source**, as a key of the selector does: an fd that is registered must not be closed, and
/// nobody who only borrows it can promise that, since an `Async` may be forgotten. So there is no `Async<&T>`
/// and no `Async<BorrowedFd>`. What is used elsewhere as well is shared, or its fd is duplicated:
///
/// ```
/// use reactor::Async;
/// use std::io::{Read, Write};
/// use std::os::fd::AsFd;
/// use std::os::unix::net::UnixStream;
/// use std::rc::Rc;
///
/// executor::block_on(async {
///     let (ours, theirs) = UnixStream::pair()?;
///     // Shared: the socket is closed when both are gone.
///     let shared = Rc::new(ours);
///     let waits = Async::nonblocking(Rc::clone(&shared))?;
///     (&theirs).write_all(b"hi")?;
///     waits.readable().await?;
///     assert_eq!((&*shared).read(&mut [0; 8])?, 2);
///
///     // Of a borrowed fd: another one for the same open file.
///     let borrowed = theirs.as_fd();
///     let waits = Async::nonblocking(borrowed.try_clone_to_owned()?)?;
///     waits.writable().await?;
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
///
/// ```compile_fail,E0597
/// # let reactor = reactor::Reactor::new()?;
/// # let _entered = reactor.enter();
/// let (ours, _theirs) = std::os::unix::net::UnixStream::pair()?;
/// let borrowed = reactor::Async::new(&ours);
/// # std::io::Result::Ok(())
/// ```
///
/// `as_fd` of the source is the program's code: it may do anything, and its first answer counts; see
/// [`contracts`](crate::contracts#foreign-code).
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
    #[track_caller]
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
    #[track_caller]
    pub fn nonblocking(source: T) -> io::Result<Self> {
        // First, so that nothing is done to a source that cannot be attached.
        let reactor = Shared::current();
        let fd = source.as_fd();
        ioctl_fionbio(fd, true).map_err(|error| {
            let fd = fd.as_raw_fd();
            tried(format_args!("switch fd {fd} to non-blocking mode"), error)
        })?;
        Ok(Self::in_reactor(reactor, source, Some(Events::READ_WRITE)))
    }

    /// As [`new`](Self::new), with only the directions of `ready` worth a first try.
    #[track_caller]
    pub(crate) fn with_readiness(source: T, ready: Option<Events>) -> Self {
        Self::in_reactor(Shared::current(), source, ready)
    }

    pub(crate) fn in_reactor(reactor: Rc<Shared>, source: T, ready: Option<Events>) -> Self {
        Async {
            source: Rc::new(source),
            slot: Rc::new(Slot::new(ready)),
            reactor,
        }
    }

    /// The source, for calls that never block (options, addresses).
    #[must_use]
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

    /// Something has happened that the kernel tells nobody: all who wait try again, after the next turn.
    #[cfg(windows)]
    pub(crate) fn try_again(&self) {
        let mut woken = self.reactor.woken.take();
        self.slot.fail(&mut woken);
        self.reactor.woken.set(woken);
    }

    /// Calls `op` until it does not say WouldBlock, waiting for readability in between.
    ///
    /// # Errors
    ///
    /// Those of `op`, and what the kernel answers when the fd is registered.
    #[track_caller]
    pub fn read_with<R>(
        &self,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.driven(self.calling(Direction::Read, op))
    }

    /// Calls `op` until it does not say WouldBlock; inside of another await of ours.
    pub(crate) async fn calling<R>(
        &self,
        direction: Direction,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut waiter = self.waiter(direction);
        poll_fn(|cx| waiter.poll(cx, |source| op(source))).await
    }

    /// An await of this object.
    #[track_caller]
    pub(crate) fn driven<F>(&self, future: F) -> Driven<&Shared, F> {
        Driven::new(&*self.reactor, future)
    }

    /// As [`read_with`](Self::read_with), where `op` takes what is there, and its WouldBlock means
    /// that nothing is left for others either: see [`crowd`](crate::heart::crowd).
    #[track_caller]
    pub(crate) fn take_with<R>(
        &self,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        let mut waiter = self.waiter(Direction::Read);
        let done = |_: &R| Outcome::Done;
        let call = move |cx: &mut Context<'_>| {
            waiter.poll_call(Call::Recvmsg, cx, |source| op(source), done)
        };
        self.driven(poll_fn(call))
    }

    /// Calls `op` until it does not say WouldBlock, waiting for writability in between.
    ///
    /// # Errors
    ///
    /// Those of `op`, and what the kernel answers when the fd is registered.
    #[track_caller]
    pub fn write_with<R>(
        &self,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.driven(self.calling(Direction::Write, op))
    }

    /// One attempt, without waiting: WouldBlock is an error like any other, and remembered. If `op`
    /// makes it up, nothing comes of it: `readable` and its like ask the kernel, and are ready at once
    /// as long as the kernel says so. Who loops over both turns for nothing, and lets others run.
    ///
    /// # Errors
    ///
    /// Those of `op`.
    #[inline]
    pub fn try_with<R>(
        &self,
        direction: Direction,
        op: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        match act!(acts::Tried, op(&self.source)) {
            Ok(done) if !self.reactor.attention.is_observed() => Ok(done),
            result => self.tried(direction, result),
        }
    }

    /// What is left to do after a try that failed, or of which an observer is to be told.
    #[cold]
    fn tried<R>(&self, direction: Direction, result: io::Result<R>) -> io::Result<R> {
        let error = result.as_ref().err();
        if error.is_some_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.slot.clear(direction);
        }
        if self.reactor.attention.is_observed() {
            self.tell(Call::Custom, &result, |_| Outcome::Done, acts::Tried::AT);
        }
        result
    }

    /// The same for a call of ours, made again when a signal has ended it before it did anything.
    #[inline]
    pub(crate) fn try_call<R>(
        &self,
        direction: Direction,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.try_with(direction, |source| uninterrupted(|| op(source)))
    }

    /// Another source in the same reactor, whichever is current.
    pub(crate) fn beside<U: AsFd + 'static>(&self, source: U) -> Async<U> {
        Async::in_reactor(Rc::clone(&self.reactor), source, Some(Events::READ_WRITE))
    }
}

impl<T: AsFd + 'static> Drop for Async<T> {
    fn drop(&mut self) {
        // Told or not, the kernel forgets a closed fd; and a late event names a dead token.
        let _ = self.plain().unregister_to_drop();
    }
}

selectors_core::has_fd!([T: AsFd + 'static] Async<T>, source);

impl<T: AsFd + fmt::Debug + 'static> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Async").field(&self.source).finish()
    }
}
