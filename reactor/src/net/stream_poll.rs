//! The poll-style operations of a stream, for code that implements futures and traits by hand.
//!
//! All of them share one waiter per direction and stream: a later waker replaces the earlier one,
//! see [`Async::poll_readable`](crate::Async::poll_readable).

use std::io::{self, IoSlice, IoSliceMut};
use std::task::{Context, Poll};

use crate::fd::transfer::Reply;
use crate::net::sockets::StreamSocket;
use crate::net::stream::{Stream, receive, receive_vectored, send, send_vectored};
use crate::watch::direction::Direction;

impl<S: StreamSocket> Stream<S> {
    /// Waits until a read may succeed.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    #[track_caller]
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_readable(cx)
    }

    /// Waits until a write may succeed.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the socket is registered.
    #[track_caller]
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_writable(cx)
    }

    /// The poll-style form of [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return self.io.poll_nothing_to_move(cx);
        }
        self.io.poll_read_with(cx, |stream| {
            Ok(receive(stream, buffer)?.settle(&self.io, Direction::Read))
        })
    }

    /// The poll-style form of [`read_vectored`](Self::read_vectored).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return self.io.poll_nothing_to_move(cx);
        }
        self.io
            .poll_read_with(cx, |stream| receive_vectored(stream, buffers))
    }

    /// The poll-style form of [`write`](Self::write).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_write(&self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return self.io.poll_nothing_to_move(cx);
        }
        self.io.poll_write_with(cx, |stream| {
            Ok(send(stream, buffer)?.settle(&self.io, Direction::Write))
        })
    }

    /// The poll-style form of [`write_vectored`](Self::write_vectored).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return self.io.poll_nothing_to_move(cx);
        }
        self.io
            .poll_write_with(cx, |stream| send_vectored(stream, buffers))
    }
}
