//! smol's local executor with async-io.

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::time::Duration;

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, LocalExecutor, Task, Timer};

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
    type Listener = Async<TcpListener>;
    type Stream = Async<TcpStream>;
    type Join = Task<()>;
    type Sleep = Timer;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        EXECUTOR.with(|executor| smol::block_on(executor.run(future)));
    }

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join {
        EXECUTOR.with(|executor| executor.spawn(future))
    }

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

    fn listener(listener: TcpListener) -> io::Result<Self::Listener> {
        Async::new(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
        Ok(listener.accept().await?.0)
    }

    #[expect(clippy::manual_async_fn, reason = "it would keep its arguments twice")]
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

    async fn relay(from: UnixStream, to: UnixStream, times: u64) -> io::Result<()> {
        let (mut from, mut to) = (Async::new(from)?, Async::new(to)?);
        let mut byte = [0];
        for _ in 0..times {
            from.read_exact(&mut byte).await?;
            to.write_all(&byte).await?;
        }
        Ok(())
    }
}
