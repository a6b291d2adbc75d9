//! A connected byte stream. What TCP and Unix streams have in common is written here, once.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;

use selectors_core::Events;
use selectors_core::os::AsFd;
use selectors_core::sys::socket::{self, MSG_NOSIGNAL, MSG_PEEK};
use socket2::SockRef;

use crate::fd::async_fd::Async;
use crate::fd::operation::Operation;
use crate::fd::transfer::{Moved, Transfer};
use crate::net::asked::{self, asked_and_set, shut_down};
use crate::net::sockets::StreamSocket;
use crate::watch::call::Call;
use crate::watch::direction::Direction;

/// A connected byte stream, under the names [`TcpStream`](super::TcpStream) and
/// [`UnixStream`](super::UnixStream).
///
/// Reading and writing take `&self`, so one task can read while another writes, without a lock and
/// without a split; any number may wait. Closing is dropping.
///
/// **Cancelling** (dropping a future before it is done) is safe for every single operation: a byte
/// moves only in the poll that reports it. Operations that are made of several, `read_exact` and
/// `write_all`, lose count instead; the `poll_` forms of the stream have one waiter per direction,
/// see [`Async::poll_readable`].
pub struct Stream<S: StreamSocket> {
    pub(crate) io: Async<S>,
}

impl<S: StreamSocket> Stream<S> {
    /// A connected socket in non-blocking mode; only the directions of `ready` are worth a try.
    #[track_caller]
    pub(crate) fn attach(socket: S, ready: Option<Events>) -> Self {
        Stream {
            io: Async::with_readiness(socket, ready),
        }
    }

    /// Takes over a connected socket of std, and switches it to non-blocking mode.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn from_std(socket: S) -> io::Result<Self> {
        let io = Async::nonblocking(socket)?;
        if S::SHORT_READ_PROVES_EMPTY && !is_tcp(&io) {
            io.slot.doubt();
        }
        Ok(Stream { io })
    }

    /// Hands the socket back, unregistered and still in non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_std(self) -> io::Result<S> {
        self.io.into_inner()
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
    #[track_caller]
    pub fn read<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + use<'a, S> {
        self.io.receiving(Receive::<false> { buffer })
    }

    /// As [`read`](Self::read), into several buffers, one after another.
    ///
    /// Dropping the future loses no byte.
    ///
    /// # Errors
    ///
    /// As `read`.
    #[track_caller]
    pub fn read_vectored(
        &self,
        buffers: &mut [IoSliceMut<'_>],
    ) -> impl Future<Output = io::Result<usize>> {
        self.io.driven(async move {
            if buffers.iter().all(|buffer| buffer.is_empty()) {
                return self.io.nothing_to_move().await;
            }
            let receive = |stream: &S| receive_vectored(stream, buffers);
            self.io.calling(Direction::Read, receive).await
        })
    }

    /// Reads until `buffer` is full.
    ///
    /// Dropping the future may lose what was read so far: it is in `buffer`, but nobody says how
    /// much of it.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the peer stops before; else as [`read`](Self::read).
    #[track_caller]
    pub fn read_exact(&self, mut buffer: &mut [u8]) -> impl Future<Output = io::Result<()>> {
        self.io.driven(async move {
            loop {
                let some = Receive::<true> {
                    buffer: &mut *buffer,
                };
                match self.io.receiving(some).within().await? {
                    0 if buffer.is_empty() => return Ok(()),
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    read if read == buffer.len() => return Ok(()),
                    read => buffer = &mut buffer[read..],
                }
            }
        })
    }

    /// As [`read`](Self::read), but leaves the bytes where they are for the next read.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// As `read`.
    #[track_caller]
    pub fn peek(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.io.driven(async move {
            if buffer.is_empty() {
                return self.io.nothing_to_move().await;
            }
            let peek = |stream: &S| peek(stream, buffer);
            self.io.calling(Direction::Read, peek).await
        })
    }

    /// Writes some of `buffer` and says how much.
    ///
    /// Dropping the future writes nothing that was not reported.
    ///
    /// # Errors
    ///
    /// What send(2) answers, such as `BrokenPipe` or `ConnectionReset`. No signal is raised.
    #[inline]
    #[track_caller]
    pub fn write<'a>(
        &'a self,
        buffer: &'a [u8],
    ) -> impl Future<Output = io::Result<usize>> + use<'a, S> {
        self.io.sending(Send { buffer })
    }

    /// As [`write`](Self::write), from several buffers, one after another.
    ///
    /// Dropping the future writes nothing that was not reported.
    ///
    /// # Errors
    ///
    /// As `write`.
    #[track_caller]
    pub fn write_vectored(
        &self,
        buffers: &[IoSlice<'_>],
    ) -> impl Future<Output = io::Result<usize>> {
        self.io.driven(async move {
            if buffers.iter().all(|buffer| buffer.is_empty()) {
                return self.io.nothing_to_move().await;
            }
            let send = |stream: &S| send_vectored(stream, buffers);
            self.io.calling(Direction::Write, send).await
        })
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
    #[track_caller]
    pub fn write_all<'a>(
        &'a self,
        buffer: &'a [u8],
    ) -> impl Future<Output = io::Result<()>> + use<'a, S> {
        self.sending_all(buffer)
    }

    /// The same by the name of its type.
    #[inline]
    #[track_caller]
    pub(crate) fn sending_all<'a>(
        &'a self,
        buffer: &'a [u8],
    ) -> Operation<'a, S, SendAll<'a>, { Call::Send as u8 }> {
        self.io.sending(SendAll { left: buffer })
    }

    /// Waits until a read may succeed, so that an idle connection needs no buffer; see
    /// [`try_read`](Self::try_read). Readiness is a hint: the attempt may say WouldBlock.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.io.readable()
    }

    /// Waits until a write may succeed; see [`try_write`](Self::try_write).
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.io.writable()
    }

    /// One attempt to read, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing to read; else as [`read`](Self::read).
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.io
            .try_call(Direction::Read, |stream| Ok(receive(stream, buffer)?.bytes))
    }

    /// As [`try_read`](Self::try_read), into several buffers, one after another.
    ///
    /// # Errors
    ///
    /// As `try_read`.
    pub fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return Ok(0);
        }
        self.io
            .try_call(Direction::Read, |stream| receive_vectored(stream, buffers))
    }

    /// One attempt to write, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; else as [`write`](Self::write).
    pub fn try_write(&self, buffer: &[u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.io
            .try_call(Direction::Write, |stream| Ok(send(stream, buffer)?.bytes))
    }

    /// As [`try_write`](Self::try_write), from several buffers, one after another.
    ///
    /// # Errors
    ///
    /// As `try_write`.
    pub fn try_write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return Ok(0);
        }
        self.io
            .try_call(Direction::Write, |stream| send_vectored(stream, buffers))
    }

    /// Closes one direction or both, now, for everybody who shares the connection. A read that waits ends
    /// with 0. On Windows that is our doing: a `readable`, and a read by a duplicate of the socket, go on.
    ///
    /// # Errors
    ///
    /// What shutdown(2) answers; `NotConnected` if the peer was faster.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        shut_down(&self.io, how)?;
        // Winsock's select says nothing of it, while recv does.
        #[cfg(windows)]
        if how != Shutdown::Write {
            self.io.try_again();
        }
        Ok(())
    }

    asked_and_set!();
}

