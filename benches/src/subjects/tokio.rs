//! tokio's single-threaded runtimes.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use super::runtime::borrowing;
use super::{BUFFER, Runtime, Subject, serve, sound};

/// tokio, in a `LocalRuntime` or in a `LocalSet` on a current_thread runtime.
pub(super) struct Tokio<const LOCAL_RUNTIME: bool>;

impl<const LOCAL_RUNTIME: bool> Runtime for Tokio<LOCAL_RUNTIME> {
    const SUBJECT: Subject = if LOCAL_RUNTIME {
        serve::subject::<Self>("tokio", "tokio, LocalRuntime, spawn_local, default settings")
    } else {
        let about = "tokio, current_thread with a LocalSet, spawn_local, default settings";
        serve::subject::<Self>("tokio-localset", about).on_demand()
    };
    type Listener = tokio::net::TcpListener;
    type Stream = tokio::net::TcpStream;
    type Join = JoinHandle<()>;
    type Sleep = tokio::time::Sleep;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all();
        if LOCAL_RUNTIME {
            let runtime = builder.build_local(Default::default()).expect("a tokio runtime");
            runtime.block_on(future);
        } else {
            let runtime = builder.build().expect("a tokio runtime");
            LocalSet::new().block_on(&runtime, future);
        }
    }

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join {
        spawn_local(future)
    }

    #[inline]
    fn sleep(duration: Duration) -> Self::Sleep {
        tokio::time::sleep(duration)
    }

    fn reset(sleep: Pin<&mut Self::Sleep>, duration: Duration) {
        sleep.reset(tokio::time::Instant::now() + duration);
    }

    fn listener(listener: TcpListener) -> io::Result<Self::Listener> {
        tokio::net::TcpListener::from_std(listener)
    }

    borrowing!();
}
