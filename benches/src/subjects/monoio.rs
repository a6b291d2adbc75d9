//! monoio on its epoll ("legacy") driver.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::{LegacyDriver, RuntimeBuilder};

use super::runtime::lending;
use super::{BUFFER, Runtime, Subject, serve, sound};

pub(super) struct Monoio;

impl Runtime for Monoio {
    const SUBJECT: Subject = serve::subject::<Self>(
        "monoio",
        "monoio, LegacyDriver (epoll), timers on, default settings",
    );
    type Join = monoio::task::JoinHandle<()>;
    type Sleep = monoio::time::Sleep;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        let mut runtime =
            RuntimeBuilder::<LegacyDriver>::new().enable_timer().build().expect("a monoio runtime");
        runtime.block_on(future);
    }

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join {
        monoio::spawn(future)
    }

    #[inline]
    fn sleep(duration: Duration) -> Self::Sleep {
        monoio::time::sleep(duration)
    }

    fn reset(sleep: Pin<&mut Self::Sleep>, duration: Duration) {
        sleep.reset(monoio::time::Instant::now() + duration);
    }

    lending!(monoio::net::TcpListener, monoio::net::TcpStream, monoio::net::TcpListener::from_std);
}
