//! A listener that shares its port with others (`SO_REUSEPORT`), where there is such an option.

use std::io;

use socket2::Socket;

#[cfg(not(any(target_os = "illumos", target_os = "solaris", windows)))]
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(any(target_os = "illumos", target_os = "solaris", windows))]
pub(crate) fn share_port(_: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