/// The transfer behind `read`, and behind `read_exact`: there, one that does not fill the buffer is not
/// `ALL` of it.
struct Receive<'a, const ALL: bool> {
    buffer: &'a mut [u8],
}

impl<S: StreamSocket, const ALL: bool> Transfer<S> for Receive<'_, ALL> {
    type Reply = Moved;

    #[inline]
    fn make(&mut self, io: &Async<S>) -> io::Result<Moved> {
        let wanted = if ALL { self.buffer.len() } else { 0 };
        let moved = receive(io.get_ref(), self.buffer)?;
        Ok(Moved { wanted, ..moved })
    }

    #[inline]
    fn nothing(&self) -> Option<Moved> {
        self.buffer.is_empty().then_some(Moved::NOTHING)
    }
}

/// The transfer behind `write`.
struct Send<'a> {
    buffer: &'a [u8],
}

impl<S: StreamSocket> Transfer<S> for Send<'_> {
    type Reply = Moved;

    #[inline]
    fn make(&mut self, io: &Async<S>) -> io::Result<Moved> {
        send(io.get_ref(), self.buffer)
    }

    #[inline]
    fn nothing(&self) -> Option<Moved> {
        self.buffer.is_empty().then_some(Moved::NOTHING)
    }
}

/// The transfer behind `write_all`.
pub(crate) struct SendAll<'a> {
    left: &'a [u8],
}

impl<S: StreamSocket> Transfer<S> for SendAll<'_> {
    type Reply = ();

    #[inline]
    fn make(&mut self, io: &Async<S>) -> io::Result<()> {
        let written = socket::send(io.as_fd(), self.left, MSG_NOSIGNAL)?;
        match self.left.get(written..) {
            None | Some([]) => Ok(()),
            // A short write filled the kernel's buffer: no need to ask in order to know.
            Some(rest) => {
                self.left = rest;
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
    }

    #[inline]
    fn nothing(&self) -> Option<()> {
        self.left.is_empty().then_some(())
    }
}

/// Is it what its type says? A `TcpStream` of std can be made of any fd; only TCP knows this option.
fn is_tcp(socket: &impl AsFd) -> bool {
    SockRef::from(socket).tcp_nodelay().is_ok()
}

/// One recv(2), and what it says about the next one.
#[inline]
pub(crate) fn receive<S: StreamSocket>(socket: &S, buffer: &mut [u8]) -> io::Result<Moved> {
    let bytes = socket::recv(socket.as_fd(), buffer, 0)?;
    Ok(Moved {
        bytes,
        asked: match S::SHORT_READ_PROVES_EMPTY {
            true => buffer.len(),
            false => bytes,
        },
        wanted: 0,
    })
}

/// One send(2), and what it says about the next one.
#[inline]
pub(crate) fn send<S: StreamSocket>(socket: &S, buffer: &[u8]) -> io::Result<Moved> {
    let bytes = socket::send(socket.as_fd(), buffer, MSG_NOSIGNAL)?;
    Ok(Moved {
        bytes,
        asked: buffer.len(),
        wanted: 0,
    })
}

fn peek(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    socket::recv(socket.as_fd(), buffer, MSG_PEEK)
}

pub(crate) fn receive_vectored(
    socket: &impl AsFd,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    Ok(socket::recvmsg(socket.as_fd(), buffers, 0)?.bytes)
}

pub(crate) fn send_vectored(socket: &impl AsFd, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    socket::sendmsg(socket.as_fd(), buffers, MSG_NOSIGNAL)
}

selectors_core::has_fd!([S: StreamSocket] Stream<S>, io);

impl<S: StreamSocket> fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}
