//! smol's local executor with async-io.

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::time::Duration;

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, LocalExecutor, Task, Timer};

use super::runtime::borrowing;
use super::{BUFFER, Runtime, Subject, serve, sound};

/// smol on one thread (async-io's own thread helps it, as in every smol program).
pub(super) struct Smol;

thread_local! {
    static EXECUTOR: LocalExecutor<'static> = const { LocalExecutor::new() };
}

impl Runtime for Smol {
    const SUBJECT: Subject = serve::subject::<Self>(
        "smol",
        "smol, LocalExecutor under smol::block_on, Async<TcpStream>",
    );
    type Join = Task<()>;
    type Sleep = Timer;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        EXECUTOR.with(|executor| smol::block_on(executor.run(future)));
    }

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join {
        EXECUTOR.with(|executor| executor.spawn(future))
    }

    #[inline]
    fn sleep(duration: Duration) -> Self::Sleep {
        Timer::after(duration)
    }

    fn reset(mut sleep: Pin<&mut Self::Sleep>, duration: Duration) {
        sleep.set_after(duration);
    }

    fn detach(join: Self::Join) {
        // A task of smol that is dropped is cancelled.
        join.detach();
    }

    borrowing!(Async<TcpListener>, Async<TcpStream>, Async::<TcpListener>::new);
}
