//! Any of the kernel halves: the one that is asked for by name, or the first that works.

use std::time::{Duration, Instant};

#[cfg(devpoll)]
use super::Devpoll;
#[cfg(epoll)]
use super::Epoll;
#[cfg(kqueue)]
use super::Kqueue;
#[cfg(not(winsock))]
use super::Poll;
#[cfg(uring)]
use super::Uring;
use super::{Kernel, Known, Open, RawEvent, Select};
#[cfg(winsock)]
use crate::os::errno;
use crate::os::{BorrowedFd, RawFd};
use crate::{Backend, Capabilities, Error, Interest, Token};

/// Any kernel half, chosen at run time.
pub struct AnyKernel(pub(crate) Box<dyn Kernel + Send>);

impl Kernel for AnyKernel {
    fn backend(&self) -> Backend {
        self.0.backend()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn stay(&mut self) -> Result<(), Error> {
        self.0.stay()
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.0.add(token, interest)
    }

    fn add_open(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.0.add_open(token, interest)
    }

    fn modify(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error> {
        self.0.modify(token, from, to)
    }

    fn delete(&mut self, token: Token, from: Interest) -> Result<(), Error> {
        self.0.delete(token, from)
    }

    fn delete_to_close(&mut self, token: Token, from: Interest) -> Result<(), Error> {
        self.0.delete_to_close(token, from)
    }

    #[inline]
    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
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

/// What this crate was compiled with, best first; the one that may be missing here is the last.
pub(crate) const COMPILED: &[Backend] = &[
    #[cfg(kqueue)]
    Backend::Kqueue,
    #[cfg(epoll)]
    Backend::Epoll,
    #[cfg(devpoll)]
    Backend::Devpoll,
    #[cfg(not(winsock))]
    Backend::Poll,
    Backend::Select,
    #[cfg(uring)]
    Backend::Uring,
];

/// A new kernel half of this kind.
pub(crate) fn open(backend: Backend) -> Result<AnyKernel, Error> {
    fn any(kernel: impl Known) -> AnyKernel {
        AnyKernel(Box::new(kernel))
    }
    match backend {
        Backend::Select => Select::open().map(any),
        #[cfg(not(winsock))]
        Backend::Poll => Poll::open().map(any),
        #[cfg(epoll)]
        Backend::Epoll => Epoll::open().map(any),
        #[cfg(devpoll)]
        Backend::Devpoll => Devpoll::open().map(any),
        #[cfg(kqueue)]
        Backend::Kqueue => Kqueue::open().map(any),
        #[cfg(uring)]
        Backend::Uring => Uring::open().map(any),
        other => Err(Error::UnknownBackend {
            name: other.name().to_owned(),
        }),
    }
}

/// The first kernel half that works here, uring left out: its object can be made, and it answers an empty wait.
///
/// Passed over is a backend that this machine does not have or does not allow. That there is no fd
/// or no memory left is an error: it says nothing about the backend, and a program that would go on
/// with a slower one for the rest of its life would not know why.
pub(crate) fn probe() -> Result<AnyKernel, Error> {
    let works = |backend| {
        let mut kernel = open(backend)?;
        match kernel.wait(Some(Duration::ZERO)) {
            Err(Error::Interrupted) | Ok(_) => Ok(kernel),
            Err(error) => Err(error),
        }
    };
    let is_exhausted =
        |error: &Error| matches!(error.raw_os_error(), Some(errno) if EXHAUSTED.contains(&errno));
    let mut defaults = COMPILED
        .iter()
        .filter(|backend| **backend != Backend::Uring);
    let last = defaults.next_back().expect("select is everywhere");
    for backend in defaults {
        match works(*backend) {
            Err(error) if !is_exhausted(&error) => {}
            outcome => return outcome,
        }
    }
    works(*last)
}

/// No fd or no memory is left.
#[cfg(not(winsock))]
const EXHAUSTED: [i32; 3] = [libc::EMFILE, libc::ENFILE, libc::ENOMEM];
/// No socket or no memory is left.
#[cfg(winsock)]
const EXHAUSTED: [i32; 2] = [errno::EMFILE, errno::ENOBUFS];
