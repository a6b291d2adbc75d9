//! What [`Stream`](super::Stream) needs to know about a socket: whether a short read proves that
//! there is nothing left.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};

/// The sockets that a [`Stream`](super::Stream) can be made of: those of std for TCP and Unix.
/// Sealed, because what is said about short reads must be true of the kernel's code.
pub trait StreamSocket: Sealed + AsFd + From<OwnedFd> + fmt::Debug + 'static {
    /// Does a read that fills less than the buffer prove that the kernel's queue was empty? Then
    /// the next read can wait for an event without trying.
    #[doc(hidden)]
    const SHORT_READ_PROVES_EMPTY: bool;
}

/// Only the two sockets below.
pub trait Sealed {}

impl Sealed for std::net::TcpStream {}

impl StreamSocket for std::net::TcpStream {
    /// It stops short only at the urgent byte, which the slot knows from the PRIORITY condition.
    const SHORT_READ_PROVES_EMPTY: bool = true;
}

impl Sealed for std::os::unix::net::UnixStream {}

impl StreamSocket for std::os::unix::net::UnixStream {
    /// It also stops behind every message that carries fds, with no condition to tell.
    const SHORT_READ_PROVES_EMPTY: bool = false;
}
