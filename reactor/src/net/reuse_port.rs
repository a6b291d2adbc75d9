//! Several sockets that listen on one port (`SO_REUSEPORT`).

use std::io;

use socket2::SockRef;

use crate::net::TcpSocket;
use crate::net::asked::{get, set};

impl TcpSocket {
    /// May several sockets of this user listen on the same address (`SO_REUSEPORT`)? Not on illumos,
    /// Solaris and Windows.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers.
    pub fn set_reuse_port(&self, reuse: bool) -> io::Result<()> {
        set(self, "SO_REUSEPORT", reuse, || {
            SockRef::from(self).set_reuse_port(reuse)
        })
    }

    /// What [`set_reuse_port`](Self::set_reuse_port) chose.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn reuse_port(&self) -> io::Result<bool> {
        get(self, "SO_REUSEPORT", || SockRef::from(self).reuse_port())
    }
}
