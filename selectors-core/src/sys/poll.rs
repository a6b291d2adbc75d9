//! poll(2) and ppoll(2).

use std::io;
use std::os::fd::RawFd;

use libc::{c_int, pollfd};

use crate::sys::acts;

// `Readiness` takes poll's bits as they are.
const _: () = assert!(
    libc::POLLIN == 1
        && libc::POLLPRI == 2
        && libc::POLLOUT == 4
        && libc::POLLERR == 8
        && libc::POLLHUP == 16
        && libc::POLLNVAL == 32
);

/// POLLRDHUP, where it has the value that `Readiness` gives it; 0 where there is none.
#[cfg(rdhup)]
pub const RDHUP: u16 = libc::POLLRDHUP as u16;
/// There is no POLLRDHUP of the value that `Readiness` gives it.
#[cfg(not(rdhup))]
pub const RDHUP: u16 = 0;

/// What poll(2) is to look for; it writes its answer into `revents`.
#[must_use]
pub const fn record(fd: RawFd, events: u16) -> pollfd {
    pollfd {
        fd,
        events: events as i16,
        revents: 0,
    }
}

/// poll(2), in milliseconds; exactly -1 waits for ever (BSD refuses other negative numbers).
///
/// # Errors
///
/// EINTR; EINVAL for more records than RLIMIT_NOFILE; ENOMEM.
pub fn poll(fds: &mut [pollfd], millis: c_int) -> io::Result<usize> {
    let (pointer, len) = (fds.as_mut_ptr(), fds.len() as libc::nfds_t);
    // SAFETY: the kernel reads and writes `len` records from `pointer` on, which are ours.
    let n = act!(acts::Poll, unsafe { syscall!(poll(pointer, len, millis)) })?;
    Ok(n as usize)
}

/// ppoll(2), in nanoseconds.
///
/// # Errors
///
/// As [`poll`]; ENOSYS and EPERM from a sandbox.
#[cfg(ppoll)]
pub fn ppoll(fds: &mut [pollfd], timeout: libc::timespec) -> io::Result<usize> {
    let (pointer, len) = (fds.as_mut_ptr(), fds.len() as libc::nfds_t);
    // SAFETY: as for `poll`; the timeout lives until the call returns, a null signal mask means
    // none.
    let n = unsafe { syscall!(ppoll(pointer, len, &raw const timeout, std::ptr::null())) }?;
    Ok(n as usize)
}

/// Where there is no ppoll(2), the answer of a kernel that lacks it.
///
/// # Errors
///
/// ENOSYS.
#[cfg(not(ppoll))]
pub fn ppoll(_fds: &mut [pollfd], _timeout: libc::timespec) -> io::Result<usize> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
