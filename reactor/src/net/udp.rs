//! UDP: how a socket is made, how it sends to an address, and its options.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use selectors_core::os::{AsFd, OwnedFd};
use selectors_core::sys::Address;
use selectors_core::sys::socket::{self, MSG_NOSIGNAL};

use crate::errno::tried;
use crate::heart::driven::Begun;
use crate::net::addresses::{ToSocketAddrs, first_of, name_address};
use crate::net::asked::{get, set};
use crate::net::datagrams::Datagrams;
use crate::net::ranges::{HOPS, TTL, within};
use crate::net::tcp_options::family_of;
use crate::watch::direction::Direction;

/// A UDP socket; most of what it can do is said at [`Datagrams`].
///
/// ```
/// use reactor::net::UdpSocket;
///
/// executor::block_on(async {
///     let server = UdpSocket::bind("127.0.0.1:0").await?;
///     let client = UdpSocket::bind("127.0.0.1:0").await?;
///     client.connect(server.local_addr()?).await?;
///     client.send(b"ping").await?;
///     let mut buffer = [0; 1500];
///     let (received, from) = server.recv_from(&mut buffer).await?;
///     server.send_to(&buffer[..received.len()], from).await?;
///     assert_eq!(client.recv(&mut buffer).await?.len(), 4);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub type UdpSocket = Datagrams<std::net::UdpSocket>;

impl UdpSocket {
    /// A socket on the first address of `address` that can be bound; port 0 lets the kernel choose.
    /// A name is looked up off the loop.
    ///
    /// For options that must be set before (`SO_REUSEPORT`), make the socket with another crate and
    /// use [`from_std`](Self::from_std).
    ///
    /// # Errors
    ///
    /// What bind(2) answers for the last address; the error names that address.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> impl Future<Output = io::Result<Self>> {
        Begun::new(async move {
            let socket = first_of("bind", address, async |address| bound(address)).await?;
            Ok(Datagrams::attach(socket.into(), None))
        })
    }

    /// Chooses the peer of [`send`](Self::send) and [`recv`](Self::recv): the first address of
    /// `address` that the kernel takes. Datagrams of others no longer arrive, and a peer that
    /// nobody listens at shows as `ConnectionRefused` at a later call.
    ///
    /// # Errors
    ///
    /// What connect(2) answers for the last address; the error names that address.
    #[track_caller]
    pub fn connect(&self, address: impl ToSocketAddrs) -> impl Future<Output = io::Result<()>> {
        self.io.driven(async move {
            self.io.let_others_run().await;
            let connect = async |to| socket::connect(self.as_fd(), &Address::ip(to));
            first_of("connect to", address, connect).await
        })
    }

    /// Sends one datagram. No name is looked up here: resolve once, send often.
    ///
    /// # Errors
    ///
    /// What sendto(2) answers; the error names the address.
    #[track_caller]
    pub fn send_to(
        &self,
        datagram: &[u8],
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<usize>> {
        self.io.driven(async move {
            let send = |socket: &std::net::UdpSocket| send_to(socket, datagram, address);
            let sent = self.io.calling(Direction::Write, send).await;
            sent.map_err(|error| name_address("send to", address, error))
        })
    }

    /// The poll-style form of [`send_to`](Self::send_to).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &[u8],
        address: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let sent = self
            .io
            .poll_write_with(cx, |socket| send_to(socket, datagram, address));
        sent.map_err(|error| name_address("send to", address, error))
    }

    /// One attempt to send, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`send_to`](Self::send_to).
    pub fn try_send_to(&self, datagram: &[u8], address: SocketAddr) -> io::Result<usize> {
        self.io.try_call(Direction::Write, |socket| {
            send_to(socket, datagram, address)
        })
    }
}

