//! A TCP connection: how it is made, and its options.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use selectors_core::Events;
use selectors_core::os::AsFd;
use selectors_core::sys::{Address, socket};
use socket2::Socket;

use crate::heart::driven::Begun;
use crate::net::addresses::{ToSocketAddrs, first_of};
use crate::net::asked::{self, OWN_ADDRESS, PEERS_ADDRESS, get, set};
use crate::net::keepalive::Keepalive;
use crate::net::ranges::{TTL, within};
use crate::net::stream::Stream;
use crate::net::tcp_options::TcpOptions;
use crate::time::timeout;
use crate::watch::direction::Direction;

/// A TCP connection; most of what it can do is said at [`Stream`].
///
/// `AsyncRead` and `AsyncWrite`, the traits of futures-io, are there with the feature `futures-io`, of this
/// crate or of the executor. Where the compiler says that they are not implemented, that is what is
/// missing; lines, codecs and TLS of other crates ask for them. [`copy`](super::copy()) and
/// [`copy_bidirectional`](super::copy_bidirectional) do without.
///
/// ```
/// use reactor::net::{TcpListener, TcpStream};
///
/// executor::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let client = TcpStream::connect(listener.local_addr()?).await?;
///     client.set_nodelay(true)?;
///     let (server, _) = listener.accept().await?;
///     client.write_all(b"hello").await?;
///     let mut buffer = [0; 5];
///     server.read_exact(&mut buffer).await?;
///     assert_eq!(&buffer, b"hello");
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub type TcpStream = Stream<std::net::TcpStream>;

impl TcpStream {
    /// Connects to the first address of `address` that accepts.
    ///
    /// Dropping the future gives the attempt up and closes its socket.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused`, `TimedOut`, `NetworkUnreachable` and whatever else connect(2) answers
    /// for the last address; the error names that address.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn connect(address: impl ToSocketAddrs) -> impl Future<Output = io::Result<Self>> {
        Begun::new(async move { Self::connect_with(&Self::options(), address).await })
    }

    /// As [`connect`](Self::connect), with `limit` for all addresses together.
    ///
    /// Dropping the future gives the attempt up and closes its socket.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the time is up, else as `connect`.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn connect_timeout(
        address: impl ToSocketAddrs,
        limit: Duration,
    ) -> impl Future<Output = io::Result<Self>> {
        Begun::new(async move {
            let options = Self::options();
            match timeout(limit, Self::connect_with(&options, address)).await {
                Ok(connected) => connected,
                Err(_) => {
                    let message = format!("connect: no answer within {limit:?}");
                    Err(io::Error::new(io::ErrorKind::TimedOut, message))
                }
            }
        })
    }

    /// Options to set before the connection is made, such as the local address.
    #[must_use]
    pub fn options() -> TcpOptions {
        TcpOptions::default()
    }

    pub(crate) async fn connect_with(
        options: &TcpOptions,
        address: impl ToSocketAddrs,
    ) -> io::Result<Self> {
        let connect = async |address| Self::connecting(options.connecting(address)?, address).await;
        first_of("connect to", address, connect).await
    }

    /// Connects a socket that is set up.
    pub(crate) async fn connecting(socket: Socket, address: SocketAddr) -> io::Result<Self> {
        match socket::connect(socket.as_fd(), &Address::ip(address)) {
            // Connected at once: the first write may be tried.
            Ok(()) => return Ok(Self::attach(socket.into(), Some(Events::WRITE))),
            Err(error) if goes_on(&error) => {}
            Err(error) => return Err(error),
        }
        let stream = Self::attach(socket.into(), None);
        stream.io.told(Direction::Write).await?;
        // Writable means that it is decided; the socket's error says how.
        match socket::so_error(stream.as_fd())? {
            0 => Ok(stream),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        get(&self.io, OWN_ADDRESS, || self.io.get_ref().local_addr())
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        get(&self.io, PEERS_ADDRESS, || self.io.get_ref().peer_addr())
    }

    /// Switches Nagle's algorithm off (`TCP_NODELAY`): small writes leave at once.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        set(&self.io, "TCP_NODELAY", nodelay, || {
            self.io.get_ref().set_nodelay(nodelay)
        })
    }

    /// Is Nagle's algorithm off?
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn nodelay(&self) -> io::Result<bool> {
        get(&self.io, "TCP_NODELAY", || self.io.get_ref().nodelay())
    }

    /// What closing does about bytes that the peer has not confirmed (`SO_LINGER`): `None` sends
    /// them in the background; zero throws them away and resets the connection.
    ///
    /// The kernel counts whole seconds: a part of one is rounded up.
    ///
    /// Any other duration would make the closing call wait, and with it the whole loop: use it on
    /// sockets that are handed out by [`into_std`](Stream::into_std) only.
    ///
    /// # Errors
    ///
    /// `InvalidInput` beyond 32 767 seconds; else what setsockopt(2) answers.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        asked::set_linger(&self.io, linger)
    }

    /// What [`set_linger`](Self::set_linger) chose.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        asked::linger(&self.io)
    }

    /// Asks a silent peer now and then whether it is still there; `None` does not ask.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for times and numbers beyond what [`Keepalive`] says; else what setsockopt(2) answers.
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        asked::set_keepalive(&self.io, keepalive)
    }

    /// What [`set_keepalive`](Self::set_keepalive) chose, with the system's defaults filled in.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn keepalive(&self) -> io::Result<Option<Keepalive>> {
        asked::keepalive(&self.io)
    }

    /// Through how many routers a packet may go (`IP_TTL`); IPv4 only.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for 0 and beyond 255; else what setsockopt(2) answers.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        set(&self.io, "IP_TTL", ttl, || {
            self.io.get_ref().set_ttl(within(TTL, ttl)?)
        })
    }

    /// What [`set_ttl`](Self::set_ttl) chose, or the system.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn ttl(&self) -> io::Result<u32> {
        get(&self.io, "IP_TTL", || self.io.get_ref().ttl())
    }
}

/// connect(2) goes on in the background; also after a signal.
#[cfg(not(windows))]
fn goes_on(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}

/// connect() goes on in the background.
#[cfg(windows)]
fn goes_on(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

impl TcpOptions {
    /// Connects to the first address of `address` that accepts.
    ///
    /// Dropping the future gives the attempt up and closes its socket.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::connect`], and what setsockopt(2) and bind(2) answer.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn connect(
        &self,
        address: impl ToSocketAddrs,
    ) -> impl Future<Output = io::Result<TcpStream>> {
        Begun::new(TcpStream::connect_with(self, address))
    }
}
