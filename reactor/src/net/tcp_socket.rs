//! A TCP socket before it connects or listens, set up step by step.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use selectors_core::os::AsFd;
use selectors_core::sys::{Address, socket};
use socket2::Socket;

use crate::errno::tried;
use crate::heart::driven::Begun;
use crate::heart::shared::Shared;
use crate::net::addresses::name_address;
use crate::net::asked::{self, OWN_ADDRESS, asked_and_set, get, set};
use crate::net::keepalive::Keepalive;
use crate::net::listener::Listener;
use crate::net::{TcpListener, TcpStream};

/// A TCP socket that neither is connected nor listens yet: options are set and asked for, and it is bound,
/// one after another, and then it becomes a [`TcpStream`] or a [`TcpListener`].
///
/// [`TcpListener::options`] and [`TcpStream::options`] choose the same for a socket that is made later, one
/// for each address that is tried. This is for those who have one address, and want to see what the kernel
/// makes of an option before they go on.
///
/// ```
/// use reactor::net::TcpSocket;
///
/// executor::block_on(async {
///     let socket = TcpSocket::new_v4()?;
///     socket.set_reuse_address(true)?;
///     socket.bind("127.0.0.1:0".parse().unwrap())?;
///     let listener = socket.listen(16)?;
///
///     let socket = TcpSocket::new_v4()?;
///     socket.set_send_buffer_size(1 << 16)?;
///     assert!(socket.send_buffer_size()? >= 1 << 16);
///     let client = socket.connect(listener.local_addr()?).await?;
///     client.write_all(b"hello").await?;
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct TcpSocket {
    socket: Socket,
}

impl TcpSocket {
    /// A socket for IPv4.
    ///
    /// # Errors
    ///
    /// What socket(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn new_v4() -> io::Result<Self> {
        Shared::assert_current();
        Self::new(socket::AF_INET)
    }

    /// A socket for IPv6.
    ///
    /// # Errors
    ///
    /// What socket(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn new_v6() -> io::Result<Self> {
        Shared::assert_current();
        Self::new(socket::AF_INET6)
    }

    fn new(family: i32) -> io::Result<Self> {
        let socket = socket::socket(family, socket::SOCK_STREAM);
        let socket = socket.map_err(|error| tried("socket", error))?;
        Ok(TcpSocket {
            socket: Socket::from(socket),
        })
    }

    /// Gives it an address of this machine; port 0 lets the kernel choose one.
    ///
    /// # Errors
    ///
    /// What bind(2) answers; the error names the address.
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        let bound = socket::bind(self.socket.as_fd(), &Address::ip(address));
        bound.map_err(|error| name_address("bind", address, error))
    }

    /// Begins to listen; `backlog` connections may wait for `accept`.
    ///
    /// # Errors
    ///
    /// What listen(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        Listener::begin(self.socket, backlog, None)
    }

    /// Connects to `address`. Dropping the future gives the attempt up and closes the socket.
    ///
    /// # Errors
    ///
    /// What connect(2) answers; the error names the address.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn connect(self, address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> {
        Begun::new(async move {
            let connected = TcpStream::connecting(self.socket, address).await;
            connected.map_err(|error| name_address("connect to", address, error))
        })
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        get(&self.socket, OWN_ADDRESS, || {
            let address = self.socket.local_addr()?.as_socket();
            address.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
        })
    }

    /// What closing does about bytes that the peer has not confirmed (`SO_LINGER`); see
    /// [`TcpStream::set_linger`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        asked::set_linger(&self.socket, linger)
    }

    /// Asks a silent peer now and then whether it is still there; `None` does not ask.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for times and numbers beyond what [`Keepalive`] says; else what setsockopt(2) answers.
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        asked::set_keepalive(&self.socket, keepalive)
    }

    /// What [`set_keepalive`](Self::set_keepalive) chose, with the system's defaults filled in.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn keepalive(&self) -> io::Result<Option<Keepalive>> {
        asked::keepalive(&self.socket)
    }
}

/// Names, getter and setter of options that socket2 has under such names.
macro_rules! options {
    ($($(#[$doc:meta])+ $get:ident $set:ident $option:literal $value:ty, $asked:ident $chosen:ident;)+) => {
        /// Options.
        impl TcpSocket {$(
            $(#[$doc])+
            ///
            /// # Errors
            ///
            /// What setsockopt(2) answers.
            pub fn $set(&self, value: $value) -> io::Result<()> {
                set(&self.socket, $option, value, || self.socket.$chosen(value))
            }

            #[doc = concat!("What [`", stringify!($set), "`](Self::", stringify!($set), ") chose, or the system.")]
            ///
            /// # Errors
            ///
            /// What getsockopt(2) answers.
            pub fn $get(&self) -> io::Result<$value> {
                get(&self.socket, $option, || self.socket.$asked())
            }
        )+}
    };
}
options! {
    /// May the address be bound while connections of an earlier listener linger in the kernel
    /// (`SO_REUSEADDR`)?
    reuse_address set_reuse_address "SO_REUSEADDR" bool, reuse_address set_reuse_address;
    /// Shall an IPv6 socket leave IPv4 alone (`IPV6_V6ONLY`)?
    only_v6 set_only_v6 "IPV6_V6ONLY" bool, only_v6 set_only_v6;
    /// Is Nagle's algorithm off (`TCP_NODELAY`)?
    nodelay set_nodelay "TCP_NODELAY" bool, tcp_nodelay set_tcp_nodelay;
}

/// Options.
impl TcpSocket {
    asked_and_set!();

    /// What [`set_linger`](Self::set_linger) chose.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        asked::linger(&self.socket)
    }
}

selectors_core::has_fd!([] TcpSocket, socket);
