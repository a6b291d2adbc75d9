//! Calls that any fd takes.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use crate::RawSource;

/// fcntl(2) F_GETFD: succeeds exactly if the number is open.
pub(crate) fn fcntl_getfd(fd: RawFd) -> io::Result<libc::c_int> {
    // SAFETY: F_GETFD takes no further argument and touches no memory; a number that is not open
    // is answered with EBADF.
    unsafe { syscall!(fcntl(fd, libc::F_GETFD)) }
}

/// read(2).
pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: the kernel writes at most `len` bytes from `pointer` on, which are ours to write.
    let n = unsafe { syscall!(read(fd.as_raw_fd(), pointer, len)) }?;
    Ok(n as usize)
}

/// write(2).
pub(crate) fn write(fd: BorrowedFd<'_>, buffer: &[u8]) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_ptr().cast(), buffer.len());
    // SAFETY: the kernel reads `len` bytes from `pointer` on, which are ours to read.
    let n = unsafe { syscall!(write(fd.as_raw_fd(), pointer, len)) }?;
    Ok(n as usize)
}

/// Not a call: the number of a raw source, as the type that all others have.
pub(crate) fn borrow(source: &RawSource) -> BorrowedFd<'_> {
    // SAFETY: the number is not negative, and the caller of `RawSource::new` has promised that it
    // stays open for as long as the source lives.
    unsafe { BorrowedFd::borrow_raw(source.number()) }
}
