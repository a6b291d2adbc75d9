//! What can be chosen about a TCP socket before it listens or connects.

use std::io;
use std::net::SocketAddr;

use selectors_core::os::AsFd;
use selectors_core::sys::{Address, socket};
use socket2::Socket;

use crate::errno::tried;
use crate::net::asked::{self, set};
use crate::net::keepalive::Keepalive;
use crate::net::listener::listen;
use crate::net::ranges::{HOPS, TTL, within};
use crate::net::share_port::share_port;

/// Connections that the kernel may keep waiting for `accept`; it caps this at
/// `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// What a listener is given when nobody chose.
#[cfg(not(windows))]
const REUSE_ADDRESS: Option<bool> = Some(true);
/// What a listener is given when nobody chose.
#[cfg(windows)]
const REUSE_ADDRESS: Option<bool> = None;

/// Options of a TCP socket that is about to listen or to connect; made by
/// [`TcpListener::options`](crate::net::TcpListener::options) and [`TcpStream::options`](crate::net::TcpStream::options).
///
/// ```
/// use reactor::net::{TcpListener, TcpStream};
///
/// executor::block_on(async {
///     let listener = TcpListener::options()
///         .backlog(16)
///         .reuse_port(true)
///         .bind("127.0.0.1:0")
///         .await?;
///     let client = TcpStream::options()
///         .local_address("127.0.0.1:0".parse().unwrap())
///         .nodelay(true)
///         .connect(listener.local_addr()?)
///         .await?;
///     assert!(client.nodelay()?);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
pub struct TcpOptions {
    backlog: u32,
    reuse_address: Option<bool>,
    reuse_port: bool,
    only_v6: Option<bool>,
    local_address: Option<SocketAddr>,
    recv_buffer_size: Option<usize>,
    send_buffer_size: Option<usize>,
    nodelay: bool,
    ttl: Option<u32>,
    /// And what sets it, which is in no program that does not choose it.
    keepalive: Option<(Keepalive, SetKeepalive)>,
}

type SetKeepalive = fn(&Socket, Option<Keepalive>) -> io::Result<()>;

impl Default for TcpOptions {
    fn default() -> Self {
        TcpOptions {
            backlog: BACKLOG,
            reuse_address: None,
            reuse_port: false,
            only_v6: None,
            local_address: None,
            recv_buffer_size: None,
            send_buffer_size: None,
            nodelay: false,
            ttl: None,
            keepalive: None,
        }
    }
}

impl TcpOptions {
    /// How many connections may wait for `accept`; 4096 unless chosen. The kernel has a limit of
    /// its own, on Linux `net.core.somaxconn`. For listeners.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// May the address be bound while connections of an earlier listener linger in the kernel
    /// (`SO_REUSEADDR`)? Yes for listeners unless chosen, no for connections. On Windows it may be bound
    /// anyhow, and the option lets others take the port: there it is no unless chosen.
    #[must_use]
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = Some(reuse);
        self
    }

    /// May several sockets of this user listen on the same address, so that the kernel spreads
    /// connections over them (`SO_REUSEPORT`)? Each of them must ask for it.
    #[must_use]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Shall an IPv6 listener leave IPv4 alone (`IPV6_V6ONLY`)? The system's choice unless chosen.
    /// Nothing happens to IPv4 addresses.
    #[must_use]
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = Some(only);
        self
    }

    /// Connects from this address; port 0 lets the kernel choose one. For connections.
    #[must_use]
    pub fn local_address(mut self, address: SocketAddr) -> Self {
        self.local_address = Some(address);
        self
    }

    /// The kernel's buffer for input, in bytes (`SO_RCVBUF`). Chosen here it is known before the
    /// handshake, which fixes the scale of the window; accepted connections inherit it.
    #[must_use]
    pub fn recv_buffer_size(mut self, bytes: usize) -> Self {
        self.recv_buffer_size = Some(bytes);
        self
    }

    /// The kernel's buffer for output, in bytes (`SO_SNDBUF`); accepted connections inherit it.
    #[must_use]
    pub fn send_buffer_size(mut self, bytes: usize) -> Self {
        self.send_buffer_size = Some(bytes);
        self
    }

    /// Switches Nagle's algorithm off (`TCP_NODELAY`); on Linux accepted connections inherit it.
    #[must_use]
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Through how many routers a packet may go, 255 at most; the hop limit of IPv6 too.
    #[must_use]
    pub fn ttl(mut self, ttl: u32) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Asks silent peers whether they are still there; on Linux accepted connections inherit it.
    #[must_use]
    pub fn keepalive(mut self, keepalive: Keepalive) -> Self {
        self.keepalive = Some((keepalive, asked::set_keepalive::<Socket>));
        self
    }

    /// A socket that listens on `address`.
    pub(crate) fn listening(&self, address: SocketAddr) -> io::Result<Socket> {
        let socket = self.socket(address)?;
        if let Some(reuse) = self.reuse_address.or(REUSE_ADDRESS) {
            set(&socket, "SO_REUSEADDR", reuse, || {
                socket.set_reuse_address(reuse)
            })?;
        }
        if let (Some(only), true) = (self.only_v6, address.is_ipv6()) {
            set(&socket, "IPV6_V6ONLY", only, || socket.set_only_v6(only))?;
        }
        socket::bind(socket.as_fd(), &Address::ip(address))?;
        listen(&socket, self.backlog)?;
        Ok(socket)
    }

    /// A socket that is about to connect to `address`.
    pub(crate) fn connecting(&self, address: SocketAddr) -> io::Result<Socket> {
        let socket = self.socket(address)?;
        if let Some(reuse) = self.reuse_address {
            set(&socket, "SO_REUSEADDR", reuse, || {
                socket.set_reuse_address(reuse)
            })?;
        }
        if let Some(local) = self.local_address {
            socket::bind(socket.as_fd(), &Address::ip(local))
                .map_err(|error| tried(format_args!("from {local}"), error))?;
        }
        Ok(socket)
    }

    /// What both have in common. Options that nobody chose cost no system call.
    fn socket(&self, address: SocketAddr) -> io::Result<Socket> {
        let socket = socket::socket(family_of(address), socket::SOCK_STREAM);
        let socket = Socket::from(socket.map_err(|error| tried("socket", error))?);
        if self.reuse_port {
            set(&socket, "SO_REUSEPORT", true, || share_port(&socket))?;
        }
        if let Some(bytes) = self.recv_buffer_size {
            asked::set_recv_buffer_size(&socket, bytes)?;
        }
        if let Some(bytes) = self.send_buffer_size {
            asked::set_send_buffer_size(&socket, bytes)?;
        }
        if self.nodelay {
            set(&socket, "TCP_NODELAY", true, || {
                socket.set_tcp_nodelay(true)
            })?;
        }
        match (self.ttl, address.is_ipv6()) {
            (Some(ttl), false) => set(&socket, "IP_TTL", ttl, || {
                socket.set_ttl_v4(within(TTL, ttl)?)
            })?,
            (Some(ttl), true) => set(&socket, "IPV6_UNICAST_HOPS", ttl, || {
                socket.set_unicast_hops_v6(within(HOPS, ttl)?)
            })?,
            (None, _) => {}
        }
        if let Some((keepalive, set)) = self.keepalive {
            set(&socket, Some(keepalive))?;
        }
        Ok(socket)
    }
}

pub(crate) fn family_of(address: SocketAddr) -> i32 {
    match address {
        SocketAddr::V4(_) => socket::AF_INET,
        SocketAddr::V6(_) => socket::AF_INET6,
    }
}
