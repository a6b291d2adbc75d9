//! Datagrams, sent and received as a whole. What UDP and Unix datagrams have in common is written here,
//! once.

#[cfg(not(windows))]
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::panic::RefUnwindSafe;
use std::task::{Context, Poll};

use selectors_core::os::AsFd;
use selectors_core::sys::socket::{self, MSG_NOSIGNAL, MSG_PEEK};

use crate::fd::async_fd::Async;
#[cfg(not(windows))]
use crate::net::again::Again;
use crate::net::asked::{self, OWN_ADDRESS, PEERS_ADDRESS, asked_and_set, get, shut_down};
use crate::net::bound_file::SocketFile;
use crate::net::received::{Received, receive};
use crate::net::sockets::DatagramSocket;
use crate::watch::direction::Direction;

/// A socket for datagrams, under the names [`UdpSocket`](super::UdpSocket) and
/// [`UnixDatagram`](super::UnixDatagram). All methods take `&self`; any number of tasks may send and
/// receive.
///
/// A datagram is received and sent as a whole, in the poll that returns `Ready`: dropping any
/// future of this type loses none and sends none. The `poll_` forms have one waiter per direction,
/// see [`Async::poll_readable`].
pub struct Datagrams<S: DatagramSocket> {
    pub(super) io: Async<S>,
    /// Only a Unix socket has one.
    file: Option<SocketFile>,
    /// That of the poll-style form of a send that asks again.
    #[cfg(not(windows))]
    pub(super) again: Cell<Again>,
}

/// What is in its cell is set as a whole, by us alone.
impl<S: DatagramSocket + RefUnwindSafe> RefUnwindSafe for Datagrams<S> {}

impl<S: DatagramSocket> Datagrams<S> {
    #[track_caller]
    pub(super) fn attach(socket: S, file: Option<SocketFile>) -> Self {
        Datagrams {
            io: Async::new(socket),
            file,
            #[cfg(not(windows))]
            again: Cell::default(),
        }
    }

