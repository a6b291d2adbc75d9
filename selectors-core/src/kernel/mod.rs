//! The private half of a selector: what each backend says to its kernel, and nothing else.
//!
//! Every backend file has the same methods in the same order, so that two of them can be read side
//! by side. What they share (the key map, validation, masking, retries) is in `selector.rs` and
//! `wait.rs`, once.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use crate::interest::Interest;
use crate::{Backend, Capabilities, Error, Token};

#[cfg(any(devpoll, test))]
#[cfg_attr(
    test,
    allow(unreachable_pub, reason = "public only where the platform has it")
)]
mod devpoll;
#[cfg(epoll)]
mod epoll;
#[cfg(any(kqueue, test))]
#[cfg_attr(
    test,
    allow(unreachable_pub, reason = "public only where the platform has it")
)]
mod kqueue;
mod poll;
mod record;
mod scripted;
mod select;

#[cfg(any(devpoll, test))]
pub(crate) use devpoll::Devpoll;
#[cfg(epoll)]
pub(crate) use epoll::Epoll;
#[cfg(any(kqueue, test))]
pub(crate) use kqueue::Kqueue;
pub(crate) use poll::Poll;
pub(crate) use record::Record;
pub(crate) use scripted::Scripted;
pub(crate) use select::Select;

/// What a backend must supply.
///
/// The shared half promises in return: a number is added only while it is not there, modified and
/// deleted only while it is; `from` is what the kernel was told last.
pub trait Kernel {
    /// Which one this is.
    fn backend(&self) -> Backend;

    /// What it offers beyond the contract.
    fn capabilities(&self) -> Capabilities;

    /// Starts to watch. On failure the kernel is as it was.
    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error>;

    /// Watches for something else, and arms a oneshot key again. On failure the kernel is as it
    /// was.
    fn modify(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error>;

    /// Stops watching, before the caller gets the chance to close the fd. That the number is
    /// closed or unknown to the kernel is not an error: then there is nothing left to stop.
    fn delete(&mut self, token: Token, from: Interest) -> Result<(), Error>;

    /// One wait of the kernel, at most this long. Each token comes at most once, with conditions
    /// that nobody has masked yet.
    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[Record], Error>;

    /// Rids the kernel of a registration of this number that has no key any more but still reports (only a raw
    /// source that was closed while a duplicate lived can leave one). `taken` says that the number
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

/// A kernel half that always has an fd of its own.
pub trait OwnFd: Kernel {
    /// The fd of the kernel object.
    fn own_fd(&self) -> BorrowedFd<'_>;
}

/// Any kernel half, chosen at run time.
pub struct AnyKernel(pub(crate) Box<dyn Kernel + Send>);

impl Kernel for AnyKernel {
    fn backend(&self) -> Backend {
        self.0.backend()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.0.add(token, interest)
    }

    fn modify(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error> {
        self.0.modify(token, from, to)
    }

    fn delete(&mut self, token: Token, from: Interest) -> Result<(), Error> {
        self.0.delete(token, from)
    }

    #[inline]
    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[Record], Error> {
        self.0.wait(timeout)
    }

    fn disown(
        &mut self,
        orphan: RawFd,
        taken: bool,
        live: &mut dyn Iterator<Item = (Token, Interest)>,
    ) -> Result<(), Error> {
        self.0.disown(orphan, taken, live)
    }

    fn fileno(&self) -> Option<BorrowedFd<'_>> {
        self.0.fileno()
    }

    fn now(&self) -> Instant {
        self.0.now()
    }
}

/// The backends of this platform, in the order in which the default tries them.
pub(crate) const AVAILABLE: &[Backend] = &[
    #[cfg(kqueue)]
    Backend::Kqueue,
    #[cfg(epoll)]
    Backend::Epoll,
    #[cfg(devpoll)]
    Backend::Devpoll,
    Backend::Poll,
    Backend::Select,
];

/// A new kernel half of this kind.
pub(crate) fn open(backend: Backend) -> Result<Box<dyn Kernel + Send>, Error> {
    match backend {
        Backend::Select => Ok(Box::new(Select::new()?)),
        Backend::Poll => Ok(Box::new(Poll::new()?)),
        #[cfg(epoll)]
        Backend::Epoll => Ok(Box::new(Epoll::new()?)),
        #[cfg(devpoll)]
        Backend::Devpoll => Ok(Box::new(Devpoll::new()?)),
        #[cfg(kqueue)]
        Backend::Kqueue => Ok(Box::new(Kqueue::new()?)),
        other => Err(Error::UnknownBackend {
            name: other.name().to_owned(),
        }),
    }
}

/// The first kernel half that works here: its object can be made, and it answers an empty wait.
///
/// Passed over is a backend that this machine does not have or does not allow. That there is no fd
/// or no memory left is an error: it says nothing about the backend, and a program that would go on
/// with a slower one for the rest of its life would not know why.
pub(crate) fn probe() -> Result<Box<dyn Kernel + Send>, Error> {
    let works = |backend: &Backend| {
        let mut kernel = open(*backend)?;
        match kernel.wait(Some(Duration::ZERO)) {
            Err(Error::Interrupted) | Ok(_) => Ok(kernel),
            Err(error) => Err(error),
        }
    };
    let (last, first) = AVAILABLE.split_last().expect("select is everywhere");
    for backend in first {
        match works(backend) {
            Err(error) if !is_exhaustion(&error) => {}
            outcome => return outcome,
        }
    }
    works(last)
}

fn is_exhaustion(error: &Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM)
    )
}

/// Whether a call is not to be had here, so that an older one must do: the kernel does not know it
/// (ENOSYS), or a sandbox answers for the kernel. Several sandboxes say EPERM to every call that
/// they do not know; none of the calls asked about here means anything else by it.
pub(crate) fn is_withheld(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM))
}

/// Refuses a number that is not open, for the backends whose kernel would say so only later
/// (contract row R7). It also keeps the key map from growing to any number that someone made up.
pub(crate) fn must_be_open(fd: RawFd) -> Result<(), Error> {
    match crate::sys::fd::fcntl_getfd(fd) {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::os("fcntl F_GETFD", Some(fd), source)),
    }
}
