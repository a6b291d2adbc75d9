//! A notifier on eventfd(2): one fd with a counter behind it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::{Error, sys};

#[derive(Debug)]
pub(crate) struct Eventfd(OwnedFd);

impl Eventfd {
    pub(crate) fn new() -> Result<Eventfd, Error> {
        sys::eventfd::eventfd()
            .map(Eventfd)
            .map_err(|error| Error::os("eventfd", None, error))
    }

    pub(crate) fn notify(&self) -> Result<(), Error> {
        loop {
            match sys::fd::write(self.0.as_fd(), &1u64.to_ne_bytes()) {
                Ok(_) => return Ok(()),
                // The counter is at its end, so the fd is readable.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("write eventfd", None, error)),
            }
        }
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        loop {
            // One read takes the whole counter.
            match sys::fd::read(self.0.as_fd(), &mut [0; 8]) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("read eventfd", None, error)),
            }
        }
    }
}

impl AsFd for Eventfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
