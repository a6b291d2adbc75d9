//! A notifier on eventfd(2): one fd with a counter behind it. Where eventfds are withheld it is a
//! pipe.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::pipe::Pipe;
use crate::kernel::is_withheld;
use crate::{Error, sys};

#[derive(Debug)]
pub(crate) enum EventfdOrPipe {
    Eventfd(OwnedFd),
    Pipe(Pipe),
}

impl EventfdOrPipe {
    pub(crate) fn new() -> Result<EventfdOrPipe, Error> {
        match sys::eventfd::eventfd() {
            Ok(eventfd) => Ok(EventfdOrPipe::Eventfd(eventfd)),
            // ENODEV: a kernel without anonymous inodes, which pipes do not need.
            Err(error) if is_withheld(&error) || error.raw_os_error() == Some(libc::ENODEV) => {
                Pipe::new().map(EventfdOrPipe::Pipe)
            }
            Err(error) => Err(Error::os("eventfd", None, error)),
        }
    }

    pub(crate) fn notify(&self) -> Result<(), Error> {
        let eventfd = match self {
            EventfdOrPipe::Eventfd(eventfd) => eventfd,
            EventfdOrPipe::Pipe(pipe) => return pipe.notify(),
        };
        loop {
            match sys::fd::write(eventfd.as_fd(), &1u64.to_ne_bytes()) {
                Ok(_) => return Ok(()),
                // The counter is at its end, so the fd is readable.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("write eventfd", None, error)),
            }
        }
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        let eventfd = match self {
            EventfdOrPipe::Eventfd(eventfd) => eventfd,
            EventfdOrPipe::Pipe(pipe) => return pipe.clear(),
        };
        loop {
            // One read takes the whole counter.
            match sys::fd::read(eventfd.as_fd(), &mut [0; 8]) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("read eventfd", None, error)),
            }
        }
    }
}

impl AsFd for EventfdOrPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            EventfdOrPipe::Eventfd(eventfd) => eventfd.as_fd(),
            EventfdOrPipe::Pipe(pipe) => pipe.as_fd(),
        }
    }
}
