//! The `rt` traits of hyper on this runtime: streams, timers and an executor.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Executor, Read, ReadBufCursor, Sleep, Timer, Write};
use reactor::net::TcpStream;
use send_wrapper::SendWrapper;

/// A stream as hyper wants it.
#[derive(Debug)]
pub(crate) struct HyperStream(pub(crate) TcpStream);

impl Read for HyperStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // hyper's buffer is not initialized, and only unsafe code may tell it how much of it is
        // now. So the bytes take one step more.
        let mut chunk = [0; 8192];
        let length = chunk.len().min(buffer.remaining());
        let read = ready!(self.0.poll_read(cx, &mut chunk[..length]))?;
        buffer.put_slice(&chunk[..read]);
        Poll::Ready(Ok(()))
    }
}

impl Write for HyperStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored(cx, buffers)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is buffered on our side.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown(std::net::Shutdown::Write))
    }
}

/// Timers for hyper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HyperTimer;

impl Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(HyperSleep(SendWrapper::new(reactor::time::sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let sleep = reactor::time::sleep_until(deadline);
        Box::pin(HyperSleep(SendWrapper::new(sleep)))
    }
}

/// hyper wants its timers `Send`. They never leave this thread, and would panic if they did.
struct HyperSleep(SendWrapper<reactor::time::Sleep>);

impl Sleep for HyperSleep {}

impl Future for HyperSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Spawns what hyper wants to run beside a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HyperExecutor;

impl<F> Executor<F> for HyperExecutor
where
    F: Future + 'static,
{
    fn execute(&self, future: F) {
        executor::spawn(future).detach();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn timers_are_not_early() {
        executor::block_on(async {
            let start = Instant::now();
            HyperTimer.sleep(Duration::from_millis(3)).await;
            let deadline = start + Duration::from_millis(6);
            let mut sleep = HyperTimer.sleep_until(start);
            HyperTimer.reset(&mut sleep, deadline);
            sleep.await;
            assert!(Instant::now() >= deadline);
        })
        .expect("the runtime runs");
    }

    #[test]
    fn what_is_executed_runs() {
        executor::block_on(async {
            let held = Rc::new(());
            let theirs = Rc::clone(&held);
            HyperExecutor.execute(async move { drop(theirs) });
            executor::yield_now().await;
            assert_eq!(Rc::strong_count(&held), 1);
        })
        .expect("the runtime runs");
    }
}
