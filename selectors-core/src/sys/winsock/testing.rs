//! Calls that only tests make.

use windows_sys::Win32::Networking::WinSock as ws;

use super::{Address, socket};
use crate::os::{BorrowedFd, OwnedFd, RawFd};
use crate::{Error, RawSource};

/// A raw source of any number, open or not.
pub(crate) fn raw(number: RawFd) -> Result<RawSource, Error> {
    // SAFETY: the tests of the raw door break this promise on purpose; its contract says that memory
    // stays safe.
    unsafe { RawSource::new(number) }
}

/// send() of one urgent byte.
pub(crate) fn send_urgent(to: BorrowedFd<'_>) {
    assert_eq!(socket::send(to, b"!", ws::MSG_OOB).unwrap(), 1);
}

/// A TCP socket, non-blocking, not connected.
pub(crate) fn tcp_socket() -> OwnedFd {
    socket::socket(socket::AF_INET, socket::SOCK_STREAM).unwrap()
}

/// connect() to a port of the loopback address, whatever comes of it.
pub(crate) fn connect_nonblocking(from: BorrowedFd<'_>, port: u16) {
    let _ = socket::connect(from, &Address::ip(([127, 0, 0, 1], port).into()));
}
