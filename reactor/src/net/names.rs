//! The number of a socket, and the way from std's types and back, under the names of std's traits.

use std::io;
use std::net;

#[cfg(not(windows))]
use std::os::fd::{AsRawFd, RawFd};
#[cfg(not(windows))]
use std::os::unix::net as unix;

#[cfg(not(windows))]
use selectors_core::os::AsFd;

#[cfg(not(windows))]
use crate::fd::async_fd::Async;
#[cfg(not(windows))]
use crate::net::sockets::{DatagramSocket, ListeningSocket, StreamSocket};
use crate::net::{Datagrams, Listener, Stream};
#[cfg(not(windows))]
use crate::net::{TcpSocket, UnixSocket};

#[cfg(not(windows))]
macro_rules! numbers {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        /// For calls that take a number. It stays ours: whoever closes it closes what we wait for.
        impl<$($generics)*> AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }
    )*};
}
#[cfg(not(windows))]
numbers! {
    [T: AsFd + 'static] Async<T>;
    [S: StreamSocket] Stream<S>;
    [S: ListeningSocket] Listener<S>;
    [S: DatagramSocket] Datagrams<S>;
    [] TcpSocket;
    [] UnixSocket;
}

macro_rules! conversions {
    ($($ours:ident $stds:ty;)*) => {$(
        /// As `from_std`, which says what it needs.
        impl TryFrom<$stds> for $ours<$stds> {
            type Error = io::Error;

            #[track_caller]
            fn try_from(socket: $stds) -> io::Result<Self> {
                Self::from_std(socket)
            }
        }

        /// As `into_std`: it is still in non-blocking mode.
        impl TryFrom<$ours<$stds>> for $stds {
            type Error = io::Error;

            fn try_from(socket: $ours<$stds>) -> io::Result<Self> {
                socket.into_std()
            }
        }
    )*};
}
conversions! {
    Stream net::TcpStream;
    Listener net::TcpListener;
    Datagrams net::UdpSocket;
}
#[cfg(not(windows))]
conversions! {
    Stream unix::UnixStream;
    Listener unix::UnixListener;
    Datagrams unix::UnixDatagram;
}