    /// Takes over a socket of std, and switches it to non-blocking mode. The file of a Unix socket is
    /// left alone.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn from_std(socket: S) -> io::Result<Self> {
        Ok(Datagrams {
            io: Async::nonblocking(socket)?,
            file: None,
            #[cfg(not(windows))]
            again: Cell::default(),
        })
    }

    /// Hands the socket back, unregistered and still in non-blocking mode; the file of a Unix socket
    /// stays.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_std(self) -> io::Result<S> {
        if let Some(file) = self.file {
            file.keep();
        }
        self.io.into_inner()
    }

    /// Sends one datagram to the connected peer.
    ///
    /// # Errors
    ///
    /// What send(2) answers: `NotConnected` or the like when there was none, and for UDP
    /// `ConnectionRefused` for an earlier datagram.
    #[track_caller]
    pub fn send(&self, datagram: &[u8]) -> impl Future<Output = io::Result<usize>> {
        self.io.write_with(move |socket| send(socket, datagram))
    }

    /// Receives one datagram of the connected peer, or of anybody if there is none; tells whether it
    /// was cut.
    ///
    /// # Errors
    ///
    /// What recvmsg(2) answers, for UDP `ConnectionRefused` for an earlier datagram included.
    #[track_caller]
    pub fn recv(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<Received>> {
        self.io.take_with(move |socket| some(socket, buffer, 0))
    }

    /// As [`recv`](Self::recv), and tells where it comes from; a Unix sender that is not bound has an
    /// address without a name.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn recv_from(
        &self,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<(Received, S::Address)>> {
        self.io.take_with(move |socket| from(socket, buffer, 0))
    }

    /// As [`recv`](Self::recv), but leaves the datagram for the next call.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn peek(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<Received>> {
        self.io
            .read_with(move |socket| some(socket, buffer, MSG_PEEK))
    }

    /// As [`recv_from`](Self::recv_from), but leaves the datagram for the next call.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn peek_from(
        &self,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<(Received, S::Address)>> {
        self.io
            .read_with(move |socket| from(socket, buffer, MSG_PEEK))
    }

    /// Waits for a datagram, and tells where it comes from; it is left for the next call.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// use reactor::net::UdpSocket;
    ///
    /// executor::block_on(async {
    ///     let ours = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let theirs = UdpSocket::bind("127.0.0.1:0").await?;
    ///     theirs.send_to(b"hello", ours.local_addr()?).await?;
    ///     assert_eq!(ours.peek_sender().await?, theirs.local_addr()?);
    ///     assert_eq!(ours.recv(&mut [0; 16]).await?.len(), 5);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn peek_sender(&self) -> impl Future<Output = io::Result<S::Address>> {
        self.io.read_with(|socket| {
            // With room for a byte: an empty buffer is not taken everywhere.
            let (_, from) = from(socket, &mut [0], MSG_PEEK)?;
            Ok(from)
        })
    }

    /// The poll-style form of [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_write_with(cx, |socket| send(socket, datagram))
    }

    /// The poll-style form of [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Received>> {
        self.io.poll_read_with(cx, |socket| some(socket, buffer, 0))
    }

    /// The poll-style form of [`recv_from`](Self::recv_from).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// use reactor::net::UdpSocket;
    /// use std::future::poll_fn;
    ///
    /// executor::block_on(async {
    ///     let ours = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let theirs = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let to = ours.local_addr()?;
    ///     assert_eq!(poll_fn(|cx| theirs.poll_send_to(cx, b"hello", to)).await?, 5);
    ///     let mut buffer = [0; 16];
    ///     let (peeked, _) = poll_fn(|cx| ours.poll_peek_from(cx, &mut buffer)).await?;
    ///     let (received, from) = poll_fn(|cx| ours.poll_recv_from(cx, &mut buffer)).await?;
    ///     assert_eq!((peeked, received.len()), (received, 5));
    ///     assert_eq!(from, theirs.local_addr()?);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(Received, S::Address)>> {
        self.io.poll_read_with(cx, |socket| from(socket, buffer, 0))
    }

    /// The poll-style form of [`peek_from`](Self::peek_from).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(Received, S::Address)>> {
        let peek = |socket: &S| from(socket, buffer, MSG_PEEK);
        self.io.poll_read_with(cx, peek)
    }

    /// Waits until a datagram may be there.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.io.readable()
    }

    /// Waits until there may be room to send; for a Unix socket, in the queue of the connected peer.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.io.writable()
    }

    /// One attempt to send to the connected peer, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`send`](Self::send).
    pub fn try_send(&self, datagram: &[u8]) -> io::Result<usize> {
        let send = |socket: &S| send(socket, datagram);
        self.io.try_call(Direction::Write, send)
    }

    /// One attempt to receive, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is there; else as [`recv`](Self::recv).
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let receive = |socket: &S| some(socket, buffer, 0);
        self.io.try_call(Direction::Read, receive)
    }

    /// As [`try_recv`](Self::try_recv), and tells where it comes from.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(Received, S::Address)> {
        let receive = |socket: &S| from(socket, buffer, 0);
        self.io.try_call(Direction::Read, receive)
    }

    /// Closes one direction or both for everybody who shares the socket. A Unix peer is told: its sends
    /// fail with `BrokenPipe`. Who waits in `readable` is answered; datagrams have no end that a `recv`
    /// could find, so it goes on waiting.
    ///
    /// # Errors
    ///
    /// What shutdown(2) answers: `NotConnected` without a peer.
    ///
    /// ```
    /// use reactor::net::UnixDatagram;
    /// use std::{io::ErrorKind, net::Shutdown};
    ///
    /// executor::block_on(async {
    ///     let (near, far) = UnixDatagram::pair()?;
    ///     near.shutdown(Shutdown::Read)?;
    ///     assert_eq!(far.send(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        shut_down(&self.io, how)
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<S::Address> {
        get(&self.io, OWN_ADDRESS, || self.io.get_ref().own_address())
    }

    /// The address of the connected peer.
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is none.
    pub fn peer_addr(&self) -> io::Result<S::Address> {
        get(&self.io, PEERS_ADDRESS, || self.io.get_ref().peer_address())
    }

    asked_and_set!();
}

fn send(socket: &impl AsFd, datagram: &[u8]) -> io::Result<usize> {
    socket::send(socket.as_fd(), datagram, MSG_NOSIGNAL)
}

/// One datagram.
fn some(socket: &impl AsFd, buffer: &mut [u8], flags: i32) -> io::Result<Received> {
    Ok(receive(socket, buffer, flags)?.0)
}

/// One datagram, and where it comes from.
fn from<S: DatagramSocket>(
    socket: &S,
    buffer: &mut [u8],
    flags: i32,
) -> io::Result<(Received, S::Address)> {
    let (received, from) = receive(socket, buffer, flags)?;
    Ok((received, S::address(from)?))
}

selectors_core::has_fd!([S: DatagramSocket] Datagrams<S>, io);

impl<S: DatagramSocket> fmt::Debug for Datagrams<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}
