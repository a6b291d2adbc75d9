//! The poll-style operations of [`Async`]: for code that implements futures, streams and the
//! traits of other crates by hand.
//!
//! An `async fn` is an object: while it lives its waker is in the slot, and when it is dropped the
//! waker goes with it. A `poll_` method leaves nothing behind that could be dropped. So all of
//! them share **one waiter per direction and fd**: a later waker replaces the earlier one, and the
//! last waker stays until an event or the next call in that direction that is `Ready`. Two tasks
//! that poll in the same direction must use the `async` methods instead, which do not disturb
//! each other, nor the poll-style ones.

use std::io;
use std::task::{Context, Poll};

use selectors_core::os::AsFd;

use crate::fd::async_fd::Async;
use crate::watch::direction::Direction;

impl<T: AsFd + 'static> Async<T> {
    /// Waits until reading may succeed; the poll-style form of [`readable`](Self::readable).
    ///
    /// One waiter per direction and fd: a later waker replaces the earlier one. A caller that
    /// stops polling is woken once more at most.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the fd is registered.
    #[track_caller]
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.standing_waiter(Direction::Read).poll_ready(cx);
        self.reactor.driven(polled)
    }

    /// Waits until writing may succeed; see [`poll_readable`](Self::poll_readable).
    ///
    /// # Errors
    ///
    /// What the kernel answers when the fd is registered.
    #[track_caller]
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.standing_waiter(Direction::Write).poll_ready(cx);
        self.reactor.driven(polled)
    }

    /// Calls `op` until it does not say WouldBlock; the poll-style form of
    /// [`read_with`](Self::read_with), with the one waiter of
    /// [`poll_readable`](Self::poll_readable).
    ///
    /// # Errors
    ///
    /// Those of `op`, and what the kernel answers when the fd is registered.
    ///
    /// ```
    /// use reactor::Async;
    /// use std::{future::poll_fn, io::{Read, Write}, os::unix::net::UnixStream};
    ///
    /// executor::block_on(async {
    ///     let (mut near, far) = UnixStream::pair()?;
    ///     let far = Async::nonblocking(far)?;
    ///     near.write_all(b"hello")?;
    ///     let mut buffer = [0; 16];
    ///     let length = poll_fn(|cx| far.poll_read_with(cx, |mut far| far.read(&mut buffer))).await?;
    ///     assert_eq!(&buffer[..length], b"hello");
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn poll_read_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let polled = self.standing_waiter(Direction::Read).poll(cx, op);
        self.reactor.driven(polled)
    }

    /// Calls `op` until it does not say WouldBlock; see
    /// [`poll_read_with`](Self::poll_read_with).
    ///
    /// # Errors
    ///
    /// Those of `op`, and what the kernel answers when the fd is registered.
    #[track_caller]
    pub fn poll_write_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let polled = self.standing_waiter(Direction::Write).poll(cx, op);
        self.reactor.driven(polled)
    }
}
