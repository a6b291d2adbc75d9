//! Calls that any fd takes.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// fcntl(2) F_GETFD: succeeds exactly if the number is open.
///
/// # Errors
///
/// EBADF.
pub fn fcntl_getfd(fd: RawFd) -> io::Result<libc::c_int> {
    // SAFETY: F_GETFD takes no further argument and touches no memory; a number that is not open
    // is answered with EBADF.
    unsafe { syscall!(fcntl(fd, libc::F_GETFD)) }
}

/// read(2): 0 is the end of the file.
///
/// # Errors
///
/// EAGAIN: nothing is there. EINTR. Else read(2) says what the kind of file may answer.
pub fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: the kernel writes at most `len` bytes from `pointer` on, which are ours to write.
    let n = unsafe { syscall!(read(fd.as_raw_fd(), pointer, len)) }?;
    Ok(n as usize)
}

/// write(2): how many bytes were taken.
///
/// # Errors
///
/// EAGAIN: there is no room. EINTR. Else write(2) says what the kind of file may answer.
pub fn write(fd: BorrowedFd<'_>, buffer: &[u8]) -> io::Result<usize> {
    let (pointer, len) = (buffer.as_ptr().cast(), buffer.len());
    // SAFETY: the kernel reads `len` bytes from `pointer` on, which are ours to read.
    let n = unsafe { syscall!(write(fd.as_raw_fd(), pointer, len)) }?;
    Ok(n as usize)
}

/// ioctl(2) FIONBIO: shall calls say WouldBlock instead of waiting? The mode belongs to the open
/// file, so every duplicate of the fd sees it.
///
/// # Errors
///
/// EPERM from a sandbox; ENOTTY for files that know no such mode.
pub fn ioctl_fionbio(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    let mut nonblocking = libc::c_int::from(nonblocking);
    let (fd, pointer) = (fd.as_raw_fd(), &raw mut nonblocking);
    // SAFETY: the request reads an int, which lives until the call returns.
    unsafe { syscall!(ioctl_fionbio = libc::ioctl(fd, libc::FIONBIO as _, pointer)) }?;
    Ok(())
}
