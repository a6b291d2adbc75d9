//! /dev/poll: open(2), write(2), ioctl(2). The `libc` crate has none of its names.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, pollfd};

use crate::sys::acts;

#[cfg(not(devpoll))]
use crate::sys::double::devpoll as native;
#[cfg(devpoll)]
use libc as native;

/// In `pollfd::events`, and alone there: take the number out of the set.
pub const POLLREMOVE: i16 = 0x0800;

/// `struct dvpoll`, from illumos' public header.
#[repr(C)]
pub(crate) struct Dvpoll {
    pub(crate) fds: *mut pollfd,
    pub(crate) nfds: libc::nfds_t,
    pub(crate) timeout: c_int,
    /// Read by DP_PPOLL only.
    setp: *mut libc::sigset_t,
}

/// The request of ioctl(2) that waits, from illumos' public header.
pub(crate) const DP_POLL: c_int = 0xD001;

/// open(2) of /dev/poll: a new, empty set.
///
/// # Errors
///
/// EINTR, EMFILE, ENFILE; EACCES, ENODEV, ENOENT, ENXIO.
pub fn open() -> io::Result<OwnedFd> {
    let flags = libc::O_RDWR | libc::O_CLOEXEC;
    // SAFETY: the path is a C string that lives for ever.
    let fd = unsafe { syscall!(open = native::open(c"/dev/poll".as_ptr(), flags)) }?;
    // SAFETY: a successful call returns a new fd that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// write(2): makes the changes, in order. Returns how many bytes were taken.
///
/// # Errors
///
/// EINTR, EACCES (in a forked child), EINVAL, ENOMEM, ENXIO.
pub fn write(devpoll: BorrowedFd<'_>, changes: &[pollfd]) -> io::Result<usize> {
    let (pointer, len) = (changes.as_ptr().cast(), size_of_val(changes));
    // SAFETY: the kernel reads `len` bytes from `pointer` on, which are the records.
    let n = unsafe { syscall!(write = native::write(devpoll.as_raw_fd(), pointer, len)) }?;
    Ok(n as usize)
}

/// ioctl(2) DP_POLL, in milliseconds; -1 waits for ever.
///
/// # Errors
///
/// EINTR, EACCES, EINVAL, ENXIO.
pub fn ioctl_dp_poll(
    devpoll: BorrowedFd<'_>,
    ready: &mut [pollfd],
    millis: c_int,
) -> io::Result<usize> {
    let mut request = Dvpoll {
        fds: ready.as_mut_ptr(),
        nfds: ready.len() as libc::nfds_t,
        timeout: millis,
        setp: std::ptr::null_mut(),
    };
    let devpoll = devpoll.as_raw_fd();
    // SAFETY: the request lives until the call returns and names an array that is ours to write.
    let n = act!(acts::DpPoll, unsafe {
        syscall!(ioctl = native::ioctl(devpoll, DP_POLL as _, &raw mut request))
    })?;
    Ok(n as usize)
}
