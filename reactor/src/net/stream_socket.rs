//! What [`Stream`](super::Stream) needs to know about a socket: the four calls that move bytes, and
//! whether a short read proves that there is nothing left.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::RecvFlags;

use crate::platform::NO_SIGNAL;

/// The sockets that a [`Stream`](super::Stream) can be made of: those of std for TCP and Unix.
/// Sealed, because what is said about short reads must be true of the kernel's code.
pub trait StreamSocket: Sealed + AsFd + From<OwnedFd> + fmt::Debug + 'static {
    /// Does a read that fills less than the buffer prove that the kernel's queue was empty? Then
    /// the next read can wait for an event without trying.
    #[doc(hidden)]
    const SHORT_READ_PROVES_EMPTY: bool;

    #[doc(hidden)]
    fn recv(&self, buffer: &mut [u8]) -> io::Result<usize>;
    #[doc(hidden)]
    fn recv_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    #[doc(hidden)]
    fn send(&self, buffer: &[u8]) -> io::Result<usize>;
    #[doc(hidden)]
    fn send_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// Only the two sockets below.
pub trait Sealed {}

macro_rules! stream_socket {
    ($socket:ty, $proves:literal) => {
        impl Sealed for $socket {}

        impl StreamSocket for $socket {
            const SHORT_READ_PROVES_EMPTY: bool = $proves;

            #[inline]
            fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
                match rustix::net::recv(self, buffer, RecvFlags::empty()) {
                    // The first would be the same, but compared with the buffer once more.
                    Ok((_, received)) => Ok(received),
                    Err(errno) => Err(refused(errno)),
                }
            }

            #[inline]
            fn recv_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let mut socket = self;
                socket.read_vectored(buffers)
            }

            #[inline]
            fn send(&self, buffer: &[u8]) -> io::Result<usize> {
                rustix::net::send(self, buffer, NO_SIGNAL).map_err(refused)
            }

            #[inline]
            fn send_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
                let mut socket = self;
                socket.write_vectored(buffers)
            }
        }
    };
}

// TCP stops short only at the urgent byte, which the slot knows from the PRIORITY condition.
stream_socket!(std::net::TcpStream, true);
// A Unix read also stops behind every message that carries fds, with no condition to tell.
stream_socket!(std::os::unix::net::UnixStream, false);

/// Out of the way, or the error is made up before it is known that there is one.
#[cold]
#[inline(never)]
fn refused(errno: Errno) -> io::Error {
    errno.into()
}
