//! Calls that only tests make: they break promises on purpose, with numbers that are their own.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use crate::RawSource;

/// A number that no other test of this process uses, though the kernel may hand out any number
/// below it: it is the test's to close, to reuse and to leave closed.
pub(crate) struct Private(RawFd);

impl Private {
    /// Opens a fresh number as a duplicate of `fd`.
    pub(crate) fn new(fd: impl AsFd) -> Private {
        static NEXT: AtomicI32 = AtomicI32::new(600);
        let private = Private(NEXT.fetch_add(1, Ordering::Relaxed));
        private.reuse(fd);
        private
    }

    pub(crate) fn number(&self) -> RawFd {
        self.0
    }

    /// The number as a raw source.
    pub(crate) fn source(&self) -> RawSource {
        // SAFETY: the tests of the raw door break this promise on purpose; its contract says that
        // memory stays safe.
        unsafe { RawSource::new(self.0) }.unwrap()
    }

    /// Makes the number mean what `fd` means, whatever it meant before.
    pub(crate) fn reuse(&self, fd: impl AsFd) {
        // SAFETY: takes no pointer; the number belongs to this test.
        let done = unsafe { libc::dup2(fd.as_fd().as_raw_fd(), self.0) };
        assert_eq!(done, self.0, "{}", io::Error::last_os_error());
    }

    pub(crate) fn close(&self) {
        // SAFETY: the number belongs to this test, and no owner knows it.
        unsafe { libc::close(self.0) };
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        self.close();
    }
}

/// A raw source of any number, open or not.
pub(crate) fn raw(fd: RawFd) -> Result<RawSource, crate::Error> {
    // SAFETY: as in `Private::source`.
    unsafe { RawSource::new(fd) }
}

/// send(2) of one urgent byte.
pub(crate) fn send_urgent(fd: BorrowedFd<'_>) {
    // SAFETY: the kernel reads one byte of a constant.
    let sent = unsafe { libc::send(fd.as_raw_fd(), b"!".as_ptr().cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1, "{}", io::Error::last_os_error());
}

/// fcntl(2) F_DUPFD_CLOEXEC: a duplicate with a number of at least `min`.
pub(crate) fn dup_from(fd: BorrowedFd<'_>, min: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: takes an int and touches no memory.
    let number = unsafe { syscall!(fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, min)) }?;
    // SAFETY: a successful call returns a new fd that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// socket(2): TCP, non-blocking, not connected.
pub(crate) fn tcp_socket() -> OwnedFd {
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointer.
    let fd = unsafe { libc::socket(libc::AF_INET, kind, 0) };
    assert!(fd >= 0, "{}", io::Error::last_os_error());
    // SAFETY: a successful call returns a new fd that nobody else owns.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// connect(2) to a port of the loopback address, whatever comes of it.
pub(crate) fn connect_nonblocking(socket: BorrowedFd<'_>, port: u16) {
    // SAFETY: all zeros is a valid `sockaddr_in`.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::AF_INET as libc::sa_family_t;
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    let len = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the kernel reads one `sockaddr_in`, which lives until the call returns.
    unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), len) };
}

/// The number of an errno that a table names.
pub(crate) fn errno_named(name: &str) -> i32 {
    let known = [
        ("EPERM", libc::EPERM),
        ("ENOENT", libc::ENOENT),
        ("ESRCH", libc::ESRCH),
        ("EINTR", libc::EINTR),
        ("EIO", libc::EIO),
        ("ENXIO", libc::ENXIO),
        ("EBADF", libc::EBADF),
        ("EAGAIN", libc::EAGAIN),
        ("ENOMEM", libc::ENOMEM),
        ("EACCES", libc::EACCES),
        ("EFAULT", libc::EFAULT),
        ("EBUSY", libc::EBUSY),
        ("EEXIST", libc::EEXIST),
        ("ENODEV", libc::ENODEV),
        ("EISDIR", libc::EISDIR),
        ("EINVAL", libc::EINVAL),
        ("ENFILE", libc::ENFILE),
        ("EMFILE", libc::EMFILE),
        ("EFBIG", libc::EFBIG),
        ("ENOSPC", libc::ENOSPC),
        ("EPIPE", libc::EPIPE),
        ("ENOSYS", libc::ENOSYS),
        ("ELOOP", libc::ELOOP),
        ("ENOPKG", libc::ENOPKG),
        ("EDESTADDRREQ", libc::EDESTADDRREQ),
        ("EDQUOT", libc::EDQUOT),
        #[cfg(uring)]
        ("ETIME", libc::ETIME),
        #[cfg(uring)]
        ("EBADFD", libc::EBADFD),
        #[cfg(uring)]
        ("EBADR", libc::EBADR),
        #[cfg(uring)]
        ("EOPNOTSUPP", libc::EOPNOTSUPP),
    ];
    let found = known.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no errno {name:?}")).1
}
