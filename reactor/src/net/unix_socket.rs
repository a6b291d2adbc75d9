//! A Unix socket before it connects or listens, set up step by step.

use std::future::Future;
use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use selectors_core::os::AsFd;
use selectors_core::sys::{Address, socket};
use socket2::Socket;

use crate::errno::tried;
use crate::heart::driven::Begun;
use crate::heart::shared::Shared;
use crate::net::asked::{self, OWN_ADDRESS, get};
use crate::net::bound_file::SocketFile;
use crate::net::listener::Listener;
use crate::net::unix_address::{address_of, file_of, name_unix};
use crate::net::{UnixListener, UnixStream};

/// A Unix socket for streams that neither is connected nor listens yet, as
/// [`TcpSocket`](crate::net::TcpSocket) is one for TCP.
///
/// ```
/// use reactor::net::UnixSocket;
///
/// # let path = std::env::temp_dir().join(format!("unix-socket-doc-{}", std::process::id()));
/// executor::block_on(async {
///     let mut socket = UnixSocket::new()?;
///     socket.bind(&path)?;
///     let listener = socket.listen(1)?;
///
///     let socket = UnixSocket::new()?;
///     socket.set_send_buffer_size(1 << 16)?;
///     let client = socket.connect(&path).await?;
///     client.write_all(b"hi").await?;
///     let (server, _) = listener.accept().await?;
///     assert_eq!(server.read(&mut [0; 8]).await?, 2);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct UnixSocket {
    socket: Socket,
    /// Goes with the socket, unless it becomes a client.
    file: Option<SocketFile>,
}

impl UnixSocket {
    /// A socket without a name.
    ///
    /// # Errors
    ///
    /// What socket(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn new() -> io::Result<Self> {
        Shared::assert_current();
        let socket = socket::socket(libc::AF_UNIX, libc::SOCK_STREAM);
        let socket = socket.map_err(|error| tried("socket", error))?;
        Ok(UnixSocket {
            socket: Socket::from(socket),
            file: None,
        })
    }

    /// Gives it a name at `path`, where no file may be yet. The file of a listener is removed with it, as
    /// [`UnixListener`] says, that of a socket that connects stays.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is a file, and whatever else bind(2) answers; the error names the file.
    pub fn bind(&mut self, path: impl AsRef<Path>) -> io::Result<()> {
        self.bind_addr(&address_of(path.as_ref())?)
    }

    /// As [`bind`](Self::bind), at any address, such as an
    /// [abstract](crate::net::abstract_address) one.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind_addr(&mut self, address: &SocketAddr) -> io::Result<()> {
        let kernels = Address::unix(address);
        let bound = kernels.and_then(|kernels| socket::bind(self.socket.as_fd(), &kernels));
        bound.map_err(|error| name_unix("bind", address, error))?;
        self.file = file_of(address);
        Ok(())
    }

    /// Begins to listen; `backlog` connections may wait for `accept`.
    ///
    /// # Errors
    ///
    /// What listen(2) answers; `InvalidInput` for a socket without a name.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        Listener::begin(self.socket, backlog, self.file)
    }

    /// Connects to the listener at `path`; see [`UnixStream::connect`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn connect(self, path: impl AsRef<Path>) -> impl Future<Output = io::Result<UnixStream>> {
        Begun::new(async move { self.connecting(&address_of(path.as_ref())?).await })
    }

    /// As [`connect`](Self::connect), to any address, such as an
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
    pub fn connect_addr(
        self,
        address: &SocketAddr,
    ) -> impl Future<Output = io::Result<UnixStream>> {
        Begun::new(self.connecting(address))
    }

    async fn connecting(self, address: &SocketAddr) -> io::Result<UnixStream> {
        let stream = UnixStream::connecting(self.socket.into(), address).await?;
        if let Some(file) = self.file {
            file.keep();
        }
        Ok(stream)
    }

    /// The address that it is bound to: a file, an [abstract](crate::net::abstract_address) name, or none.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        get(&self.socket, OWN_ADDRESS, || {
            socket::getsockname(self.socket.as_fd())?.to_unix()
        })
    }

    /// The error that waits in the socket (`SO_ERROR`), and clears it.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        asked::take_error(&self.socket)
    }

    /// The kernel's buffer for output, in bytes (`SO_SNDBUF`). On a Unix socket it is the only one that
    /// counts: what is sent waits at the sender's expense.
    ///
    /// # Errors
    ///
    /// `InvalidInput` beyond 2 147 483 647; else what setsockopt(2) answers.
    pub fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        asked::set_send_buffer_size(&self.socket, bytes)
    }

    /// How many bytes the kernel may keep for us to send. Linux doubles what is set.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        asked::send_buffer_size(&self.socket)
    }
}

selectors_core::has_fd!([] UnixSocket, socket);
