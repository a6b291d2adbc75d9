//! What the async subjects have in common, so that the work is written once.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use super::Subject;

pub const MESSAGE: usize = 64;
pub const BUFFER: usize = 4096;

/// Where servers listen: on a port of the loopback that the kernel chooses.
pub const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A single-threaded async runtime, at its best settings.
///
/// Everything runs on one thread; a runtime that needs a handle to spawn keeps it in a thread
/// local.
pub trait Runtime: Sized + 'static {
    const SUBJECT: Subject;
    type Listener: 'static;
    type Stream: 'static;
    type Join: Future + Unpin + 'static;
    type Sleep: Future + 'static;

    fn run<F: Future<Output = ()> + 'static>(future: F);

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join;

    fn sleep(duration: Duration) -> Self::Sleep;

    fn reset(sleep: Pin<&mut Self::Sleep>, duration: Duration);

    fn detach(join: Self::Join) {
        drop(join);
    }

    fn listener(listener: TcpListener) -> io::Result<Self::Listener>;

    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>>;

    /// Echoes until the peer closes, with a buffer of [`BUFFER`] bytes, as a user of this runtime
    /// would write it. Its answers go through [`sound`]. A block, for an `async fn` keeps what it is
    /// given twice.
    fn echo(stream: Self::Stream, may_reset: bool) -> impl Future<Output = ()> + 'static;
}

/// Accepting by an async method that gives the address too, as all have it.
macro_rules! accepting {
    ($listener:ty, $stream:ty, $from:expr) => {
        type Listener = $listener;
        type Stream = $stream;

        fn listener(listener: std::net::TcpListener) -> io::Result<Self::Listener> {
            $from(listener)
        }

        async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
            Ok(listener.accept().await?.0)
        }
    };
}
pub(super) use accepting;

/// Accepting and echoing as users of a runtime write them whose calls borrow the buffer.
macro_rules! borrowing {
    ($listener:ty, $stream:ty, $from:expr) => {
        $crate::subjects::runtime::accepting!($listener, $stream, $from);

        // Not an `async fn`, which would keep its arguments twice.
        #[allow(unused_mut, reason = "some streams are read and written while they are shared")]
        fn echo(mut stream: Self::Stream, may_reset: bool) -> impl Future<Output = ()> + 'static {
            async move {
                let mut buffer = [0; BUFFER];
                loop {
                    let count = sound(stream.read(&mut buffer).await, may_reset);
                    if count == 0 {
                        return;
                    }
                    sound(stream.write_all(&buffer[..count]).await, may_reset);
                }
            }
        }
    };
}
pub(super) use borrowing;

/// The same where each call is lent the buffer and gives it back.
#[cfg(feature = "rivals")]
macro_rules! lending {
    ($listener:ty, $stream:ty, $from:expr) => {
        $crate::subjects::runtime::accepting!($listener, $stream, $from);

        // Not an `async fn`, which would keep its arguments twice.
        fn echo(mut stream: Self::Stream, may_reset: bool) -> impl Future<Output = ()> + 'static {
            async move {
                let mut buffer = Vec::with_capacity(BUFFER);
                loop {
                    let (count, filled) = stream.read(buffer).await.into();
                    if sound(count, may_reset) == 0 {
                        return;
                    }
                    let (written, sent) = stream.write_all(filled).await.into();
                    sound(written, may_reset);
                    buffer = sent;
                    buffer.clear();
                }
            }
        }
    };
}
#[cfg(feature = "rivals")]
pub(super) use lending;

/// What a call of an echo returned. If it failed because the peer has reset the connection, and
/// that may be, nothing came: the next read is the last.
///
/// # Panics
///
/// On any other error: a figure from a broken run is worth nothing.
#[inline]
pub fn sound<T: Default>(answer: io::Result<T>, may_reset: bool) -> T {
    answer.unwrap_or_else(|error| unsound(&error, may_reset))
}

#[cold]
fn unsound<T: Default>(error: &io::Error, may_reset: bool) -> T {
    let reset = matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
    assert!(reset && may_reset, "echo: {error}");
    T::default()
}

/// Runs `work` to its end in a task of its own, for that is where programs live; what comes of it.
pub fn in_a_task<R: Runtime, T: Default + 'static>(work: impl Future<Output = T> + 'static) -> T {
    let told = Rc::new(RefCell::new(T::default()));
    let result = told.clone();
    R::run(async move {
        R::spawn(async move {
            let value = work.await;
            *told.borrow_mut() = value;
        })
        .await;
    });
    result.take()
}

/// Wakes its task and returns Pending, so many times.
pub async fn step_back(times: u64) {
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
