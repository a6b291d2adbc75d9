//! The door for those who must register bare numbers.

use crate::Error;
use crate::os::{BorrowedFd, RawFd};

/// A number that is watched without being owned.
///
/// Everything else in this crate owns or borrows what it watches, so that it cannot be closed
/// behind the selector's back. Embedders that get numbers from elsewhere (a C library, another
/// language) promise by hand what the compiler cannot see.
///
/// # Contract
///
/// The number should stay open and mean the same file until its key is unregistered. If that
/// promise is broken, memory stays safe, other keys are not disturbed, and no loop spins for ever:
///
/// | what happened to the number | select, poll, /dev/poll | epoll | kqueue |
/// |---|---|---|---|
/// | closed | reported invalid once, then silent until `modify` changes its events | silent | silent |
/// | closed, a duplicate lives | as above | goes on reporting until `unregister`, then once more to nobody | silent |
/// | closed and reused | watches the new file | silent | silent |
/// | `unregister` afterwards | succeeds | succeeds | succeeds |
#[derive(Debug)]
pub struct RawSource(RawFd);

impl RawSource {
    /// Wraps a number. Whether it is open is for `register` to find out.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFd`] for a negative number.
    ///
    /// # Safety
    ///
    /// The contract above: the number stays open, with the same file, for as long as the value
    /// lives.
    pub unsafe fn new(fd: RawFd) -> Result<RawSource, Error> {
        if fd < 0 {
            Err(Error::InvalidFd(fd))
        } else {
            Ok(RawSource(fd))
        }
    }
}

#[cfg(winsock)]
impl std::os::windows::io::AsSocket for RawSource {
    fn as_socket(&self) -> BorrowedFd<'_> {
        // SAFETY: the number is not that of no socket, and the caller of `new` has promised that it
        // stays open for as long as the source lives.
        unsafe { BorrowedFd::borrow_raw(self.0 as std::os::windows::io::RawSocket) }
    }
}

#[cfg(not(winsock))]
impl crate::os::AsFd for RawSource {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the number is not negative, and the caller of `new` has promised that it stays open
        // for as long as the source lives.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}
