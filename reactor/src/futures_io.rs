//! `AsyncRead` and `AsyncWrite` of the futures crates (feature `futures-io`), so that codecs, TLS
//! and compression of other crates work on our streams.
//!
//! They are poll-style operations: all of them share one waiter per direction and fd, and a later
//! waker replaces the earlier one; see [`Async::poll_readable`]. Dropping a future that was made
//! of them loses nothing that they did not report.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use selectors_core::os::AsFd;

use futures_io::{AsyncRead, AsyncWrite};

use crate::fd::async_fd::Async;
use crate::net::{ReadHalf, Share, Stream, StreamSocket, WriteHalf};

/// `AsyncRead` for a type from which `$stream` makes a [`Stream`].
macro_rules! read_stream {
    ([$($generics:tt)*] $type:ty, |$this:ident| $stream:expr) => {
        impl<$($generics)*> AsyncRead for $type {
            #[track_caller]
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                Stream::poll_read($stream, cx, buffer)
            }

            #[track_caller]
            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                Stream::poll_read_vectored($stream, cx, buffers)
            }
        }
    };
}

/// `AsyncWrite`, the same way. Nothing is buffered here, so a flush has nothing to do; closing
/// shuts the writing direction down.
macro_rules! write_stream {
    ([$($generics:tt)*] $type:ty, |$this:ident| $stream:expr) => {
        impl<$($generics)*> AsyncWrite for $type {
            #[track_caller]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                Stream::poll_write($stream, cx, buffer)
            }

            #[track_caller]
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                Stream::poll_write_vectored($stream, cx, buffers)
            }

            #[track_caller]
            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                let stream: &Stream<_> = $stream;
                stream.io.poll_let_others_run(cx).map(Ok)
            }

            #[track_caller]
            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                let stream: &Stream<_> = $stream;
                ready!(stream.io.poll_let_others_run(cx));
                Poll::Ready(shut_down(stream))
            }
        }
    };
}

/// A peer that has closed already needs not be told.
fn shut_down<S: StreamSocket>(stream: &Stream<S>) -> io::Result<()> {
    match stream.shutdown(Shutdown::Write) {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        done => done,
    }
}

read_stream!([S: StreamSocket] Stream<S>, |this| this);
read_stream!([S: StreamSocket] &Stream<S>, |this| *this);
read_stream!(
    [S: StreamSocket, H: Deref<Target = Stream<S>> + Unpin] ReadHalf<H>,
    |this| this.as_ref()
);
write_stream!([S: StreamSocket] Stream<S>, |this| this);
write_stream!([S: StreamSocket] &Stream<S>, |this| *this);
write_stream!(
    [S: StreamSocket, H: Share<Target = Stream<S>> + Unpin] WriteHalf<H>,
    |this| this.as_ref()
);

impl<T: AsFd + 'static> AsyncRead for &Async<T>
where
    for<'a> &'a T: Read,
{
    #[track_caller]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return self.poll_nothing_to_move(cx);
        }
        self.poll_read_with(cx, |mut source| source.read(buffer))
    }

    #[track_caller]
    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return self.poll_nothing_to_move(cx);
        }
        self.poll_read_with(cx, |mut source| source.read_vectored(buffers))
    }
}

/// Closing flushes, and no more: an `Async` cannot know how its source is closed. Drop it.
impl<T: AsFd + 'static> AsyncWrite for &Async<T>
where
    for<'a> &'a T: Write,
{
    #[track_caller]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return self.poll_nothing_to_move(cx);
        }
        self.poll_write_with(cx, |mut source| source.write(buffer))
    }

    #[track_caller]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return self.poll_nothing_to_move(cx);
        }
        self.poll_write_with(cx, |mut source| source.write_vectored(buffers))
    }

    #[track_caller]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |mut source| source.flush())
    }

    #[track_caller]
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl<T: AsFd + 'static> AsyncRead for Async<T>
where
    for<'a> &'a T: Read,
{
    #[track_caller]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, buffer)
    }

    #[track_caller]
    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, buffers)
    }
}

/// As for `&Async<T>`.
impl<T: AsFd + 'static> AsyncWrite for Async<T>
where
    for<'a> &'a T: Write,
{
    #[track_caller]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, buffer)
    }

    #[track_caller]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, buffers)
    }

    #[track_caller]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    #[track_caller]
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}

/// Closing closes the pipe: the child reads to the end. Writing after that is `BrokenPipe`.
#[cfg(all(feature = "process", not(windows)))]
impl AsyncWrite for crate::process::ChildStdin {
    #[track_caller]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = ready!(self.poll_pipe(cx))?;
        Pin::new(&mut pipe).poll_write(cx, buffer)
    }

    #[track_caller]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = ready!(self.poll_pipe(cx))?;
        Pin::new(&mut pipe).poll_write_vectored(cx, buffers)
    }

    #[track_caller]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_let_others_run(cx).map(Ok)
    }

    #[track_caller]
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_let_others_run(cx));
        self.get_mut().close();
        Poll::Ready(Ok(()))
    }
}
