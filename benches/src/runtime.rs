//! What the async subjects have in common, so that the work is written once.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

/// Bytes in a message.
pub const MESSAGE: usize = 64;
/// Bytes in each connection's buffer.
pub const BUFFER: usize = 4096;

/// A single-threaded async runtime, at its best settings.
///
/// Everything runs on one thread; a runtime that needs a handle to spawn keeps it in a thread
/// local.
pub trait Runtime: 'static {
    /// A listening socket of the runtime.
    type Listener: 'static;
    /// A connection of the runtime.
    type Stream: 'static;
    /// Becomes ready when a spawned task has finished.
    type Join: Future + Unpin + 'static;

    /// Runs `future` to its end on this thread.
    fn run<F: Future<Output = ()> + 'static>(future: F);

    /// Starts a task on the running runtime.
    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join;

    /// Waits.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static;

    /// Takes over a non-blocking listening socket.
    fn listen(listener: TcpListener) -> io::Result<Self::Listener>;

    /// The next connection.
    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>>;

    /// Echoes until the peer closes, with a buffer of [`BUFFER`] bytes, as a user of this runtime
    /// would write it. Panics on an error: a figure from a broken run is worth nothing.
    fn echo(stream: Self::Stream) -> impl Future<Output = ()> + 'static;
}
