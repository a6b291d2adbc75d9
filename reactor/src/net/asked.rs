//! Questions and options of a socket: an error says what was asked of which.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::time::Duration;

use selectors_core::os::{AsFd, AsRawFd, BorrowedFd};
use socket2::SockRef;

use crate::errno::tried;
use crate::net::keepalive::Keepalive;
use crate::net::ranges::{BUFFER, LINGER, seconds, within};

/// Asks a socket for something.
pub(crate) fn get<R>(
    of: &impl AsFd,
    what: &str,
    get: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    get().map_err(|error| not_told(of.as_fd(), what, error))
}

/// Sets one of its options.
pub(crate) fn set(
    of: &impl AsFd,
    option: &str,
    value: impl fmt::Display,
    set: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    set().map_err(|error| not_set(of.as_fd(), option, &value, error))
}

// Whatever was asked or set, in a program once.

#[cold]
fn not_told(of: BorrowedFd<'_>, what: &str, error: io::Error) -> io::Error {
    let fd = of.as_raw_fd();
    tried(format_args!("ask fd {fd} for {what}"), error)
}

#[cold]
fn not_set(
    of: BorrowedFd<'_>,
    option: &str,
    value: &dyn fmt::Display,
    error: io::Error,
) -> io::Error {
    let fd = of.as_raw_fd();
    tried(format_args!("set {option} of fd {fd} to {value}"), error)
}

/// shutdown(2).
pub(crate) fn shut_down(of: &impl AsFd, how: Shutdown) -> io::Result<()> {
    SockRef::from(of).shutdown(how).map_err(|error| {
        let fd = of.as_fd().as_raw_fd();
        tried(format_args!("shut fd {fd} down ({how:?})"), error)
    })
}

/// The names of what is asked for.
pub(crate) const OWN_ADDRESS: &str = "its address";
pub(crate) const PEERS_ADDRESS: &str = "the address of its peer";

/// The error that waits in a socket, and clears it.
pub(crate) fn take_error(of: &impl AsFd) -> io::Result<Option<io::Error>> {
    get(of, "its error (SO_ERROR)", || {
        SockRef::from(of).take_error()
    })
}

// Options that several types have, each getter with its setter.

pub(crate) fn recv_buffer_size(of: &impl AsFd) -> io::Result<usize> {
    get(of, "SO_RCVBUF", || SockRef::from(of).recv_buffer_size())
}

pub(crate) fn set_recv_buffer_size(of: &impl AsFd, bytes: usize) -> io::Result<()> {
    set(of, "SO_RCVBUF", bytes, || {
        SockRef::from(of).set_recv_buffer_size(within(BUFFER, bytes)?)
    })
}

pub(crate) fn send_buffer_size(of: &impl AsFd) -> io::Result<usize> {
    get(of, "SO_SNDBUF", || SockRef::from(of).send_buffer_size())
}

pub(crate) fn set_send_buffer_size(of: &impl AsFd, bytes: usize) -> io::Result<()> {
    set(of, "SO_SNDBUF", bytes, || {
        SockRef::from(of).set_send_buffer_size(within(BUFFER, bytes)?)
    })
}

pub(crate) fn linger(of: &impl AsFd) -> io::Result<Option<Duration>> {
    get(of, "SO_LINGER", || SockRef::from(of).linger())
}

pub(crate) fn set_linger(of: &impl AsFd, linger: Option<Duration>) -> io::Result<()> {
    set(of, "SO_LINGER", format!("{linger:?}"), || {
        let linger = linger.map(|linger| seconds(LINGER, linger)).transpose()?;
        SockRef::from(of).set_linger(linger)
    })
}

pub(crate) fn keepalive(of: &impl AsFd) -> io::Result<Option<Keepalive>> {
    get(of, "SO_KEEPALIVE", || Keepalive::get(&SockRef::from(of)))
}

pub(crate) fn set_keepalive<T: AsFd>(of: &T, keepalive: Option<Keepalive>) -> io::Result<()> {
    set(of, "SO_KEEPALIVE", keepalive.is_some(), || {
        Keepalive::set(&SockRef::from(of), keepalive)
    })
}

/// What can be asked of every socket, and set.
macro_rules! asked_and_set {
    () => {
        /// The error that waits in the socket (`SO_ERROR`), and clears it.
        ///
        /// # Errors
        ///
        /// What getsockopt(2) answers.
        pub fn take_error(&self) -> io::Result<Option<io::Error>> {
            asked::take_error(self)
        }

        /// How many bytes the kernel may keep for us to read (`SO_RCVBUF`). Linux doubles what is set.
        ///
        /// # Errors
        ///
        /// What getsockopt(2) answers.
        pub fn recv_buffer_size(&self) -> io::Result<usize> {
            asked::recv_buffer_size(self)
        }

        /// Sets [`recv_buffer_size`](Self::recv_buffer_size), in bytes. Datagrams that find no room are lost;
        /// of TCP it fixes the scale of the window if it is set before the handshake.
        ///
        /// ```
        /// use reactor::net::UdpSocket;
        ///
        /// executor::block_on(async {
        ///     let socket = UdpSocket::bind("127.0.0.1:0").await?;
        ///     socket.set_recv_buffer_size(1 << 16)?;
        ///     assert!(socket.recv_buffer_size()? >= 1 << 16);
        ///     std::io::Result::Ok(())
        /// })??;
        /// # std::io::Result::Ok(())
        /// ```
        ///
        /// # Errors
        ///
        /// `InvalidInput` beyond 2 147 483 647; else what setsockopt(2) answers.
        pub fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
            asked::set_recv_buffer_size(self, bytes)
        }

        /// How many bytes the kernel may keep for us to send (`SO_SNDBUF`). Linux doubles what is set.
        ///
        /// # Errors
        ///
        /// What getsockopt(2) answers.
        pub fn send_buffer_size(&self) -> io::Result<usize> {
            asked::send_buffer_size(self)
        }

        /// Sets [`send_buffer_size`](Self::send_buffer_size), in bytes.
        ///
        /// # Errors
        ///
        /// `InvalidInput` beyond 2 147 483 647; else what setsockopt(2) answers.
        pub fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
            asked::set_send_buffer_size(self, bytes)
        }
    };
}
pub(crate) use asked_and_set;
