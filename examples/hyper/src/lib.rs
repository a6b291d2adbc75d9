//! The `rt` traits of hyper on this runtime: streams, timers and an executor.
//!
//! A crate beside the examples and no feature of the libraries: a hundred lines that follow hyper's
//! versions and not ours. Depend on it by path or git, or copy it.
//!
//! ```
//! use std::convert::Infallible;
//! use std::time::Duration;
//!
//! use http_body_util::Full;
//! use hyper::body::Bytes;
//! use hyper::server::conn::http1;
//! use hyper::service::service_fn;
//! use hyper::{Request, Response, body::Incoming};
//! use executor::net::{TcpListener, TcpStream};
//! use selectors_hyper::{HyperStream, HyperTimer};
//!
//! async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     Ok(Response::new(Full::from("hello\n")))
//! }
//!
//! executor::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let client = TcpStream::connect(listener.local_addr()?).await?;
//!     client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await?;
//!     let (stream, _from) = listener.accept().await?;
//!     let served = http1::Builder::new()
//!         .timer(HyperTimer)
//!         .header_read_timeout(Duration::from_secs(10))
//!         .serve_connection(HyperStream(stream), service_fn(hello));
//!     served.await.expect("the client asks in order");
//!     let mut answer = [0; 15];
//!     client.read_exact(&mut answer).await?;
//!     assert_eq!(&answer, b"HTTP/1.1 200 OK");
//!     std::io::Result::Ok(())
//! })??;
//! # std::io::Result::Ok(())
//! ```
//!
//! # What `!Send` means here
//!
//! Services and bodies stay on the thread of their connection, so hyper's own `service_fn` takes
//! futures that hold an `Rc`, a socket or a timer of ours. A framework may ask for more: the handlers
//! of axum must be `Send`, although nothing is ever sent. What is ours and lives across an `.await`
//! in such a handler goes into a [`SendWrapper`], which panics if it is touched on another thread,
//! and never is:
//!
//! ```text
//! async fn slow() -> &'static str {
//!     SendWrapper::new(executor::time::sleep(Duration::from_millis(50))).await;
//!     "hello"
//! }
//! ```
//!
//! The example `axum_hello` does that. State that handlers share is an `Arc` of something `Sync`
//! there, as axum wants it, or lives in a thread-local of this thread.

#![forbid(unsafe_code)]

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use executor::net::TcpStream;
use hyper::rt::{Executor, Read, ReadBufCursor, Sleep, Timer, Write};
use send_wrapper::SendWrapper;

/// A stream as hyper wants it.
#[derive(Debug)]
pub struct HyperStream(pub TcpStream);

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

/// Timers for hyper: keep-alives, and limits such as `header_read_timeout`.
///
/// # Panics
///
/// A timer is made inside the runtime; elsewhere it panics.
#[derive(Clone, Copy, Debug)]
pub struct HyperTimer;

impl Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(HyperSleep(SendWrapper::new(executor::time::sleep(
            duration,
        ))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let sleep = executor::time::sleep_until(deadline);
        Box::pin(HyperSleep(SendWrapper::new(sleep)))
    }
}

/// hyper wants its timers `Send`. They never leave this thread, and would panic if they did.
struct HyperSleep(SendWrapper<executor::time::Sleep>);

impl Sleep for HyperSleep {}

impl Future for HyperSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Spawns what hyper wants to run beside a connection: with HTTP/2, each request.
///
/// # Panics
///
/// Outside the runtime.
#[derive(Clone, Copy, Debug)]
pub struct HyperExecutor;

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
