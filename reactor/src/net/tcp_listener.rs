//! A TCP socket that listens: how it is made, and its options.

use std::future::Future;
use std::io;

use crate::heart::driven::Begun;
use crate::net::addresses::{ToSocketAddrs, first_of};
use crate::net::asked::{get, set};
use crate::net::listener::Listener;
use crate::net::ranges::{TTL, within};
use crate::net::tcp_options::TcpOptions;

/// A TCP socket that listens for connections; most of what it can do is said at [`Listener`].
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
pub type TcpListener = Listener<std::net::TcpListener>;

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
        Begun::new(async move { Self::options().bound(address).await })
    }

    /// Options to choose before it listens: backlog, `SO_REUSEPORT` and others.
    #[must_use]
    pub fn options() -> TcpOptions {
        TcpOptions::default()
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
        Begun::new(self.bound(address))
    }

    async fn bound(&self, address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let listening = async |address| self.listening(address);
        let socket = first_of("bind", address, listening).await?;
        Ok(Listener::attach(socket.into(), None))
    }
}
