//! A TCP socket that listens.

use std::fmt;
use std::future::Future;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use selectors_core::Events;

use crate::fd::async_fd::Async;
use crate::heart::shared::Shared;
use crate::net::accept::{Accepted, Accepting, try_accept};
use crate::net::addresses::{ToSocketAddrs, name_address, resolve};
use crate::net::tcp_options::{TcpOptions, hops};
use crate::net::tcp_stream::TcpStream;
use crate::watch::direction::Direction;

/// A TCP socket that listens for connections.
///
/// ```
/// use reactor::net::{TcpListener, TcpStream};
///
/// executor::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let client = TcpStream::connect(listener.local_addr()?).await?;
///     let (server, from) = listener.accept().await?;
///     assert_eq!(from, client.local_addr()?);
///     client.write_all(b"hi").await?;
///     let mut buffer = [0; 8];
///     assert_eq!(server.read(&mut buffer).await?, 2);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpListener {
    pub(super) io: Async<std::net::TcpListener>,
}

impl TcpListener {
    /// Listens on the first address of `address` that can be bound. Port 0 lets the kernel choose
    /// one. The address may be reused at once after a restart (`SO_REUSEADDR`).
    ///
    /// Dropping the future leaves nothing behind. A name is looked up off the loop.
    ///
    /// # Errors
    ///
    /// `AddrInUse`, `AddrNotAvailable`, `PermissionDenied` and whatever else bind(2) answers for
    /// the last address; the error names that address.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> impl Future<Output = io::Result<Self>> {
        let caller = Location::caller();
        async move {
            Shared::begin(caller).await;
            Self::options().bind(address).await
        }
    }

    /// Options to choose before it listens: backlog, `SO_REUSEPORT` and others.
    pub fn options() -> TcpOptions {
        TcpOptions::default()
    }

    pub(crate) async fn bind_with(
        options: &TcpOptions,
        address: impl ToSocketAddrs,
    ) -> io::Result<Self> {
        let mut last = None;
        for address in resolve(address).await? {
            match options.listening(address) {
                Ok(socket) => return Ok(Self::attach(socket.into())),
                Err(error) => last = Some(name_address("bind", address, error)),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
    }

    fn attach(listener: std::net::TcpListener) -> Self {
        // Nobody has connected in the microsecond since `listen`.
        TcpListener {
            io: Async::with_readiness(listener, Some(Events::WRITE)),
        }
    }

    /// Takes over a listening socket of std, and switches it to non-blocking mode.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        Shared::assert_current();
        Ok(TcpListener {
            io: Async::nonblocking(listener)?,
        })
    }

    /// Hands the socket back, unregistered and still in non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        self.io.into_inner()
    }

    /// Waits for a connection; tells where it comes from.
    ///
    /// When the process or the system is out of fds or socket memory (`EMFILE`, `ENFILE`,
    /// `ENOBUFS`, `ENOMEM`), the connection stays in the backlog: this waits a little and tries
    /// again, without spinning, and without an error for a situation that closing any other
    /// connection ends. A connection that was given up before it was accepted is passed over.
    ///
    /// Dropping the future loses no connection.
    ///
    /// # Errors
    ///
    /// Whatever else accept(2) answers.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut accepting = Accepting::new(&self.io);
        connection(poll_fn(|cx| accepting.poll(cx)).await?)
    }

    /// One attempt, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nobody is there; else what accept(2) answers, a shortage of fds included.
    pub fn try_accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        connection(self.io.try_with(Direction::Read, try_accept)?)
    }

    /// All connections, one after another, as an endless stream; as patient as
    /// [`accept`](Self::accept). An error does not end it.
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use reactor::net::{TcpListener, TcpStream};
    ///
    /// executor::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let address = listener.local_addr()?;
    ///     let (_one, _two) = (TcpStream::connect(address).await?, TcpStream::connect(address).await?);
    ///     let mut two = listener.incoming().take(2);
    ///     while let Some(stream) = two.next().await {
    ///         stream?.write_all(b"welcome").await?;
    ///     }
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming {
            accepting: Accepting::new(&self.io),
        }
    }

    /// The address that it listens on; with port 0 asked, the port that the kernel chose.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// Through how many routers a packet may go (`IP_TTL`); IPv4 only.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.io.get_ref().set_ttl(hops(ttl)?)
    }

    /// What [`set_ttl`](Self::set_ttl) chose, or the system.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn ttl(&self) -> io::Result<u32> {
        self.io.get_ref().ttl()
    }

    /// The error that waits in the socket (`SO_ERROR`), and clears it.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.get_ref().take_error()
    }
}

fn connection((socket, from): Accepted) -> io::Result<(TcpStream, SocketAddr)> {
    let from = from.to_ip().ok_or(io::ErrorKind::AddrNotAvailable)?;
    // The first write is worth a try at once; the first read is not, because the client's first
    // bytes are hardly ever here already.
    let stream = TcpStream::attach(socket.into(), Some(Events::WRITE));
    Ok((stream, from))
}

impl TcpOptions {
    /// Listens on the first address of `address` that can be bound.
    ///
    /// Dropping the future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::bind`], and what setsockopt(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn bind(
        &self,
        address: impl ToSocketAddrs,
    ) -> impl Future<Output = io::Result<TcpListener>> {
        let caller = Location::caller();
        async move {
            Shared::begin(caller).await;
            TcpListener::bind_with(self, address).await
        }
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}

/// The connections of a [`TcpListener`], one after another; made by
/// [`incoming`](TcpListener::incoming). Dropping it loses no connection.
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a> {
    accepting: Accepting<'a, std::net::TcpListener>,
}

impl futures_core::Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = self.get_mut().accepting.poll(cx);
        accepted.map(|accepted| Some(accepted.and_then(connection).map(|(stream, _)| stream)))
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Incoming")
    }
}
