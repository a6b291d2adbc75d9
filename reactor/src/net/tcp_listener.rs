//! A TCP socket that listens.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use selectors_core::Events;
use socket2::{Domain, Protocol, Socket, Type};

use crate::async_fd::Async;
use crate::net::addresses::{ToSocketAddrs, resolve};
use crate::net::tcp_stream::TcpStream;
use crate::time::sleep;

/// Connections that the kernel may keep waiting for `accept`; it caps this at
/// `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// How long `accept` pauses when the process is out of fds. Somebody has to close one first, and
/// asking again at once would only burn the CPU.
const OUT_OF_FDS_PAUSE: Duration = Duration::from_millis(50);

/// A TCP socket that listens for connections.
///
/// ```
/// use reactor::net::{TcpListener, TcpStream};
///
/// executor::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let client = TcpStream::connect(listener.local_addr()?).await?;
///     let (server, from) = listener.accept().await?;
///     assert_eq!(from, client.local_addr()?);
///     client.write_all(b"hi").await?;
///     let mut buffer = [0; 8];
///     assert_eq!(server.read(&mut buffer).await?, 2);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpListener {
    io: Async<std::net::TcpListener>,
}

impl TcpListener {
    /// Listens on the first address of `address` that can be bound. Port 0 lets the kernel choose
    /// one. The address may be reused at once after a restart (`SO_REUSEADDR`).
    ///
    /// # Errors
    ///
    /// `AddrInUse`, `AddrNotAvailable`, `PermissionDenied` and whatever else bind(2) answers for
    /// the last address; the error names that address.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = None;
        for address in resolve(address).await? {
            match listen(address) {
                Ok(listener) => return Ok(Self::attach(listener)),
                Err(error) => last = Some(name_address("bind", address, &error)),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
    }

    fn attach(listener: std::net::TcpListener) -> Self {
        // Nobody has connected in the microsecond since `listen`.
        TcpListener {
            io: Async::with_readiness(listener, Some(Events::WRITE)),
        }
    }

    /// Waits for a connection; tells where it comes from.
    ///
    /// When the process or the system is out of fds or socket memory (`EMFILE`, `ENFILE`,
    /// `ENOBUFS`, `ENOMEM`), the connection stays in the backlog: this waits a little and tries
    /// again, without spinning, and without an error for a situation that closing any other
    /// connection ends. A connection that was given up before it was accepted is passed over.
    ///
    /// Dropping the future loses no connection.
    ///
    /// # Errors
    ///
    /// Whatever else accept(2) answers.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            match self.io.read_with(std::net::TcpListener::accept).await {
                Ok((stream, from)) => {
                    stream.set_nonblocking(true)?;
                    // The first write is worth a try at once; the first read is not, because the
                    // client's first bytes are hardly ever here already.
                    return Ok((TcpStream::attach(stream, Some(Events::WRITE)), from));
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if is_shortage(&error) => sleep(OUT_OF_FDS_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// The address that it listens on; with port 0 asked, the port that the kernel chose.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Out of fds or of kernel memory; the names of errno(3), which have no portable `ErrorKind`.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error
        .raw_os_error()
        .is_some_and(|errno| shortages.contains(&errno))
}

/// The same kind of error, with a text that says which address it is about.
pub(crate) fn name_address(what: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {address}: {error}"))
}
