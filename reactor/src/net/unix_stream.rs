//! A Unix stream: how it is made.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::SocketAddr;
use std::path::Path;

use selectors_core::Events;
use selectors_core::sys::{Address, socket};

use crate::errno::tried;
use crate::heart::driven::Begun;
use crate::heart::shared::Shared;
use crate::net::again::Again;
use crate::net::asked::{OWN_ADDRESS, PEERS_ADDRESS, get};
use crate::net::stream::Stream;
use crate::net::unix_address::{address_of, name_unix};

/// A connection between two processes of one machine; most of what it can do is said at
/// [`Stream`].
///
/// `AsyncRead` and `AsyncWrite`, the traits of futures-io, are there with the feature `futures-io`, of this
/// crate or of the executor. Where the compiler says that they are not implemented, that is what is
/// missing; lines, codecs and TLS of other crates ask for them. [`copy`](super::copy()) and
/// [`copy_bidirectional`](super::copy_bidirectional) do without.
///
/// ```
/// use reactor::net::UnixStream;
///
/// executor::block_on(async {
///     let (near, far) = UnixStream::pair()?;
///     near.write_all(b"hello").await?;
///     let mut buffer = [0; 5];
///     far.read_exact(&mut buffer).await?;
///     assert_eq!(&buffer, b"hello");
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub type UnixStream = Stream<std::os::unix::net::UnixStream>;

impl UnixStream {
    /// Connects to the listener at `path`.
    ///
    /// The kernel offers no event for a backlog that has room again, so while it is full this asks
    /// again, after 1 to 20 milliseconds. Dropping the future gives the attempt up.
    ///
    /// # Errors
    ///
    /// `NotFound`, `ConnectionRefused`, `PermissionDenied` and whatever else connect(2) answers;
    /// the error names the file.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> impl Future<Output = io::Result<Self>> {
        Begun::new(async move { Self::made_for(&address_of(path.as_ref())?).await })
    }

    /// As [`connect`](Self::connect), to any address, such as an
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
    pub fn connect_addr(address: &SocketAddr) -> impl Future<Output = io::Result<Self>> {
        Begun::new(Self::made_for(address))
    }

    async fn made_for(address: &SocketAddr) -> io::Result<Self> {
        let socket = socket::socket(libc::AF_UNIX, libc::SOCK_STREAM);
        let socket = socket.map_err(|error| name_unix("connect to", address, error))?;
        Self::connecting(socket, address).await
    }

    /// Connects a socket that is there already.
    pub(crate) async fn connecting(socket: OwnedFd, address: &SocketAddr) -> io::Result<Self> {
        let named = |error| name_unix("connect to", address, error);
        let kernels = Address::unix(address).map_err(named)?;
        let (reactor, mut again) = (Shared::current(), Again::default());
        let connect = || socket::connect(socket.as_fd(), &kernels);
        let connected = poll_fn(|cx| again.poll(cx, &reactor, connect)).await;
        connected.map_err(named)?;
        Ok(Self::attach(socket.into(), Some(Events::WRITE)))
    }

    /// Two ends of a new connection without a name.
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
            std::os::unix::net::UnixStream::pair().map_err(|error| tried("socketpair", error))?;
        Ok((Self::from_std(near)?, Self::from_std(far)?))
    }

    /// The address of this end; mostly it has none.
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
    /// What getpeername(2) answers.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        get(&self.io, PEERS_ADDRESS, || self.io.get_ref().peer_addr())
    }
}
