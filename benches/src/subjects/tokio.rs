//! tokio on one thread.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{JoinHandle, spawn_local};

use super::runtime::borrowing;
use super::{BUFFER, Runtime, Subject, serve, sound};

pub(super) struct Tokio;

impl Runtime for Tokio {
    const SUBJECT: Subject =
        serve::subject::<Self>("tokio", "tokio, LocalRuntime, spawn_local, default settings");
    type Join = JoinHandle<()>;
    type Sleep = tokio::time::Sleep;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build_local(Default::default());
        runtime.expect("a tokio runtime").block_on(future);
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

    borrowing!(tokio::net::TcpListener, tokio::net::TcpStream, tokio::net::TcpListener::from_std);
}
