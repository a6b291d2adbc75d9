//! Several sockets that listen on one port (`SO_REUSEPORT`): not on illumos, Solaris and Windows.

#[cfg(not(any(target_os = "illumos", target_os = "solaris", windows)))]
mod there {
    use std::io;

    use socket2::{SockRef, Socket};

    use crate::net::TcpSocket;
    use crate::net::asked::{get, set};

    pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
        socket.set_reuse_port(true)
    }

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
}
#[cfg(not(any(target_os = "illumos", target_os = "solaris", windows)))]
pub(crate) use there::share_port;

/// There is no such option here.
#[cfg(any(target_os = "illumos", target_os = "solaris", windows))]
pub(crate) fn share_port(_: &socket2::Socket) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
