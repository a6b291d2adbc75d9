//! A TCP connection.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use selectors_core::Events;
use socket2::{Domain, Protocol, Socket, Type};

use crate::async_fd::Async;
use crate::net::addresses::{ToSocketAddrs, resolve};
use crate::net::split::{ReadHalf, WriteHalf};
use crate::net::tcp_listener::name_address;
use crate::slot::Direction;
use crate::time::timeout;

/// A TCP connection. Reading and writing take `&self`, so one task can read while another writes;
/// closing is dropping.
pub struct TcpStream {
    io: Async<std::net::TcpStream>,
}

impl TcpStream {
    /// Connects to the first address of `address` that accepts.
    ///
    /// Dropping the future gives the attempt up and closes its socket.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused`, `TimedOut`, `NetworkUnreachable` and whatever else connect(2) answers
    /// for the last address; the error names that address.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = None;
        for address in resolve(address).await? {
            match Self::connect_one(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(name_address("connect to", address, &error)),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
    }

    /// As [`connect`](Self::connect), with `limit` for all addresses together.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the time is up, else as `connect`.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    pub async fn connect_timeout(address: impl ToSocketAddrs, limit: Duration) -> io::Result<Self> {
        match timeout(limit, Self::connect(address)).await {
            Ok(connected) => connected,
            Err(_) => {
                let message = format!("connect: no answer within {limit:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, message))
            }
        }
    }

    async fn connect_one(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            // Connected at once: the first write may be tried.
            Ok(()) => return Ok(Self::attach(socket.into(), Some(Events::WRITE))),
            Err(error) if is_in_progress(&error) => {}
            Err(error) => return Err(error),
        }
        let stream = Self::attach(socket.into(), None);
        stream.io.writable().await?;
        // Writable means that it is decided; the socket's error says how.
        match stream.io.get_ref().take_error()? {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }

    pub(crate) fn attach(stream: std::net::TcpStream, ready: Option<Events>) -> Self {
        TcpStream {
            io: Async::with_readiness(stream, ready),
        }
    }

    /// Reads what is there, at most `buffer.len()` bytes; 0 means that the peer sends no more
    /// (or that `buffer` is empty).
    ///
    /// Dropping the future loses no byte.
    ///
    /// # Errors
    ///
    /// What recv(2) answers, such as `ConnectionReset`.
    #[inline]
    pub fn read<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + use<'a> {
        self.io.operation(Direction::Read, |io| {
            let read = io.get_ref().read(buffer)?;
            io.transferred(Direction::Read, read, buffer.len());
            Ok(read)
        })
    }

    /// As [`read`](Self::read), into several buffers, one after another.
    ///
    /// # Errors
    ///
    /// As `read`.
    pub async fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io
            .read_with(|mut stream| stream.read_vectored(buffers))
            .await
    }

    /// Reads until `buffer` is full.
    ///
    /// Dropping the future may lose what was read so far: it is in `buffer`, but nobody says how
    /// much of it.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the peer stops before; else as [`read`](Self::read).
    pub async fn read_exact(&self, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read(buffer).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => buffer = &mut buffer[read..],
            }
        }
        Ok(())
    }

    /// As [`read`](Self::read), but leaves the bytes where they are for the next read.
    ///
    /// # Errors
    ///
    /// As `read`.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.io.read_with(|stream| stream.peek(buffer)).await
    }

    /// Writes some of `buffer` and says how much.
    ///
    /// Dropping the future writes nothing that was not reported.
    ///
    /// # Errors
    ///
    /// What send(2) answers, such as `BrokenPipe` or `ConnectionReset`. No signal is raised.
    #[inline]
    pub fn write<'a>(
        &'a self,
        buffer: &'a [u8],
    ) -> impl Future<Output = io::Result<usize>> + use<'a> {
        self.io.operation(Direction::Write, |io| {
            let written = io.get_ref().write(buffer)?;
            io.transferred(Direction::Write, written, buffer.len());
            Ok(written)
        })
    }

    /// As [`write`](Self::write), from several buffers, one after another.
    ///
    /// # Errors
    ///
    /// As `write`.
    pub async fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io
            .write_with(|mut stream| stream.write_vectored(buffers))
            .await
    }

    /// Writes all of `buffer`.
    ///
    /// Dropping the future in the middle leaves an unknown part of `buffer` written; use
    /// [`write`](Self::write) where that matters.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    #[inline]
    pub fn write_all<'a>(
        &'a self,
        buffer: &'a [u8],
    ) -> impl Future<Output = io::Result<()>> + use<'a> {
        let mut left = buffer;
        self.io.operation(Direction::Write, move |io| {
            let written = match left {
                [] => 0,
                _ => io.get_ref().write(left)?,
            };
            left = &left[written..];
            // A short write filled the kernel's buffer: no need to ask in order to know.
            if left.is_empty() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
        })
    }

    /// Waits until a read may succeed, so that an idle connection needs no buffer; see
    /// [`try_read`](Self::try_read).
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    pub async fn readable(&self) -> io::Result<()> {
        self.io.readable().await
    }

    /// Waits until a write may succeed; see [`try_write`](Self::try_write).
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    pub async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }

    /// One attempt to read, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing to read; else as [`read`](Self::read).
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.io
            .try_with(Direction::Read, |mut stream| stream.read(buffer))
    }

    /// One attempt to write, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`write`](Self::write).
    pub fn try_write(&self, buffer: &[u8]) -> io::Result<usize> {
        self.io
            .try_with(Direction::Write, |mut stream| stream.write(buffer))
    }

    /// Closes one direction or both, now, for everybody who shares the connection.
    ///
    /// # Errors
    ///
    /// What shutdown(2) answers; `NotConnected` if the peer was faster.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io.get_ref().shutdown(how)
    }

    /// Two views, one to read with and one to write with.
    pub fn split(&self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf { stream: self }, WriteHalf { stream: self })
    }

    /// Switches Nagle's algorithm off (`TCP_NODELAY`): small writes leave at once.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) answers.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.io.get_ref().set_nodelay(nodelay)
    }

    /// Is Nagle's algorithm off?
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.io.get_ref().nodelay()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().peer_addr()
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}

/// connect(2) goes on in the background.
fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}
