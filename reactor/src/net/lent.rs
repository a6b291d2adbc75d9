//! Reading without a buffer of one's own: one is lent for the moment in which there are bytes.
//!
//! A server with ten thousand connections that wait needs ten thousand buffers if each `read` brings
//! its own, and only one if nobody holds it while waiting. That one belongs to the reactor.

use std::future::Future;
use std::io;

use selectors_core::os::AsFd;

use crate::fd::async_fd::Async;
use crate::fd::operation::Operation;
use crate::fd::transfer::{Moved, Reply, Transfer};
use crate::heart::shared::{LentBuffer, new_lent_buffer};
use crate::net::sockets::StreamSocket;
use crate::net::stream::{Stream, receive};
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::Outcome;

impl<S: StreamSocket> Stream<S> {
    /// Reads what is there into a buffer that all streams of this reactor share, and shows it to
    /// `look`: at most 16 KiB, and none if the peer sends no more. What `look` returns is the
    /// answer; what it does not use or copy is gone.
    ///
    /// While this waits it holds no buffer, so an idle connection costs no more than its task.
    /// `look` is called once, at the end.
    ///
    /// Dropping the future loses no byte.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and `look` is not called.
    ///
    /// ```
    /// use executor::block_on;
    /// use reactor::net::UnixStream;
    ///
    /// block_on(async {
    ///     let (near, far) = UnixStream::pair()?;
    ///     near.write_all(b"hello").await?;
    ///     drop(near);
    ///     assert_eq!(far.read_lent(|bytes| bytes.to_vec()).await?, b"hello");
    ///     assert!(far.read_lent(|bytes| bytes.is_empty()).await?);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn read_lent<'a, R, F>(
        &'a self,
        look: F,
    ) -> impl Future<Output = io::Result<R>> + use<'a, S, R, F>
    where
        F: FnOnce(&[u8]) -> R + Unpin,
    {
        self.lending(look)
    }

    /// Reads what is there, at most 16 KiB, and appends it to `bytes`; 0 means that the peer sends no
    /// more. While this waits `bytes` does not grow.
    ///
    /// The bytes come by way of the buffer of [`read_lent`](Self::read_lent): nothing has to be zeroed
    /// first, no uninitialised memory is handed to the kernel, and the copy is one within the cache.
    ///
    /// Dropping the future loses no byte.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// ```
    /// use reactor::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (near, far) = UnixStream::pair()?;
    ///     let mut bytes = b"> ".to_vec();
    ///     near.write_all(b"hello").await?;
    ///     assert_eq!(far.read_append(&mut bytes).await?, 5);
    ///     assert_eq!(bytes, b"> hello");
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn read_append<'a>(
        &'a self,
        bytes: &'a mut Vec<u8>,
    ) -> impl Future<Output = io::Result<usize>> + use<'a, S> {
        self.lending(|lent| {
            bytes.extend_from_slice(lent);
            lent.len()
        })
    }

    /// [`read_lent`](Self::read_lent) by the name of its type.
    #[inline]
    #[track_caller]
    pub(crate) fn lending<R, F>(&self, look: F) -> Operation<'_, S, Lend<F>, { Call::Recv as u8 }>
    where
        F: FnOnce(&[u8]) -> R + Unpin,
    {
        self.io.receiving(Lend { look: Some(look) })
    }
}

/// The transfer behind `read_lent`.
pub(crate) struct Lend<F> {
    /// Until it is called.
    look: Option<F>,
}

impl<S, R, F> Transfer<S> for Lend<F>
where
    S: StreamSocket,
    F: FnOnce(&[u8]) -> R + Unpin,
{
    type Reply = Lent<F>;

    #[inline]
    fn make(&mut self, io: &Async<S>) -> io::Result<Lent<F>> {
        let mut buffer = io.reactor.lent.take().unwrap_or_else(new_lent_buffer);
        let received = receive(io.get_ref(), &mut *buffer);
        match received {
            Ok(moved) => Ok(Lent {
                moved,
                buffer,
                look: self.look.take().expect("an operation succeeds once"),
            }),
            Err(error) => {
                io.reactor.lent.set(Some(buffer));
                Err(error)
            }
        }
    }

    #[inline]
    fn nothing(&self) -> Option<Lent<F>> {
        None
    }
}

/// Bytes that were read, and who wants to see them.
pub(crate) struct Lent<F> {
    moved: Moved,
    buffer: Box<LentBuffer>,
    look: F,
}

impl<R, F: FnOnce(&[u8]) -> R> Reply for Lent<F> {
    type Output = R;

    fn outcome(&self) -> Outcome {
        self.moved.outcome()
    }

    #[inline]
    fn settle<T: AsFd + 'static>(self, io: &Async<T>, direction: Direction) -> R {
        // First, because `look` may do anything, such as read on.
        let length = self.moved.settle(io, direction);
        let output = (self.look)(&self.buffer[..length]);
        io.reactor.lent.set(Some(self.buffer));
        output
    }
}
