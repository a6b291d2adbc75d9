//! A notifier of bytes: an eventfd, or the two ends of a pipe, which every platform has.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::{Error, sys};

#[derive(Debug)]
pub(crate) struct Pipe {
    reader: OwnedFd,
    /// An eventfd is both ends of itself.
    pub(super) writer: Option<OwnedFd>,
}

impl Pipe {
    /// Two ends.
    pub(crate) fn new() -> Result<Pipe, Error> {
        let ends = sys::pipe::pipe().map_err(|error| Error::os("pipe", None, error));
        let writer = |(reader, writer)| Pipe {
            reader,
            writer: Some(writer),
        };
        ends.map(writer)
    }

    /// One fd with a counter behind it. Where eventfds are withheld it is a pipe.
    #[cfg(eventfd)]
    pub(crate) fn eventfd() -> Result<Pipe, Error> {
        match sys::eventfd::eventfd() {
            Ok(reader) => Ok(Pipe {
                reader,
                writer: None,
            }),
            // ENODEV: a kernel without anonymous inodes, which pipes do not need.
            Err(error)
                if sys::is_withheld(&error) || error.raw_os_error() == Some(libc::ENODEV) =>
            {
                Pipe::new()
            }
            Err(error) => Err(Error::os("eventfd", None, error)),
        }
    }

    /// Eight bytes: an eventfd takes no fewer, and adds them up.
    pub(crate) fn notify(&self) -> Result<(), Error> {
        let writer = self.writer.as_ref().unwrap_or(&self.reader).as_fd();
        match sys::uninterrupted(|| sys::fd::write(writer, &1u64.to_ne_bytes())) {
            // The counter is at its end or the pipe is full, so the fd is readable.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                Err(Error::os("write notification", None, error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        let mut buffer = [0; 256];
        let mut notified = false;
        loop {
            match sys::uninterrupted(|| sys::fd::read(self.reader.as_fd(), &mut buffer)) {
                Ok(n) if n == buffer.len() => notified = true,
                // An eventfd gives its whole counter at once.
                Ok(n) => return Ok(notified || n > 0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(notified),
                Err(error) => return Err(Error::os("read notification", None, error)),
            }
        }
    }
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
