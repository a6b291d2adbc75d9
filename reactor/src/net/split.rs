//! The two directions of a connection: by reference inside one task, owned for two.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::ops::Deref;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::net::sockets::StreamSocket;
use crate::net::stream::Stream;

/// The reading half of a [`Stream`]: of `&Stream` by [`split`](Stream::split), owned by
/// [`into_split`](Stream::into_split). `as_ref` is the stream, for options and addresses.
#[derive(Debug)]
pub struct ReadHalf<H> {
    stream: H,
}

/// The reading half that owns its share of the connection.
pub type OwnedReadHalf<S> = ReadHalf<Rc<Stream<S>>>;

/// The writing half of a [`Stream`]: of `&Stream` by [`split`](Stream::split), owned by
/// [`into_split`](Stream::into_split). `as_ref` is the stream, for options and addresses.
#[derive(Debug)]
pub struct WriteHalf<H: Share> {
    stream: H,
    /// False for one that was reunited.
    shut_down_on_drop: bool,
}

/// The writing half that owns its share of the connection; dropping it tells the peer that no more
/// will come.
pub type OwnedWriteHalf<S> = WriteHalf<Rc<Stream<S>>>;

/// How a half holds its stream: by reference or by a counted share.
pub trait Share: Deref {
    /// The writing half is dropped.
    #[doc(hidden)]
    fn end_writing(&self);
}

impl<S: StreamSocket> Stream<S> {
    /// Two views, one to read with and one to write with.
    #[must_use]
    pub fn split(&self) -> (ReadHalf<&Self>, WriteHalf<&Self>) {
        (ReadHalf::new(self), WriteHalf::new(self))
    }

    /// Two owners, one to read with and one to write with, for two tasks. Dropping the writing one
    /// shuts that direction down; the connection is closed when both are dropped.
    /// [`reunite`](OwnedReadHalf::reunite) makes one stream of them again.
    #[must_use]
    pub fn into_split(self) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
        let stream = Rc::new(self);
        (ReadHalf::new(Rc::clone(&stream)), WriteHalf::new(stream))
    }
}

impl<S: StreamSocket> Share for &Stream<S> {
    fn end_writing(&self) {}
}

impl<S: StreamSocket> Share for Rc<Stream<S>> {
    fn end_writing(&self) {
        // A peer that was faster has nothing to be told.
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl<S: StreamSocket, H: Deref<Target = Stream<S>>> ReadHalf<H> {
    pub(crate) fn new(stream: H) -> Self {
        ReadHalf { stream }
    }

    /// See [`Stream::read`]; cancelling loses no byte.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn read<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + use<'a, S, H> {
        self.stream.read(buffer)
    }

    /// See [`Stream::read_vectored`]; cancelling loses no byte.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn read_vectored(
        &self,
        buffers: &mut [IoSliceMut<'_>],
    ) -> impl Future<Output = io::Result<usize>> {
        self.stream.read_vectored(buffers)
    }

    /// See [`Stream::read_exact`]; cancelling loses count.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn read_exact(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<()>> {
        self.stream.read_exact(buffer)
    }

    /// See [`Stream::peek`]; cancelling changes nothing.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn peek(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.stream.peek(buffer)
    }

    /// See [`Stream::read_lent`]; cancelling loses no byte.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn read_lent<'a, R, F>(
        &'a self,
        look: F,
    ) -> impl Future<Output = io::Result<R>> + use<'a, S, H, R, F>
    where
        F: FnOnce(&[u8]) -> R + Unpin,
    {
        self.stream.read_lent(look)
    }

    /// See [`Stream::read_append`]; cancelling loses no byte.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn read_append<'a>(
        &'a self,
        bytes: &'a mut Vec<u8>,
    ) -> impl Future<Output = io::Result<usize>> + use<'a, S, H> {
        self.stream.read_append(bytes)
    }

    /// See [`Stream::readable`]; cancelling changes nothing.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.stream.readable()
    }

    /// See [`Stream::try_read`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buffer)
    }

    /// See [`Stream::poll_read`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_read(cx, buffer)
    }
}

