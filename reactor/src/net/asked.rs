//! Questions and options of a socket: an error says what was asked of which.

use std::fmt;
use std::io;
use std::net::Shutdown;

use selectors_core::os::{AsFd, AsRawFd};
use socket2::SockRef;

use crate::errno::tried;

/// Asks a socket for something.
pub(crate) fn get<R>(
    of: &impl AsFd,
    what: &str,
    get: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    get().map_err(|error| {
        let fd = of.as_fd().as_raw_fd();
        tried(format_args!("ask fd {fd} for {what}"), error)
    })
}

/// Sets one of its options.
pub(crate) fn set(
    of: &impl AsFd,
    option: &str,
    value: impl fmt::Display,
    set: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    set().map_err(|error| {
        let fd = of.as_fd().as_raw_fd();
        tried(format_args!("set {option} of fd {fd} to {value}"), error)
    })
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
pub(crate) const ERROR: &str = "its error (SO_ERROR)";
