//! A Unix socket that listens.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use selectors_core::Events;
use selectors_core::sys::socket;

use crate::fd::async_fd::Async;
use crate::heart::shared::Shared;
use crate::net::accept::{Accepted, Accepting, try_accept};
use crate::net::unix_address::{SocketFile, address_of, bound_socket, name_unix};
use crate::net::unix_stream::UnixStream;
use crate::watch::direction::Direction;

/// Connections that the kernel may keep waiting for `accept`; it caps this at
/// `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A Unix socket that listens for connections.
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
pub struct UnixListener {
    pub(super) io: Async<std::os::unix::net::UnixListener>,
    file: Option<SocketFile>,
}

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
        Ok(UnixListener {
            io: Async::with_readiness(socket.into(), Some(Events::WRITE)),
            file,
        })
    }

    /// Takes over a listening socket of std, and switches it to non-blocking mode. Its file, if
    /// any, is left alone.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn from_std(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        Shared::assert_current();
        Ok(UnixListener {
            io: Async::nonblocking(listener)?,
            file: None,
        })
    }

    /// Hands the socket back, unregistered and still in non-blocking mode; its file stays.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_std(mut self) -> io::Result<std::os::unix::net::UnixListener> {
        self.keep_file();
        self.io.into_inner()
    }

    /// Leaves the file where it is when the listener is dropped.
    pub fn keep_file(&mut self) {
        if let Some(file) = self.file.take() {
            file.keep();
        }
    }

    /// Waits for a connection; tells where it comes from, which is mostly an address without a
    /// name. As patient about a shortage of fds as
    /// [`TcpListener::accept`](crate::net::TcpListener::accept).
    ///
    /// Dropping the future loses no connection.
    ///
    /// # Errors
    ///
    /// Whatever else accept(2) answers.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let mut accepting = Accepting::new(&self.io);
        connection(poll_fn(|cx| accepting.poll(cx)).await?)
    }

    /// One attempt, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nobody is there; else what accept(2) answers, a shortage of fds included.
    pub fn try_accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        connection(self.io.try_with(Direction::Read, try_accept)?)
    }

    /// All connections, one after another, as an endless stream; as patient as
    /// [`accept`](Self::accept). An error does not end it.
    pub fn incoming(&self) -> UnixIncoming<'_> {
        UnixIncoming {
            accepting: Accepting::new(&self.io),
        }
    }

    /// The address that it listens at.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }
}

fn connection((socket, from): Accepted) -> io::Result<(UnixStream, SocketAddr)> {
    // As with TCP: the first write is worth a try, the first read is not.
    let stream = UnixStream::attach(socket.into(), Some(Events::WRITE));
    Ok((stream, from.to_unix()?))
}

impl AsFd for UnixListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}

/// The connections of a [`UnixListener`], one after another; made by
/// [`incoming`](UnixListener::incoming). Dropping it loses no connection.
#[must_use = "streams do nothing unless polled"]
pub struct UnixIncoming<'a> {
    accepting: Accepting<'a, std::os::unix::net::UnixListener>,
}

impl futures_core::Stream for UnixIncoming<'_> {
    type Item = io::Result<UnixStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = self.get_mut().accepting.poll(cx);
        accepted.map(|accepted| Some(accepted.and_then(connection).map(|(stream, _)| stream)))
    }
}

impl fmt::Debug for UnixIncoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnixIncoming")
    }
}
