//! compio: completions instead of readiness, on io_uring and on its epoll ("poll") driver.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use compio::driver::{DriverType, ProactorBuilder};
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::runtime::{JoinHandle, RuntimeBuilder};

use super::runtime::lending;
use super::{BUFFER, Runtime, Subject, serve, sound};

pub(super) struct Compio<const URING: bool>;

impl<const URING: bool> Runtime for Compio<URING> {
    const SUBJECT: Subject = if URING {
        Subject { missing, ..serve::subject::<Self>("compio-uring", "compio, io_uring, defaults") }
    } else {
        serve::subject::<Self>("compio", "compio, poll driver (epoll), default settings")
    };

    type Join = JoinHandle<()>;
    // It has no timer that has a name, so each is boxed, as a program would that keeps it.
    type Sleep = Pin<Box<dyn Future<Output = ()>>>;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        runtime(URING).expect("a compio runtime").block_on(future);
    }

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join {
        compio::runtime::spawn(future)
    }

    #[inline]
    fn sleep(duration: Duration) -> Self::Sleep {
        Box::pin(compio::time::sleep(duration))
    }

    fn reset(mut sleep: Pin<&mut Self::Sleep>, duration: Duration) {
        sleep.set(Self::sleep(duration));
    }

    fn detach(join: Self::Join) {
        // A task of compio whose handle is dropped is cancelled.
        join.detach();
    }

    lending!(compio::net::TcpListener, compio::net::TcpStream, compio::net::TcpListener::from_std);
}

fn runtime(uring: bool) -> io::Result<compio::runtime::Runtime> {
    let mut driver = ProactorBuilder::new();
    driver.driver_type(if uring { DriverType::IoUring } else { DriverType::Poll });
    RuntimeBuilder::new().with_proactor(driver).build()
}

/// Kernels refuse io_uring to those whom they do not trust with it.
fn missing() -> Option<String> {
    let refused = runtime(true).err()?;
    Some(format!("io_uring is refused ({refused}): see kernel.io_uring_disabled, and seccomp"))
}
