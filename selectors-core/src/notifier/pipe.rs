//! A notifier on pipe(2), which every platform has: a byte in it is a notification.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::{Error, sys};

#[derive(Debug)]
pub(crate) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Pipe {
    pub(crate) fn new() -> Result<Pipe, Error> {
        match sys::pipe::pipe() {
            Ok((reader, writer)) => Ok(Pipe { reader, writer }),
            Err(error) => Err(Error::os("pipe", None, error)),
        }
    }

    pub(crate) fn notify(&self) -> Result<(), Error> {
        loop {
            match sys::fd::write(self.writer.as_fd(), &[1]) {
                Ok(_) => return Ok(()),
                // The pipe is full, so the fd is readable.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("write pipe", None, error)),
            }
        }
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        let mut buffer = [0; 256];
        let mut notified = false;
        loop {
            match sys::fd::read(self.reader.as_fd(), &mut buffer) {
                Ok(n) if n == buffer.len() => notified = true,
                Ok(n) => return Ok(notified || n > 0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(notified),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("read pipe", None, error)),
            }
        }
    }
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