/// Names, getter and setter of options that std has under the same names.
macro_rules! options {
    ($($(#[$doc:meta])+ $get:ident $set:ident $option:literal $value:ty;)+) => {$(
        $(#[$doc])+
        ///
        /// # Errors
        ///
        /// What setsockopt(2) answers.
        pub fn $set(&self, value: $value) -> io::Result<()> {
            set(&self.io, $option, value, || self.io.get_ref().$set(value))
        }

        #[doc = concat!("What [`", stringify!($set), "`](Self::", stringify!($set), ") chose, or the system.")]
        ///
        /// # Errors
        ///
        /// What getsockopt(2) answers.
        pub fn $get(&self) -> io::Result<$value> {
            get(&self.io, $option, || self.io.get_ref().$get())
        }
    )+};
}

/// Options: broadcast and multicast.
impl UdpSocket {
    options! {
        /// May datagrams go to a broadcast address (`SO_BROADCAST`)?
        broadcast set_broadcast "SO_BROADCAST" bool;
        /// Do our own multicast datagrams come back to this machine (`IP_MULTICAST_LOOP`)?
        multicast_loop_v4 set_multicast_loop_v4 "IP_MULTICAST_LOOP" bool;
        /// The same as `set_multicast_loop_v4` for IPv6 (`IPV6_MULTICAST_LOOP`).
        multicast_loop_v6 set_multicast_loop_v6 "IPV6_MULTICAST_LOOP" bool;
    }

    /// Through how many routers multicast datagrams may go (`IP_MULTICAST_TTL`).
    ///
    /// # Errors
    ///
    /// `InvalidInput` beyond 255; else what setsockopt(2) answers.
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        let socket = self.io.get_ref();
        set(&self.io, "IP_MULTICAST_TTL", ttl, || {
            socket.set_multicast_ttl_v4(within(HOPS, ttl)?)
        })
    }

    /// What [`set_multicast_ttl_v4`](Self::set_multicast_ttl_v4) chose, or the system.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        get(&self.io, "IP_MULTICAST_TTL", || {
            self.io.get_ref().multicast_ttl_v4()
        })
    }

    /// Through how many routers datagrams may go (`IP_TTL`).
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

    /// Joins a multicast group on the interface that has this address.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers; the error names the group.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        let joined = self.io.get_ref().join_multicast_v4(&group, &interface);
        joined.map_err(|error| tried(format_args!("join {group} on {interface}"), error))
    }

    /// Leaves a group again.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers; the error names the group.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        let left = self.io.get_ref().leave_multicast_v4(&group, &interface);
        left.map_err(|error| tried(format_args!("leave {group} on {interface}"), error))
    }

    /// Joins a multicast group on the interface with this number; 0 lets the kernel choose.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers; the error names the group.
    pub fn join_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        let joined = self.io.get_ref().join_multicast_v6(&group, interface);
        joined.map_err(|error| tried(format_args!("join {group} on {interface}"), error))
    }

    /// Leaves a group again.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers; the error names the group.
    pub fn leave_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        let left = self.io.get_ref().leave_multicast_v6(&group, interface);
        left.map_err(|error| tried(format_args!("leave {group} on {interface}"), error))
    }

    /// Sends multicast datagrams out of the interface that has this address (`IP_MULTICAST_IF`).
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers.
    pub fn set_multicast_if_v4(&self, interface: Ipv4Addr) -> io::Result<()> {
        let socket = socket2::SockRef::from(&self.io);
        set(&self.io, "IP_MULTICAST_IF", interface, || {
            socket.set_multicast_if_v4(&interface)
        })
    }
}

fn bound(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket::socket(family_of(address), socket::SOCK_DGRAM)?;
    socket::bind(socket.as_fd(), &Address::ip(address))?;
    Ok(socket)
}

fn send_to(socket: &impl AsFd, datagram: &[u8], address: SocketAddr) -> io::Result<usize> {
    let address = Address::ip(address);
    socket::sendto(socket.as_fd(), datagram, MSG_NOSIGNAL, &address)
}
