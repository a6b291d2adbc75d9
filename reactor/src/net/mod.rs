//! Sockets that wait for readiness instead of blocking the thread: TCP, UDP and Unix.
//!
//! Every method takes `&self`: one task may read while another writes. What a dropped operation
//! undoes is said at each method; in short, no byte moves except in the poll that says so.
//!
//! Errors of connecting and binding name the address that they are about, those of questions and options
//! what was asked of which fd; [`errno_of`](crate::errno_of) has the kernel's errno of both.
//!
//! Each type is made of one of std's: [`Stream`], [`Listener`] and [`Datagrams`] say what TCP, UDP and
//! Unix have in common; `tcp_`, `udp` and `unix_` files how each is made and what it has of its own.
//!
#![doc = include_str!("../../ERRNO.md")]

// What not every system has is in a file of its own, and here stands who has it. Where it is a part of a file
// (of `accept`, `keepalive`, `share_port` and `unix_address`) that part says so.
mod accept;
mod addresses;
#[cfg(not(windows))]
mod again;
mod asked;
mod bound_file;
mod copy;
mod datagrams;
mod keepalive;
mod lent;
mod listener;
mod lookup;
mod names;
mod own_call;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod peer_credentials;
mod ranges;
mod received;
#[cfg(not(any(target_os = "illumos", target_os = "solaris", windows)))]
mod reuse_port;
mod share_port;
mod sockets;
mod split;
mod stream;
mod stream_poll;
mod tcp_listener;
mod tcp_options;
mod tcp_socket;
mod tcp_stream;
#[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
mod type_of_service;
mod udp;
#[cfg(not(windows))]
mod unix_address;
#[cfg(not(windows))]
mod unix_datagram;
#[cfg(not(windows))]
mod unix_listener;
#[cfg(not(windows))]
mod unix_socket;
#[cfg(not(windows))]
mod unix_stream;

pub use addresses::{AddressError, Lookup, ToSocketAddrs, lookup_host};
pub use copy::{copy, copy_bidirectional};
pub use datagrams::Datagrams;
pub use keepalive::Keepalive;
pub use listener::{Incoming, Listener};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use peer_credentials::PeerCredentials;
pub use received::Received;
pub use sockets::{AddressedSocket, DatagramSocket, ListeningSocket, StreamSocket};
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, Share, WriteHalf};
pub use stream::Stream;
pub use tcp_listener::TcpListener;
pub use tcp_options::TcpOptions;
pub use tcp_socket::TcpSocket;
pub use tcp_stream::TcpStream;
pub use udp::UdpSocket;
#[cfg(target_os = "linux")]
pub use unix_address::abstract_address;
#[cfg(not(windows))]
pub use unix_datagram::UnixDatagram;
#[cfg(not(windows))]
pub use unix_listener::UnixListener;
#[cfg(not(windows))]
pub use unix_socket::UnixSocket;
#[cfg(not(windows))]
pub use unix_stream::UnixStream;
