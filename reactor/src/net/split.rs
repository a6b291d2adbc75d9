//! The two directions of a connection, by reference.

use std::io;
use std::net::Shutdown;

use crate::net::tcp_stream::TcpStream;

/// The reading view of a [`TcpStream`]; made by [`TcpStream::split`].
#[derive(Clone, Copy, Debug)]
pub struct ReadHalf<'a> {
    pub(crate) stream: &'a TcpStream,
}

impl ReadHalf<'_> {
    /// See [`TcpStream::read`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer).await
    }

    /// See [`TcpStream::read_exact`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn read_exact(&self, buffer: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(buffer).await
    }

    /// See [`TcpStream::peek`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(buffer).await
    }
}

/// The writing view of a [`TcpStream`]; made by [`TcpStream::split`].
#[derive(Clone, Copy, Debug)]
pub struct WriteHalf<'a> {
    pub(crate) stream: &'a TcpStream,
}

impl WriteHalf<'_> {
    /// See [`TcpStream::write`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn write(&self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer).await
    }

    /// See [`TcpStream::write_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn write_all(&self, buffer: &[u8]) -> io::Result<()> {
        self.stream.write_all(buffer).await
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
