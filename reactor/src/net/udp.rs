//! UDP: datagrams, connected or not.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::Location;

use selectors_core::sys::Address;
use selectors_core::sys::socket::{self, MSG_NOSIGNAL, MSG_PEEK};

use crate::errno::tried;
use crate::fd::async_fd::Async;
use crate::heart::shared::Shared;
use crate::net::addresses::{ToSocketAddrs, name_address, resolve};
use crate::net::received::{Received, receive};
use crate::net::tcp_options::{family_of, hops};
use crate::watch::direction::Direction;

/// A UDP socket. All methods take `&self`; any number of tasks may send and receive.
///
/// A datagram is received and sent as a whole, in the poll that returns `Ready`: dropping any
/// future of this type loses none and sends none.
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
pub struct UdpSocket {
    pub(super) io: Async<std::net::UdpSocket>,
}

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
        let caller = Location::caller();
        async move {
            Shared::begin(caller).await;
            let mut last = None;
            for address in resolve(address).await? {
                match bound(address) {
                    Ok(socket) => {
                        return Ok(UdpSocket {
                            io: Async::new(socket.into()),
                        });
                    }
                    Err(error) => last = Some(name_address("bind", address, error)),
                }
            }
            Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
        }
    }

    /// Takes over a socket of std, and switches it to non-blocking mode.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        Shared::assert_current();
        Ok(UdpSocket {
            io: Async::nonblocking(socket)?,
        })
    }

    /// Hands the socket back, unregistered and still in non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.io.into_inner()
    }

    /// Chooses the peer of [`send`](Self::send) and [`recv`](Self::recv): the first address of
    /// `address` that the kernel takes. Datagrams of others no longer arrive, and a peer that
    /// nobody listens at shows as `ConnectionRefused` at a later call.
    ///
    /// # Errors
    ///
    /// What connect(2) answers for the last address; the error names that address.
    pub async fn connect(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        self.io.let_others_run().await;
        let mut last = None;
        for address in resolve(address).await? {
            match socket::connect(self.as_fd(), &Address::ip(address)) {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(name_address("connect to", address, error)),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
    }

    /// Sends one datagram. No name is looked up here: resolve once, send often.
    ///
    /// # Errors
    ///
    /// What sendto(2) answers; the error names the address.
    pub async fn send_to(&self, datagram: &[u8], address: SocketAddr) -> io::Result<usize> {
        let sent = self
            .io
            .write_with(|socket| send_to(socket, datagram, address));
        sent.await
            .map_err(|error| name_address("send to", address, error))
    }

    /// Receives one datagram; tells where it comes from, and whether it was cut.
    ///
    /// # Errors
    ///
    /// What recvmsg(2) answers.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(Received, SocketAddr)> {
        self.io
            .take_with(|socket| from(receive(socket, buffer, 0)?))
            .await
    }

    /// As [`recv_from`](Self::recv_from), but leaves the datagram for the next call.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(Received, SocketAddr)> {
        self.io
            .read_with(|socket| from(receive(socket, buffer, MSG_PEEK)?))
            .await
    }

    /// Sends one datagram to the peer of [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// What send(2) answers, `ConnectionRefused` for an earlier datagram included.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.io.write_with(|socket| send(socket, datagram)).await
    }

    /// Receives one datagram of the peer of [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// What recvmsg(2) answers, `ConnectionRefused` for an earlier datagram included.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.io
            .take_with(|socket| Ok(receive(socket, buffer, 0)?.0))
            .await
    }

    /// As [`recv`](Self::recv), but leaves the datagram for the next call.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.io
            .read_with(|socket| Ok(receive(socket, buffer, MSG_PEEK)?.0))
            .await
    }

    /// Waits until a datagram may be there.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    pub async fn readable(&self) -> io::Result<()> {
        self.io.readable().await
    }

    /// Waits until there may be room to send.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    pub async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }

    /// One attempt to send, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`send_to`](Self::send_to).
    pub fn try_send_to(&self, datagram: &[u8], address: SocketAddr) -> io::Result<usize> {
        self.io.try_with(Direction::Write, |socket| {
            send_to(socket, datagram, address)
        })
    }

    /// One attempt to receive, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is there; else as [`recv_from`](Self::recv_from).
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(Received, SocketAddr)> {
        self.io
            .try_with(Direction::Read, |socket| from(receive(socket, buffer, 0)?))
    }

    /// One attempt to send to the peer, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`send`](Self::send).
    pub fn try_send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.io
            .try_with(Direction::Write, |socket| send(socket, datagram))
    }

    /// One attempt to receive from the peer, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is there; else as [`recv`](Self::recv).
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.io
            .try_with(Direction::Read, |socket| Ok(receive(socket, buffer, 0)?.0))
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// The peer of [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().peer_addr()
    }
}

/// Names, getter and setter of options that std has under the same names.
macro_rules! options {
    ($($(#[$doc:meta])+ $get:ident $set:ident $value:ty;)+) => {$(
        $(#[$doc])+
        ///
        /// # Errors
        ///
        /// What setsockopt(2) answers.
        pub fn $set(&self, value: $value) -> io::Result<()> {
            self.io.get_ref().$set(value)
        }

        #[doc = concat!("What [`", stringify!($set), "`](Self::", stringify!($set), ") chose, or the system.")]
        ///
        /// # Errors
        ///
        /// What getsockopt(2) answers.
        pub fn $get(&self) -> io::Result<$value> {
            self.io.get_ref().$get()
        }
    )+};
}

/// Options: broadcast and multicast.
impl UdpSocket {
    options! {
        /// May datagrams go to a broadcast address (`SO_BROADCAST`)?
        broadcast set_broadcast bool;
        /// Do our own multicast datagrams come back to this machine (`IP_MULTICAST_LOOP`)?
        multicast_loop_v4 set_multicast_loop_v4 bool;
        /// The same as `set_multicast_loop_v4` for IPv6 (`IPV6_MULTICAST_LOOP`).
        multicast_loop_v6 set_multicast_loop_v6 bool;
    }

    /// Through how many routers multicast datagrams may go (`IP_MULTICAST_TTL`).
    ///
    /// # Errors
    ///
    /// `InvalidInput` beyond 255; else what setsockopt(2) answers.
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.io.get_ref().set_multicast_ttl_v4(hops(ttl)?)
    }

    /// What [`set_multicast_ttl_v4`](Self::set_multicast_ttl_v4) chose, or the system.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.io.get_ref().multicast_ttl_v4()
    }

    /// Through how many routers datagrams may go (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// `InvalidInput` beyond 255; else what setsockopt(2) answers.
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
        socket2::SockRef::from(&self.io).set_multicast_if_v4(&interface)
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

fn bound(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket::socket(family_of(address), libc::SOCK_DGRAM)?;
    socket::bind(socket.as_fd(), &Address::ip(address))?;
    Ok(socket)
}

fn send_to(socket: &impl AsFd, datagram: &[u8], address: SocketAddr) -> io::Result<usize> {
    socket::sendto(
        socket.as_fd(),
        datagram,
        MSG_NOSIGNAL,
        &Address::ip(address),
    )
}

fn send(socket: &impl AsFd, datagram: &[u8]) -> io::Result<usize> {
    socket::send(socket.as_fd(), datagram, MSG_NOSIGNAL)
}

fn from((received, address): (Received, Address)) -> io::Result<(Received, SocketAddr)> {
    let address = address.to_ip().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((received, address))
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}
