//! A notifier on EVFILT_USER: a kqueue of its own with one user event, which is readable while the
//! event is triggered. One fd instead of a pipe's two, and it never fills up.
//!
//! NetBSD and OpenBSD got user events late, so they are tried at creation; without them it is a
//! pipe.

use std::os::fd::{AsFd, BorrowedFd};

use super::pipe::Pipe;
use crate::Error;
use crate::sys::kqueue::{
    self as sys, EV_ADD, EV_CLEAR, Filter, Kevent, NO_WAIT, NOTE_TRIGGER, ProcessFd,
};

#[derive(Debug)]
pub(crate) enum UserOrPipe {
    User(ProcessFd),
    Pipe(Pipe),
}

fn change(flags: u32, fflags: u32) -> [Kevent; 1] {
    [Kevent::change(0, Filter::User, flags, fflags, 0)]
}

impl UserOrPipe {
    pub(crate) fn new() -> Result<UserOrPipe, Error> {
        let queue = sys::kqueue().map_err(|error| Error::os("kqueue", None, error))?;
        let watch = change(EV_ADD | EV_CLEAR, 0);
        match sys::kevent(queue.as_fd(), &watch, &mut [], NO_WAIT) {
            Ok(_) => Ok(UserOrPipe::User(ProcessFd::new(queue))),
            Err(_) => Pipe::new().map(UserOrPipe::Pipe),
        }
    }

    pub(crate) fn notify(&self) -> Result<(), Error> {
        match self {
            UserOrPipe::Pipe(pipe) => pipe.notify(),
            UserOrPipe::User(queue) => {
                match sys::kevent(queue.get()?, &change(0, NOTE_TRIGGER), &mut [], NO_WAIT) {
                    Ok(_) => Ok(()),
                    Err(error) => Err(Error::os("kevent trigger", None, error)),
                }
            }
        }
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        match self {
            UserOrPipe::Pipe(pipe) => pipe.clear(),
            // Fetching an event of a knote with EV_CLEAR resets it.
            UserOrPipe::User(queue) => {
                match sys::kevent(queue.get()?, &[], &mut change(0, 0), NO_WAIT) {
                    Ok(events) => Ok(events > 0),
                    Err(error) => Err(Error::os("kevent fetch", None, error)),
                }
            }
        }
    }
}

impl AsFd for UserOrPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            UserOrPipe::User(queue) => queue.as_fd(),
            UserOrPipe::Pipe(pipe) => pipe.as_fd(),
        }
    }
}
