//! A Unix datagram socket: how it is made, its file, and how it sends to a name.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll, ready};

use selectors_core::sys::Address;
use selectors_core::sys::socket::{self, MSG_NOSIGNAL};

use crate::errno::tried;
use crate::heart::shared::Shared;
use crate::net::again::Again;
use crate::net::datagrams::Datagrams;
use crate::net::unix_address::{address_of, bound_socket, name_unix};

/// A Unix datagram socket: whole messages between processes of one machine, reliable and in order;
/// most of what it can do is said at [`Datagrams`].
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
pub type UnixDatagram = Datagrams<std::os::unix::net::UnixDatagram>;

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
        Ok(Datagrams::attach(socket.into(), file))
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
        let socket = socket::socket(libc::AF_UNIX, libc::SOCK_DGRAM);
        let socket = socket.map_err(|error| tried("socket", error))?;
        Ok(Datagrams::attach(socket.into(), None))
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
        let (near, far) =
            std::os::unix::net::UnixDatagram::pair().map_err(|error| tried("socketpair", error))?;
        Ok((Self::from_std(near)?, Self::from_std(far)?))
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
    #[track_caller]
    pub fn send_to(
        &self,
        message: &[u8],
        path: impl AsRef<Path>,
    ) -> impl Future<Output = io::Result<usize>> {
        self.io.driven(async move {
            self.io.let_others_run().await;
            self.sending_to(message, &address_of(path.as_ref())?).await
        })
    }

    /// As [`send_to`](Self::send_to), to any address.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn send_to_addr(
        &self,
        message: &[u8],
        address: &SocketAddr,
    ) -> impl Future<Output = io::Result<usize>> {
        self.io.driven(async move {
            self.io.let_others_run().await;
            self.sending_to(message, address).await
        })
    }

    async fn sending_to(&self, message: &[u8], address: &SocketAddr) -> io::Result<usize> {
        let mut again = Again::default();
        let send = || self.try_send_to_addr(message, address);
        poll_fn(|cx| again.poll(cx, &self.io.reactor, send)).await
    }

    /// The poll-style form of [`send_to`](Self::send_to). One pause for each socket: while the queue
    /// of one peer is full, this asks nobody else.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        message: &[u8],
        path: impl AsRef<Path>,
    ) -> Poll<io::Result<usize>> {
        match address_of(path.as_ref()) {
            Ok(address) => self.poll_send_to_addr(cx, message, &address),
            Err(error) => self.io.poll_let_others_run(cx).map(|()| Err(error)),
        }
    }

    /// As [`poll_send_to`](Self::poll_send_to), to any address.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_send_to_addr(
        &self,
        cx: &mut Context<'_>,
        message: &[u8],
        address: &SocketAddr,
    ) -> Poll<io::Result<usize>> {
        ready!(self.io.poll_let_others_run(cx));
        // Taken and put back: a waker may come here again.
        let mut again = self.again.take();
        let send = || self.try_send_to_addr(message, address);
        let polled = again.poll(cx, &self.io.reactor, send);
        self.again.set(again);
        self.io.reactor.driven(polled)
    }

    /// One attempt to send to the socket at `path`, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`send_to`](Self::send_to).
    pub fn try_send_to(&self, message: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.try_send_to_addr(message, &address_of(path.as_ref())?)
    }

    /// As [`try_send_to`](Self::try_send_to), to any address.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_send_to_addr(&self, message: &[u8], address: &SocketAddr) -> io::Result<usize> {
        let send = || {
            let to = Address::unix(address)?;
            socket::sendto(self.as_fd(), message, MSG_NOSIGNAL, &to)
        };
        // Not through the slot: its readiness is about the connected peer.
        send().map_err(|error| name_unix("send to", address, error))
    }
}
