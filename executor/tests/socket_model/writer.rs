//! Writes in every form, and has what was reported counted.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;

use executor::yield_now;
use fastrand::Rng;
use reactor::net::{Stream, StreamSocket};

use crate::flow::Flow;
use crate::patience;
use crate::reader::length;

pub(crate) struct Writer {
    pub(crate) flow: Rc<Flow>,
    /// Operations before the end.
    pub(crate) turns: usize,
    pub(crate) random: Rng,
    pub(crate) steps: Rc<Cell<u64>>,
}

impl Writer {
    pub(crate) async fn run<S: StreamSocket>(mut self, stream: &Stream<S>) -> io::Result<()> {
        for _ in 0..self.turns {
            self.steps.set(self.steps.get() + 1);
            match self.step(stream).await {
                Ok(()) => {}
                Err(error) if self.flow.excuses(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn step<S: StreamSocket>(&mut self, stream: &Stream<S>) -> io::Result<()> {
        let random = &mut self.random;
        let bytes = self.flow.next(length(random));
        let (first, second) = bytes.split_at(random.usize(..=bytes.len()));
        let slices = [IoSlice::new(first), IoSlice::new(second)];
        let written = match random.u8(..16) {
            0..4 => patience::any(random, stream.write(&bytes)).await,
            4..7 => patience::any(random, stream.write_vectored(&slices)).await,
            7..9 => tried(stream.try_write(&bytes)),
            9 => tried(stream.try_write_vectored(&slices)),
            10..12 => match patience::any(random, stream.writable()).await {
                Some(Ok(())) => {
                    let written = tried(stream.try_write(&bytes));
                    assert!(written.is_some(), "writable, and then not: {:?}", self.flow);
                    written
                }
                Some(Err(error)) => Some(Err(error)),
                None => None,
            },
            12 => patience::any(random, poll_fn(|cx| stream.poll_write(cx, &bytes))).await,
            // A dropped one would leave an unknown part written, so it is waited for. The readers
            // may see its bytes before it is done.
            13 => {
                self.flow.underway(bytes.len());
                let written = stream.write_all(&bytes).await;
                self.flow.underway(0);
                Some(written.map(|()| bytes.len()))
            }
            14 => {
                // Nothing has room at any time.
                assert_eq!(stream.write(&[]).await?, 0);
                assert_eq!(stream.write_vectored(&[]).await?, 0);
                stream.write_all(&[]).await?;
                None
            }
            _ => {
                yield_now().await;
                None
            }
        };
        match written {
            Some(Ok(length)) => self.flow.wrote(length, bytes.len()),
            Some(Err(error)) => return Err(error),
            None => {}
        }
        Ok(())
    }
}

/// A write that does not wait.
fn tried(written: io::Result<usize>) -> Option<io::Result<usize>> {
    match written {
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        written => Some(written),
    }
}
