//! From one stream to another until its end: what a proxy does.

use std::future::Future;
use std::io;
use std::net::Shutdown;

use crate::both::both;
use crate::net::sockets::StreamSocket;
use crate::net::stream::Stream;

/// Writes to `to` what comes from `from`, until it sends no more, and says how many bytes that were.
/// `to` stays open.
///
/// While nothing comes it holds no buffer, and while `to` takes nothing at most 16 KiB: then nothing
/// more is read, so that a sender is as slow as its receiver.
///
/// Dropping the future may lose bytes that were read and not yet written.
///
/// # Errors
///
/// As [`read`](Stream::read) and [`write`](Stream::write).
///
/// ```
/// use executor::block_on;
/// use reactor::net::{UnixStream, copy};
///
/// block_on(async {
///     let (near, inlet) = UnixStream::pair()?;
///     let (outlet, far) = UnixStream::pair()?;
///     near.write_all(b"hello").await?;
///     drop(near);
///     assert_eq!(copy(&inlet, &outlet).await?, 5);
///     far.read_exact(&mut [0; 5]).await?;
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn copy<A: StreamSocket, B: StreamSocket>(
    from: &Stream<A>,
    to: &Stream<B>,
) -> impl Future<Output = io::Result<u64>> {
    from.io.driven(copying(from, to))
}

async fn copying<A: StreamSocket, B: StreamSocket>(
    from: &Stream<A>,
    to: &Stream<B>,
) -> io::Result<u64> {
    let mut copied = 0;
    loop {
        let read = from.lending(|bytes| write_or_keep(to, bytes)).within();
        let (length, rest) = read.await??;
        if length == 0 {
            return Ok(copied);
        }
        to.sending_all(&rest).within().await?;
        copied += length as u64;
    }
}

/// Writes what `to` takes at once. Says how many bytes there were, and hands the rest back.
fn write_or_keep<S: StreamSocket>(to: &Stream<S>, bytes: &[u8]) -> io::Result<(usize, Vec<u8>)> {
    let written = match to.try_write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        written => written?,
    };
    Ok((bytes.len(), bytes[written..].to_vec()))
}

/// [`copy`] in both directions at once, until both have ended. Says how many bytes went from `a` to
/// `b`, and how many from `b` to `a`.
///
/// Where one side sends no more, the other is told, and may still answer: the end of a direction is
/// passed on as such, by [`shutdown`](Stream::shutdown).
///
/// Dropping the future may lose bytes that were read and not yet written.
///
/// # Errors
///
/// The first error of either direction; the other is then given up.
///
/// ```
/// use executor::block_on;
/// use reactor::net::{UnixStream, copy_bidirectional};
/// use std::net::Shutdown;
///
/// block_on(async {
///     let (client, left) = UnixStream::pair()?;
///     let (right, server) = UnixStream::pair()?;
///     client.write_all(b"question").await?;
///     client.shutdown(Shutdown::Write)?;
///     server.write_all(b"answer").await?;
///     server.shutdown(Shutdown::Write)?;
///     assert_eq!(copy_bidirectional(&left, &right).await?, (8, 6));
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn copy_bidirectional<A: StreamSocket, B: StreamSocket>(
    a: &Stream<A>,
    b: &Stream<B>,
) -> impl Future<Output = io::Result<(u64, u64)>> {
    a.io.driven(both(pass_on(a, b), pass_on(b, a)))
}

/// [`copy`], and then the end.
async fn pass_on<A: StreamSocket, B: StreamSocket>(
    from: &Stream<A>,
    to: &Stream<B>,
) -> io::Result<u64> {
    let copied = copying(from, to).await?;
    match to.shutdown(Shutdown::Write) {
        // Who has closed already need not be told.
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
        told => told?,
    }
    Ok(copied)
}
