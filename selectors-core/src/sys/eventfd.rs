//! eventfd(2).

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// eventfd(2), starting at 0, non-blocking, close-on-exec.
///
/// # Errors
///
/// EMFILE, ENFILE, ENOMEM; ENODEV without anonymous inodes; ENOSYS and EPERM from a sandbox.
pub fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = unsafe { syscall!(eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)) }?;
    // SAFETY: a successful call returns a new fd that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
