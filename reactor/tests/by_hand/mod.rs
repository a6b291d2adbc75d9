//! Polling by hand, without an executor: wakers that count, operations and timers that are polled
//! when the test says so, turns when the test says so.

#![allow(dead_code, reason = "every test binary uses its own part of this")]

use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use reactor::time::{Sleep, sleep};
use reactor::{Async, Direction, Reactor};

/// Counts its wakes.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    /// A counter and a waker that it counts.
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An operation that is polled by hand.
pub(crate) type Op<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + 'a>>;

pub(crate) fn poll<T>(op: &mut Op<'_, T>, waker: &Waker) -> Poll<io::Result<T>> {
    op.as_mut().poll(&mut Context::from_waker(waker))
}

/// Polls an operation that has to wait, and returns what counts its wakes.
pub(crate) fn wait<T>(op: &mut Op<'_, T>) -> (Arc<Count>, Waker) {
    let (count, waker) = Count::new();
    assert!(poll(op, &waker).is_pending());
    (count, waker)
}

/// A blocking end, and one that is watched.
pub(crate) fn pair() -> io::Result<(UnixStream, Async<UnixStream>)> {
    let (near, far) = UnixStream::pair()?;
    far.set_nonblocking(true)?;
    Ok((near, Async::new(far)))
}

/// A read of one byte that was not polled yet.
pub(crate) fn read_byte(source: &Async<UnixStream>) -> Op<'_, u8> {
    Box::pin(source.read_with(|mut source| {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        Ok(byte[0])
    }))
}

/// Fills the socket's buffers, so that a write has to wait.
pub(crate) fn fill(source: &Async<UnixStream>) {
    while source
        .try_with(Direction::Write, |mut source| source.write(&[0; 4096]))
        .is_ok()
    {}
}

/// A few turns that do not block: what is going to be reported has been reported. Returns how
/// many wakers were called.
pub(crate) fn settle(reactor: &Reactor) -> io::Result<usize> {
    let mut woken = 0;
    for _ in 0..4 {
        woken += reactor.turn(Some(Duration::ZERO))?.woken;
    }
    Ok(woken)
}

/// A sleep that is polled by hand.
pub(crate) struct Timer {
    pub(crate) sleep: Pin<Box<Sleep>>,
    pub(crate) count: Arc<Count>,
    pub(crate) waker: Waker,
}

impl Timer {
    /// Not polled yet.
    pub(crate) fn lazy(sleep: Sleep) -> Self {
        let (count, waker) = Count::new();
        Timer {
            sleep: Box::pin(sleep),
            count,
            waker,
        }
    }

    /// Polled once, so that the reactor knows of it.
    pub(crate) fn new(sleep: Sleep) -> Self {
        let mut timer = Timer::lazy(sleep);
        assert!(!timer.is_over());
        timer
    }

    pub(crate) fn millis(millis: u64) -> Self {
        Timer::new(sleep(Duration::from_millis(millis)))
    }

    pub(crate) fn is_over(&mut self) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        self.sleep.as_mut().poll(&mut cx).is_ready()
    }
}

/// Turns until `timer` is over; returns how long that took since `start`.
pub(crate) fn finish(reactor: &Reactor, timer: &mut Timer, start: Instant) -> io::Result<Duration> {
    while !timer.is_over() {
        reactor.turn(None)?;
    }
    Ok(start.elapsed())
}
