//! Ours, on each backend.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::time::Duration;

use executor::JoinHandle;
use reactor::net::{TcpListener, TcpStream};
use reactor::{Async, Trigger, time};
use selectors_core::Backend;

use crate::runtime::{BUFFER, Runtime, sound};
use crate::subject::Subject;

/// The default: epoll, edge-triggered.
pub(super) const EDGE: Subject =
    Subject::of::<Ours<0>>("ours", "ours, epoll, edge-triggered (the default)")
        .gated()
        .spinning("ours-spin");
/// epoll as the level-triggered contract has it.
pub(super) const LEVEL: Subject =
    Subject::of::<Ours<1>>("ours-level", "ours, epoll, level-triggered").gated();
/// poll.
pub(super) const POLL: Subject = Subject::of::<Ours<2>>("ours-poll", "ours, poll").linear();
/// select.
pub(super) const SELECT: Subject = Subject::of::<Ours<3>>("ours-select", "ours, select").linear();

/// The default with spinning on.
pub(super) const SPIN: Subject = Subject::of::<Ours<4>>(
    "ours-spin",
    "ours, epoll, edge-triggered, spinning for 100 us",
)
.spins();

/// Backend and trigger of each, by the parameter of [`Ours`].
const CHOICES: [(Backend, Trigger); 5] = [
    (Backend::Epoll, Trigger::Edge),
    (Backend::Epoll, Trigger::Level),
    (Backend::Poll, Trigger::Level),
    (Backend::Select, Trigger::Level),
    (Backend::Epoll, Trigger::Edge),
];

/// The choice that spins.
const SPINNING: usize = 4;

struct Ours<const CHOICE: usize>;

impl<const CHOICE: usize> Runtime for Ours<CHOICE> {
    type Listener = TcpListener;
    type Stream = TcpStream;
    type Join = JoinHandle<()>;
    type Sleep = time::Sleep;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        let (backend, trigger) = CHOICES[CHOICE];
        let spin = Duration::from_micros(if CHOICE == SPINNING { 100 } else { 0 });
        let builder = executor::Runtime::builder()
            .backend(backend)
            .trigger(trigger)
            .spin(spin);
        builder
            .build()
            .and_then(|runtime| runtime.block_on(future))
            .expect("our runtime");
    }

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join {
        executor::spawn(future)
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        time::sleep(duration)
    }

    fn reset(mut sleep: Pin<&mut Self::Sleep>, duration: Duration) {
        sleep.reset(duration);
    }

    fn listener(listener: net::TcpListener) -> io::Result<Self::Listener> {
        TcpListener::from_std(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
        Ok(listener.accept().await?.0)
    }

    #[expect(clippy::manual_async_fn, reason = "it would keep its arguments twice")]
    fn echo(stream: Self::Stream, may_reset: bool) -> impl Future<Output = ()> + 'static {
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
        from.set_nonblocking(true)?;
        to.set_nonblocking(true)?;
        let (from, to) = (Async::new(from), Async::new(to));
        let mut byte = [0];
        for _ in 0..times {
            from.read_with(|mut stream| stream.read_exact(&mut byte))
                .await?;
            to.write_with(|mut stream| stream.write_all(&byte)).await?;
        }
        Ok(())
    }
}
