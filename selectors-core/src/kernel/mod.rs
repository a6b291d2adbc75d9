//! The private half of a selector: what each backend says to its kernel, and nothing else.
//!
//! Every backend file has the same methods in the same order, so that two of them can be read side
//! by side. What they share (the key map, validation, masking, retries) is in `selector/`, once.
//! Only `selector/` calls in, by the trait here; calls go out to `sys`, one for each step.

use std::time::{Duration, Instant};

use crate::os::{BorrowedFd, RawFd};
#[cfg(not(winsock))]
use crate::sys::fd;
#[cfg(winsock)]
use crate::sys::socket::so_type_of;
use crate::{Backend, Capabilities, Error, Interest, Token};

mod any;
mod closed;
#[cfg(any(devpoll, all(test, doubles)))]
#[cfg_attr(
    test,
    allow(unreachable_pub, reason = "public only where the platform has it")
)]
mod devpoll;
#[cfg(epoll)]
mod epoll;
#[cfg(any(kqueue, all(test, doubles)))]
#[cfg_attr(
    test,
    allow(unreachable_pub, reason = "public only where the platform has it")
)]
mod kqueue;
#[cfg(not(winsock))]
mod poll;
mod raw_event;
mod script;
mod scripted;
#[cfg(not(winsock))]
mod select;
pub(crate) mod timeout;
#[cfg(uring)]
mod uring;
#[cfg(winsock)]
mod winsock;

pub(crate) use any::{AnyKernel, COMPILED, open, probe};
#[cfg(any(devpoll, all(test, doubles)))]
pub(crate) use devpoll::Devpoll;
#[cfg(epoll)]
pub(crate) use epoll::Epoll;
#[cfg(any(kqueue, all(test, doubles)))]
pub(crate) use kqueue::Kqueue;
#[cfg(not(winsock))]
pub(crate) use poll::Poll;
pub(crate) use raw_event::{AsRawEvent, RawEvent};
pub use script::{Script, ScriptedCall};
pub(crate) use scripted::Scripted;
#[cfg(not(winsock))]
pub(crate) use select::Select;
#[cfg(uring)]
pub(crate) use uring::Uring;
#[cfg(winsock)]
pub(crate) use winsock::{Select, look};

/// What a backend must supply.
///
/// The shared half promises in return: a number is added only while it is not there, modified and
/// deleted only while it is; `from` is what the kernel was told last.
pub trait Kernel {
    /// Which one this is.
    fn backend(&self) -> Backend;

    /// What it offers beyond the contract.
    fn capabilities(&self) -> Capabilities;

    /// From now on only this thread waits and deletes, which may be cheaper.
    fn stay(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Starts to watch. On failure the kernel is as it was.
    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error>;

    /// The same for a number that is open, of which a kernel that finds out only later need not be asked.
    fn add_open(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.add(token, interest)
    }

    /// Watches for something else, and arms a oneshot key again. On failure the kernel is as it
    /// was.
    fn modify(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error>;

    /// Stops watching, before the caller gets the chance to close the fd. That the number is
    /// closed or unknown to the kernel is not an error: then there is nothing left to stop.
    fn delete(&mut self, token: Token, from: Interest) -> Result<(), Error>;

    /// The same, before the caller closes the fd at once. Only a kernel to which the close says it all
    /// needs no call of its own.
    fn delete_to_close(&mut self, token: Token, from: Interest) -> Result<(), Error> {
        self.delete(token, from)
    }

    /// One wait of the kernel, at most this long. Each token comes at most once, with conditions
    /// that nobody has masked yet.
    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error>;

    /// Rids the kernel of a registration of this number that has no key any more but still reports (a file
    /// that was closed while a duplicate lived leaves one: a raw source, or
    /// [`delete_to_close`](Self::delete_to_close)). `taken` says that the number
    /// has a new key, `live` are all registrations that must survive.
    fn disown(
        &mut self,
        _orphan: RawFd,
        _taken: bool,
        _live: &mut dyn Iterator<Item = (Token, Interest)>,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// The fd of the kernel object, if there is one.
    fn fileno(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The clock that timeouts are measured on.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// A kernel half that needs nothing to be made.
pub trait Open: Kernel + Send + Sized + 'static {
    /// Watches nothing yet.
    fn open() -> Result<Self, Error>;
}

/// A kernel half that is known when the program is compiled: all but [`AnyKernel`].
pub trait Known: Kernel + Send + Sized + 'static {}

impl<K: Open> Known for K {}

/// A kernel half that always has an fd of its own.
#[cfg(not(winsock))]
pub trait OwnFd: Kernel {
    /// The fd of the kernel object.
    fn own_fd(&self) -> BorrowedFd<'_>;
}

/// Refuses a number that is not open, for the backends whose kernel would say so only later
/// (contract row R7). It also keeps the key map from growing to any number that someone made up.
#[cfg(not(winsock))]
pub(crate) fn must_be_open(fd: RawFd) -> Result<(), Error> {
    let open = fd::fcntl_getfd(fd).map(|_| ());
    open.map_err(|source| Error::os("fcntl F_GETFD", Some(fd), source))
}

/// The same for a number that is no socket.
#[cfg(winsock)]
pub(crate) fn must_be_open(fd: RawFd) -> Result<(), Error> {
    let open = so_type_of(fd).map(|_| ());
    open.map_err(|source| Error::os("getsockopt SO_TYPE", Some(fd), source))
}