impl<S: StreamSocket> OwnedReadHalf<S> {
    /// One stream again, if `writer` is the other half of it.
    ///
    /// # Errors
    ///
    /// Two halves of different streams are given back.
    ///
    /// ```
    /// use reactor::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (near, far) = UnixStream::pair()?;
    ///     let (reader, writer) = near.into_split();
    ///     writer.write_all(b"hi").await?;
    ///     let near = reader.reunite(writer).expect("two halves of one stream");
    ///     far.write_all(b"ho").await?;
    ///     assert_eq!(near.read(&mut [0; 8]).await?, 2);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn reunite(self, mut writer: OwnedWriteHalf<S>) -> Result<Stream<S>, ReuniteError<S>> {
        if !Rc::ptr_eq(&self.stream, &writer.stream) {
            return Err(ReuniteError(self, writer));
        }
        writer.shut_down_on_drop = false;
        drop(writer);
        Ok(Rc::into_inner(self.stream).expect("each half holds one share, and there are two"))
    }
}

impl<H: Share> WriteHalf<H> {
    pub(crate) fn new(stream: H) -> Self {
        WriteHalf {
            stream,
            shut_down_on_drop: true,
        }
    }
}

impl<S: StreamSocket, H: Share<Target = Stream<S>>> WriteHalf<H> {
    /// See [`Stream::write`]; cancelling writes nothing that was not reported.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn write<'a>(
        &'a self,
        buffer: &'a [u8],
    ) -> impl Future<Output = io::Result<usize>> + use<'a, S, H> {
        self.stream.write(buffer)
    }

    /// See [`Stream::write_vectored`]; cancelling writes nothing that was not reported.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn write_vectored(
        &self,
        buffers: &[IoSlice<'_>],
    ) -> impl Future<Output = io::Result<usize>> {
        self.stream.write_vectored(buffers)
    }

    /// See [`Stream::write_all`]; cancelling leaves an unknown part written.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn write_all<'a>(
        &'a self,
        buffer: &'a [u8],
    ) -> impl Future<Output = io::Result<()>> + use<'a, S, H> {
        self.stream.write_all(buffer)
    }

    /// See [`Stream::writable`]; cancelling changes nothing.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.stream.writable()
    }

    /// See [`Stream::try_write`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_write(&self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.try_write(buffer)
    }

    /// See [`Stream::poll_write`].
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_write(&self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_write(cx, buffer)
    }

    /// Tells the peer that no more will come; reading goes on.
    ///
    /// # Errors
    ///
    /// What shutdown(2) answers.
    pub fn shutdown(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl<H: Share> Drop for WriteHalf<H> {
    fn drop(&mut self) {
        if self.shut_down_on_drop {
            self.stream.end_writing();
        }
    }
}

impl<T> Clone for ReadHalf<&T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ReadHalf<&T> {}

impl<S: StreamSocket, H: Deref<Target = Stream<S>>> AsRef<Stream<S>> for ReadHalf<H> {
    fn as_ref(&self) -> &Stream<S> {
        &self.stream
    }
}

impl<S: StreamSocket, H: Share<Target = Stream<S>>> AsRef<Stream<S>> for WriteHalf<H> {
    fn as_ref(&self) -> &Stream<S> {
        &self.stream
    }
}

/// The halves were not of one stream; here they are again.
#[derive(Debug)]
pub struct ReuniteError<S: StreamSocket>(
    /// The reading half.
    pub OwnedReadHalf<S>,
    /// The writing half.
    pub OwnedWriteHalf<S>,
);

impl<S: StreamSocket> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these are halves of two different streams")
    }
}

impl<S: StreamSocket> std::error::Error for ReuniteError<S> {}
