//! pipe(2).

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// pipe(2), both ends non-blocking and close-on-exec: the read end, the write end.
///
/// # Errors
///
/// EMFILE, ENFILE.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    #[cfg(pipe2)]
    // SAFETY: the kernel writes two numbers into the array.
    unsafe { syscall!(pipe2(ends.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC)) }?;
    #[cfg(not(pipe2))]
    // SAFETY: the kernel writes two numbers into the array.
    unsafe { syscall!(pipe(ends.as_mut_ptr())) }?;
    // SAFETY: a successful call returns two new fds that nobody else owns; this is the first.
    let reader = unsafe { OwnedFd::from_raw_fd(ends[0]) };
    // SAFETY: and this is the second.
    let writer = unsafe { OwnedFd::from_raw_fd(ends[1]) };
    #[cfg(not(pipe2))]
    for end in ends {
        // SAFETY: F_SETFL takes an int and touches no memory.
        unsafe { syscall!(fcntl(end, libc::F_SETFL, libc::O_NONBLOCK)) }?;
        // SAFETY: F_SETFD takes an int and touches no memory.
        unsafe { syscall!(fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC)) }?;
    }
    Ok((reader, writer))
}
