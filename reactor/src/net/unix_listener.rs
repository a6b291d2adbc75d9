//! A Unix socket that listens: how it is made, and its file.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use selectors_core::sys::socket;

use crate::heart::shared::Shared;
use crate::net::listener::Listener;
use crate::net::unix_address::{address_of, bound_socket, name_unix};

/// Connections that the kernel may keep waiting for `accept`; it caps this at
/// `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A Unix socket that listens for connections; most of what it can do is said at [`Listener`].
///
/// **Its file.** Binding to a path makes a file. Dropping the listener removes it, if the path
/// still leads to that very file, and never in a forked child; so a server can be started again
/// at the same path, and one that took the path over in the meantime is not harmed.
/// [`into_std`](Self::into_std) and [`keep_file`](Self::keep_file) leave the file where it is. A
/// process that is killed leaves it too: then binding fails with `AddrInUse` until somebody
/// removes the file. [Abstract](crate::net::abstract_address) names have no such trouble.
///
/// ```
/// use reactor::net::{UnixListener, UnixStream};
///
/// # let path = std::env::temp_dir().join(format!("unix-listener-doc-{}", std::process::id()));
/// executor::block_on(async {
///     let listener = UnixListener::bind(&path)?;
///     let client = UnixStream::connect(&path).await?;
///     let (server, _) = listener.accept().await?;
///     client.write_all(b"hi").await?;
///     assert_eq!(server.read(&mut [0; 8]).await?, 2);
///     drop(listener);
///     assert!(!path.exists());
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub type UnixListener = Listener<std::os::unix::net::UnixListener>;

impl UnixListener {
    /// Listens at `path`, where no file may be yet.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is a file, and whatever else bind(2) answers; the error names the file.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Shared::assert_current();
        Self::bind_addr(&address_of(path.as_ref())?)
    }

    /// As [`bind`](Self::bind), at any address, such as an
    /// [abstract](crate::net::abstract_address) one.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Shared::assert_current();
        let (socket, file) = bound_socket(libc::SOCK_STREAM, address)?;
        socket::listen(socket.as_fd(), BACKLOG)
            .map_err(|error| name_unix("listen at", address, error))?;
        Ok(Listener::attach(socket.into(), file))
    }

    /// Leaves the file where it is when the listener is dropped.
    pub fn keep_file(&mut self) {
        if let Some(file) = self.file.take() {
            file.keep();
        }
    }
}
