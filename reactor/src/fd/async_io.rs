//! Reading and writing through [`Async`], for sources that std can read and write by reference:
//! files, pipes, terminals and most devices.

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::task::{Context, Poll};

use selectors_core::os::AsFd;

use crate::fd::async_fd::Async;
use crate::watch::direction::Direction;

impl<T: AsFd + 'static> Async<T> {
    /// Moves no bytes, which is done at once, whatever the source can do now. A task that does
    /// nothing else lets others run all the same.
    pub(crate) async fn nothing_to_move(&self) -> io::Result<usize> {
        poll_fn(|cx| self.poll_nothing_to_move(cx)).await
    }

    /// For what can be ready again and again without an operation that waits: spends from the
    /// budget.
    pub(crate) async fn let_others_run(&self) {
        poll_fn(|cx| self.poll_let_others_run(cx)).await;
    }

    /// The poll-style form of [`let_others_run`](Self::let_others_run).
    pub(crate) fn poll_let_others_run(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.reactor.poll_spend(cx)
    }

    /// The poll-style form of [`nothing_to_move`](Self::nothing_to_move).
    pub(crate) fn poll_nothing_to_move(&self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_let_others_run(cx).map(|()| Ok(0))
    }
}

impl<T: AsFd + 'static> Async<T>
where
    for<'a> &'a T: Read,
{
    /// Reads what is there, at most `buffer.len()` bytes; 0 means the end, or an empty `buffer`.
    ///
    /// Dropping the future loses no byte.
    ///
    /// # Errors
    ///
    /// What read(2) answers.
    ///
    /// ```
    /// use reactor::Async;
    /// use std::os::unix::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (near, far) = UnixStream::pair()?;
    ///     let (near, far) = (Async::nonblocking(near)?, Async::nonblocking(far)?);
    ///     near.write_all(b"hello").await?;
    ///     drop(near);
    ///     let mut all = Vec::new();
    ///     far.read_to_end(&mut all).await?;
    ///     assert_eq!(all, b"hello");
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn read(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.driven(self.reading(buffer))
    }

    async fn reading(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return self.nothing_to_move().await;
        }
        self.calling(Direction::Read, |mut source| source.read(buffer))
            .await
    }

    /// Appends everything up to the end to `bytes`; returns how much that was.
    ///
    /// Dropping the future leaves in `bytes` what was read so far.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    #[track_caller]
    pub fn read_to_end(&self, bytes: &mut Vec<u8>) -> impl Future<Output = io::Result<usize>> {
        self.driven(self.reading_to_end(bytes))
    }

    pub(crate) async fn reading_to_end(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let mut chunk = [0; 8192];
        let before = bytes.len();
        loop {
            match self.reading(&mut chunk).await? {
                0 => return Ok(bytes.len() - before),
                read => bytes.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

impl<T: AsFd + 'static> Async<T>
where
    for<'a> &'a T: Write,
{
    /// Writes some of `buffer` and says how much.
    ///
    /// Dropping the future writes nothing that was not reported.
    ///
    /// # Errors
    ///
    /// What write(2) answers, such as `BrokenPipe`.
    #[track_caller]
    pub fn write(&self, buffer: &[u8]) -> impl Future<Output = io::Result<usize>> {
        self.driven(self.writing(buffer))
    }

    pub(crate) async fn writing(&self, buffer: &[u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return self.nothing_to_move().await;
        }
        self.calling(Direction::Write, |mut source| source.write(buffer))
            .await
    }

    /// Writes all of `buffer`.
    ///
    /// Dropping the future in the middle leaves an unknown part of `buffer` written.
    ///
    /// # Errors
    ///
    /// `WriteZero` if the source takes no more; else as [`write`](Self::write).
    #[track_caller]
    pub fn write_all(&self, buffer: &[u8]) -> impl Future<Output = io::Result<()>> {
        self.driven(self.writing_all(buffer))
    }

    pub(crate) async fn writing_all(&self, mut buffer: &[u8]) -> io::Result<()> {
        loop {
            match self.writing(buffer).await? {
                0 if buffer.is_empty() => return Ok(()),
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written if written == buffer.len() => return Ok(()),
                written => buffer = &buffer[written..],
            }
        }
    }
}
