//! Reads in every form until the end comes, and has each byte checked.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSliceMut};
use std::rc::Rc;

use executor::yield_now;
use fastrand::Rng;
use reactor::net::{Stream, StreamSocket};

use crate::flow::Flow;
use crate::patience;

pub(crate) struct Reader {
    pub(crate) flow: Rc<Flow>,
    /// Nobody else reads from this end.
    pub(crate) alone: bool,
    pub(crate) random: Rng,
    pub(crate) steps: Rc<Cell<u64>>,
}

impl Reader {
    pub(crate) async fn run<S: StreamSocket>(mut self, stream: &Stream<S>) -> io::Result<()> {
        let flow = Rc::clone(&self.flow);
        loop {
            self.steps.set(self.steps.get() + 1);
            match self.step(stream).await {
                Ok(true) => {}
                // The end stays the end.
                Ok(false) => match stream.read(&mut [0; 8]).await {
                    Ok(more) => {
                        assert_eq!(more, 0, "bytes behind the end of {flow:?}");
                        return Ok(());
                    }
                    Err(error) if flow.excuses(&error) => return Ok(()),
                    Err(error) => return Err(error),
                },
                Err(error) if flow.excuses(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// One operation; `false` when there will be no more.
    async fn step<S: StreamSocket>(&mut self, stream: &Stream<S>) -> io::Result<bool> {
        let mut buffer = vec![0; length(&mut self.random)];
        let random = &mut self.random;
        let cut = random.usize(..=buffer.len());
        match random.u8(..16) {
            0..4 => {
                let read = patience::any(random, stream.read(&mut buffer)).await;
                self.took(read, &buffer)
            }
            4..6 => {
                let (first, second) = buffer.split_at_mut(cut);
                let mut slices = [IoSliceMut::new(first), IoSliceMut::new(second)];
                let read = patience::any(random, stream.read_vectored(&mut slices)).await;
                self.took(read, &buffer)
            }
            6..8 => match patience::any(random, stream.peek(&mut buffer)).await {
                Some(Ok(peeked)) => {
                    self.flow.peeked(&buffer[..peeked]);
                    Ok(true)
                }
                Some(Err(error)) => Err(error),
                None => Ok(true),
            },
            8..10 => {
                let read = stream.try_read(&mut buffer);
                self.tried(read, &buffer)
            }
            10 => {
                let (first, second) = buffer.split_at_mut(cut);
                let mut slices = [IoSliceMut::new(first), IoSliceMut::new(second)];
                let read = stream.try_read_vectored(&mut slices);
                self.tried(read, &buffer)
            }
            11..13 => match patience::any(random, stream.readable()).await {
                Some(Ok(())) => {
                    let read = stream.try_read(&mut buffer);
                    let blocked = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
                    // Another reader may have been faster.
                    if self.alone && read.as_ref().is_err_and(blocked) {
                        panic!("readable, and then not: {:?}", self.flow);
                    }
                    self.tried(read, &buffer)
                }
                Some(Err(error)) => Err(error),
                None => Ok(true),
            },
            // These share one waiter for each direction.
            13 if self.alone => {
                let read = poll_fn(|cx| stream.poll_read(cx, &mut buffer));
                let read = patience::any(random, read).await;
                self.took(read, &buffer)
            }
            14 if self.alone => {
                buffer.truncate(random.usize(1..=4));
                match stream.read_exact(&mut buffer).await {
                    Ok(()) => {
                        self.flow.received(&buffer);
                        Ok(true)
                    }
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                        self.flow.heard_the_end_in(&buffer);
                        Ok(false)
                    }
                    Err(error) => Err(error),
                }
            }
            15 => {
                // Nothing is there at any time.
                assert_eq!(stream.read(&mut []).await?, 0);
                assert_eq!(stream.read_vectored(&mut []).await?, 0);
                assert_eq!(
                    stream
                        .read_vectored(&mut [IoSliceMut::new(&mut [])])
                        .await?,
                    0
                );
                Ok(true)
            }
            _ => {
                yield_now().await;
                Ok(true)
            }
        }
    }

    /// A read that was waited for.
    fn took(&self, read: Option<io::Result<usize>>, buffer: &[u8]) -> io::Result<bool> {
        match read {
            Some(Ok(0)) if !buffer.is_empty() => {
                self.flow.heard_the_end();
                Ok(false)
            }
            Some(Ok(length)) => {
                self.flow.received(&buffer[..length]);
                Ok(true)
            }
            Some(Err(error)) => Err(error),
            None => Ok(true),
        }
    }

    /// A read that does not wait.
    fn tried(&self, read: io::Result<usize>, buffer: &[u8]) -> io::Result<bool> {
        match read {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            read => self.took(Some(read), buffer),
        }
    }
}

/// Mostly small, sometimes more than comes at once.
pub(crate) fn length(random: &mut Rng) -> usize {
    match random.u8(..8) {
        0 => 1,
        1..5 => random.usize(1..200),
        5..7 => random.usize(1..8_000),
        _ => random.usize(1..100_000),
    }
}
