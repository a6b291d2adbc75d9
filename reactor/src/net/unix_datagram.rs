//! Unix datagrams: whole messages between processes of one machine, reliable and in order.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use selectors_core::sys::Address;
use selectors_core::sys::socket::{self, MSG_NOSIGNAL};

use crate::fd::async_fd::Async;
use crate::heart::shared::Shared;
use crate::net::received::{Received, receive};
use crate::net::unix_address::{SocketFile, address_of, bound_socket, name_unix};
use crate::time::sleep;
use crate::watch::direction::Direction;

/// The first and the longest pause of a `send_to` that meets a full queue.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// A Unix datagram socket. All methods take `&self`; dropping any future of this type loses no
/// message and sends none.
///
/// The file of a bound one is removed when it is dropped, as
/// [`UnixListener`](crate::net::UnixListener) says.
///
/// ```
/// use reactor::net::UnixDatagram;
///
/// executor::block_on(async {
///     let (near, far) = UnixDatagram::pair()?;
///     near.send(b"hello").await?;
///     let mut buffer = [0; 16];
///     let received = far.recv(&mut buffer).await?;
///     assert_eq!(&buffer[..received.len()], b"hello");
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixDatagram {
    pub(super) io: Async<std::os::unix::net::UnixDatagram>,
    file: Option<SocketFile>,
}

impl UnixDatagram {
    /// A socket at `path`, where no file may be yet.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is a file, and whatever else bind(2) answers; the error names the file.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Shared::assert_current();
        Self::bind_addr(&address_of(path.as_ref())?)
    }

    /// As [`bind`](Self::bind), at any address, such as an
    /// [abstract](crate::net::abstract_address) one.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Shared::assert_current();
        let (socket, file) = bound_socket(libc::SOCK_DGRAM, address)?;
        Ok(UnixDatagram {
            io: Async::new(socket.into()),
            file,
        })
    }

    /// A socket without a name: it can send, and receive once it is connected by a peer.
    ///
    /// # Errors
    ///
    /// What socket(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn unbound() -> io::Result<Self> {
        Shared::assert_current();
        Ok(UnixDatagram {
            io: Async::new(socket::socket(libc::AF_UNIX, libc::SOCK_DGRAM)?.into()),
            file: None,
        })
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// What socketpair(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        Shared::assert_current();
        let (near, far) = std::os::unix::net::UnixDatagram::pair()?;
        Ok((Self::from_std(near)?, Self::from_std(far)?))
    }

    /// Takes over a socket of std, and switches it to non-blocking mode. Its file, if any, is left
    /// alone.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn from_std(socket: std::os::unix::net::UnixDatagram) -> io::Result<Self> {
        Shared::assert_current();
        Ok(UnixDatagram {
            io: Async::nonblocking(socket)?,
            file: None,
        })
    }

    /// Hands the socket back, unregistered and still in non-blocking mode; its file stays.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_std(mut self) -> io::Result<std::os::unix::net::UnixDatagram> {
        if let Some(file) = self.file.take() {
            file.keep();
        }
        self.io.into_inner()
    }

    /// Chooses the peer of [`send`](Self::send) and [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// What connect(2) answers; the error names the file.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.connect_addr(&address_of(path.as_ref())?)
    }

    /// As [`connect`](Self::connect), to any address.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect_addr(&self, address: &SocketAddr) -> io::Result<()> {
        let connect = || socket::connect(self.as_fd(), &Address::unix(address)?);
        connect().map_err(|error| name_unix("connect to", address, error))
    }

    /// Sends one message to the socket at `path`.
    ///
    /// The kernel offers no event for room in the queue of a peer that we are not connected to, so
    /// while it is full this asks again, after 1 to 20 milliseconds; [`connect`](Self::connect) and
    /// [`send`](Self::send) need not.
    ///
    /// # Errors
    ///
    /// What sendto(2) answers; the error names the file.
    pub async fn send_to(&self, message: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.send_to_addr(message, &address_of(path.as_ref())?)
            .await
    }

    /// As [`send_to`](Self::send_to), to any address.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send_to_addr(&self, message: &[u8], address: &SocketAddr) -> io::Result<usize> {
        self.io.let_others_run().await;
        let mut pause = PAUSES.0;
        loop {
            match self.try_send_to_addr(message, address) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sleep(pause).await;
                    pause = PAUSES.1.min(pause * 2);
                }
                sent => return sent,
            }
        }
    }

    /// One attempt to send to any address, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`send_to`](Self::send_to).
    pub fn try_send_to_addr(&self, message: &[u8], address: &SocketAddr) -> io::Result<usize> {
        let send = || {
            let to = Address::unix(address)?;
            socket::sendto(self.as_fd(), message, MSG_NOSIGNAL, &to)
        };
        // Not through the slot: its readiness is about the connected peer.
        send().map_err(|error| name_unix("send to", address, error))
    }

    /// Sends one message to the connected peer.
    ///
    /// # Errors
    ///
    /// What send(2) answers: `ConnectionRefused` or `ConnectionReset` when the peer is gone,
    /// `NotConnected` when there was none.
    pub async fn send(&self, message: &[u8]) -> io::Result<usize> {
        let send = |socket: &_| send(socket, message);
        self.io.write_with(send).await
    }

    /// Receives one message of the connected peer, or of anybody if there is none; tells whether it
    /// was cut.
    ///
    /// # Errors
    ///
    /// What recvmsg(2) answers.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.io
            .take_with(|socket| Ok(receive(socket, buffer, 0)?.0))
            .await
    }

    /// As [`recv`](Self::recv), and tells where it comes from; a sender that is not bound has an
    /// address without a name.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(Received, SocketAddr)> {
        let message = self.io.take_with(|socket| receive(socket, buffer, 0));
        let (received, from) = message.await?;
        Ok((received, from.to_unix()?))
    }

    /// One attempt to send to the connected peer, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`send`](Self::send).
    pub fn try_send(&self, message: &[u8]) -> io::Result<usize> {
        self.io
            .try_with(Direction::Write, |socket| send(socket, message))
    }

    /// One attempt to receive, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is there; else as [`recv`](Self::recv).
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.io
            .try_with(Direction::Read, |socket| Ok(receive(socket, buffer, 0)?.0))
    }

    /// Waits until a message may be there.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    pub async fn readable(&self) -> io::Result<()> {
        self.io.readable().await
    }

    /// Waits until there may be room in the queue of the connected peer.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    pub async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// The address of the connected peer.
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().peer_addr()
    }
}

fn send(socket: &impl AsFd, message: &[u8]) -> io::Result<usize> {
    socket::send(socket.as_fd(), message, MSG_NOSIGNAL)
}

impl AsFd for UnixDatagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}
