//! A notifier of bytes: an eventfd, or the two ends of a pipe, which every platform has.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::bytes::{drained, written};
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
        written(sys::uninterrupted(|| {
            sys::fd::write(writer, &1u64.to_ne_bytes())
        }))
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        let reader = self.reader.as_fd();
        drained(|buffer| sys::uninterrupted(|| sys::fd::read(reader, buffer)))
    }
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
