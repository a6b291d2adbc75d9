//! What the types of this room need to know about the sockets of std that they are made of.

use std::fmt;
use std::io;
use std::net;
#[cfg(not(windows))]
use std::os::unix::net as unix;

use selectors_core::os::{AsFd, OwnedFd};
use selectors_core::sys::Address;

/// The sockets that a [`Stream`](super::Stream) can be made of: those of std for TCP and Unix.
/// Sealed, because what is said about short reads must be true of the kernel's code.
pub trait StreamSocket: Sealed + AsFd + From<OwnedFd> + fmt::Debug + 'static {
    /// Does a read that fills less than the buffer prove that the kernel's queue was empty? Then
    /// the next read can wait for an event without trying.
    #[doc(hidden)]
    const SHORT_READ_PROVES_EMPTY: bool;
}

/// The sockets that a [`Listener`](super::Listener) can be made of: those of std for TCP and Unix.
pub trait ListeningSocket: AddressedSocket {
    /// What it accepts.
    type Connection: StreamSocket;
}

/// The sockets that a [`Datagrams`](super::Datagrams) can be made of: those of std for UDP and Unix.
pub trait DatagramSocket: AddressedSocket {
    #[doc(hidden)]
    fn peer_address(&self) -> io::Result<Self::Address>;
}

/// A socket whose ends have addresses of one kind.
pub trait AddressedSocket: Sealed + AsFd + From<OwnedFd> + fmt::Debug + 'static {
    /// Where it is, and where what it receives comes from.
    type Address: fmt::Debug;

    #[doc(hidden)]
    fn own_address(&self) -> io::Result<Self::Address>;

    #[doc(hidden)]
    fn address(kernels: Address) -> io::Result<Self::Address>;
}

/// Only the sockets below.
pub trait Sealed {}

impl Sealed for net::TcpStream {}

impl StreamSocket for net::TcpStream {
    /// It stops short only at the urgent byte, which the slot knows from the PRIORITY condition.
    const SHORT_READ_PROVES_EMPTY: bool = true;
}

#[cfg(not(windows))]
impl Sealed for unix::UnixStream {}

#[cfg(not(windows))]
impl StreamSocket for unix::UnixStream {
    /// It also stops behind every message that carries fds, with no condition to tell.
    const SHORT_READ_PROVES_EMPTY: bool = false;
}

macro_rules! addressed {
    ($socket:ty, $address:ty, $from_kernel:expr) => {
        impl Sealed for $socket {}

        impl AddressedSocket for $socket {
            type Address = $address;

            fn own_address(&self) -> io::Result<$address> {
                self.local_addr()
            }

            fn address(kernels: Address) -> io::Result<$address> {
                $from_kernel(kernels)
            }
        }
    };
}
addressed!(net::TcpListener, net::SocketAddr, of_ip);
addressed!(net::UdpSocket, net::SocketAddr, of_ip);
#[cfg(not(windows))]
addressed!(unix::UnixListener, unix::SocketAddr, Address::to_unix);
#[cfg(not(windows))]
addressed!(unix::UnixDatagram, unix::SocketAddr, Address::to_unix);

fn of_ip(kernels: Address) -> io::Result<net::SocketAddr> {
    let address = kernels.to_ip();
    address.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

impl ListeningSocket for net::TcpListener {
    type Connection = net::TcpStream;
}

#[cfg(not(windows))]
impl ListeningSocket for unix::UnixListener {
    type Connection = unix::UnixStream;
}

impl DatagramSocket for net::UdpSocket {
    fn peer_address(&self) -> io::Result<net::SocketAddr> {
        self.peer_addr()
    }
}

#[cfg(not(windows))]
impl DatagramSocket for unix::UnixDatagram {
    fn peer_address(&self) -> io::Result<unix::SocketAddr> {
        self.peer_addr()
    }
}
