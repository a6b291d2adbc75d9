//! What the tests of runtime and reactor share: one body of a test, an instance for every way to
//! wait, and an echo server to talk to.
//!
//! The only file of the tests that names a platform.

#![allow(dead_code, reason = "every test binary uses its own part of this")]

use std::cell::Cell;
use std::fs;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use executor::Runtime;
use reactor::net::{TcpListener, TcpStream};
use reactor::{Reactor, Trigger};
use selectors_core::Backend;

/// A test that takes this long has lost a wake. Far above what a loaded machine needs.
const HOPELESS: Duration = Duration::from_secs(300);

/// What the echo server reads at once, and so the most that it ever holds.
pub(crate) const BUFFER: usize = 16 * 1024;

/// A way to wait: a backend, and how keys are registered with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) backend: Backend,
    pub(crate) trigger: Trigger,
}

pub(crate) const SELECT: Variant = Variant {
    backend: Backend::Select,
    trigger: Trigger::Level,
};
pub(crate) const POLL: Variant = Variant {
    backend: Backend::Poll,
    trigger: Trigger::Level,
};
pub(crate) const EPOLL_LEVEL: Variant = Variant {
    backend: Backend::Epoll,
    trigger: Trigger::Level,
};
pub(crate) const EPOLL_EDGE: Variant = Variant {
    backend: Backend::Epoll,
    trigger: Trigger::Edge,
};

pub(crate) const URING_LEVEL: Variant = Variant {
    backend: Backend::Uring,
    trigger: Trigger::Level,
};
pub(crate) const URING_EDGE: Variant = Variant {
    backend: Backend::Uring,
    trigger: Trigger::Edge,
};

/// All of them that are here, for tests in which one has to come after another.
pub(crate) fn variants() -> impl Iterator<Item = Variant> {
    [
        SELECT,
        POLL,
        EPOLL_LEVEL,
        EPOLL_EDGE,
        URING_LEVEL,
        URING_EDGE,
    ]
    .into_iter()
    .filter(|variant| variant.is_here())
}

impl Variant {
    /// Whether this system has it; a ring may be forbidden, and then a sentence says so.
    pub(crate) fn is_here(self) -> bool {
        let here = Backend::available().contains(&self.backend);
        if !here {
            let reason = Backend::from_name(self.backend.name()).err();
            println!(
                "skipped: {}",
                reason.map_or(String::new(), |reason| reason.to_string())
            );
        }
        here
    }

    /// A runtime that waits this way.
    pub(crate) fn runtime(self) -> io::Result<Runtime> {
        let reactor = Reactor::builder().backend(self.backend);
        let reactor = reactor.trigger(self.trigger);
        Runtime::builder().reactor(reactor).build()
    }

    /// A reactor that waits this way, to be driven by hand.
    pub(crate) fn reactor(self) -> io::Result<Reactor> {
        Reactor::builder()
            .backend(self.backend)
            .trigger(self.trigger)
            .build()
    }

    /// Runs `future` on a runtime of its own.
    pub(crate) fn block_on<T>(self, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        self.runtime()?.block_on(future)?
    }
}

/// Makes of each `fn(Variant) -> io::Result<()>` a test for every way to wait.
macro_rules! on_every_backend {
    (@ $module:ident $variant:ident $($test:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $test() -> std::io::Result<()> {
                    let name = concat!(stringify!($module), "::", stringify!($test));
                    crate::harness::run(name, crate::harness::$variant, super::$test)
                }
            )*
        }
    };
    ($($test:ident),* $(,)?) => {
        on_every_backend!(@ select SELECT $($test)*);
        #[cfg(unix)]
        on_every_backend!(@ poll POLL $($test)*);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        on_every_backend!(@ epoll_level EPOLL_LEVEL $($test)*);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        on_every_backend!(@ epoll_edge EPOLL_EDGE $($test)*);
        #[cfg(target_os = "linux")]
        on_every_backend!(@ uring_level URING_LEVEL $($test)*);
        #[cfg(target_os = "linux")]
        on_every_backend!(@ uring_edge URING_EDGE $($test)*);
    };
}

/// Runs one instance. A lost wake shows as a test that never ends; that ends the process, with
/// the name of the test.
pub(crate) fn run(
    name: &'static str,
    variant: Variant,
    test: fn(Variant) -> io::Result<()>,
) -> io::Result<()> {
    if !variant.is_here() {
        return Ok(());
    }
    let (alive, watched) = mpsc::channel();
    thread::spawn(move || {
        let last = loop {
            if let Err(last) = watched.recv_timeout(HOPELESS) {
                break last;
            }
        };
        if last == RecvTimeoutError::Timeout {
            eprintln!("{name} hangs: nothing woke it for {HOPELESS:?}");
            process::abort();
        }
    });
    ALIVE.set(Some(alive));
    let outcome = test(variant);
    ALIVE.set(None);
    outcome
}

thread_local! {
    /// Tells who watches the test of this thread that it goes on.
    static ALIVE: Cell<Option<Sender<()>>> = const { Cell::new(None) };
}

/// For a test of many parts: one is done, and the next may take as long again.
pub(crate) fn goes_on() {
    let alive = ALIVE.take();
    if let Some(alive) = &alive {
        let _ = alive.send(());
    }
    ALIVE.set(alive);
}

/// Sends everything back until the peer stops; returns how many bytes that were.
pub(crate) async fn echo(stream: TcpStream) -> io::Result<usize> {
    let mut buffer = [0; BUFFER];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(total),
            length => {
                stream.write_all(&buffer[..length]).await?;
                total += length;
            }
        }
    }
}

/// Spawns an echo server on the runtime of this thread; it serves until the runtime is dropped.
pub(crate) async fn serve_echo() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    executor::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("accept");
            executor::spawn(echo(stream)).detach();
        }
    })
    .detach();
    Ok(address)
}

/// Two ends of one connection.
pub(crate) async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let (far, _) = listener.accept().await?;
    Ok((near, far))
}

/// Sends `message` and expects it back.
pub(crate) async fn round_trip(stream: &TcpStream, message: &[u8]) -> io::Result<()> {
    stream.write_all(message).await?;
    let mut answer = vec![0; message.len()];
    stream.read_exact(&mut answer).await?;
    assert!(answer == message, "the echo is not what was sent");
    Ok(())
}

/// Lets everybody else run until `done` says so.
pub(crate) async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        executor::yield_now().await;
    }
}

/// `length` bytes that differ from place to place, and from one `seed` to another.
pub(crate) fn pattern(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The number of this thread, as the files of /proc know it.
pub(crate) fn thread_number() -> io::Result<String> {
    let link = fs::read_link("/proc/thread-self")?;
    let number = link.file_name().and_then(|name| name.to_str());
    number
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other("no number in /proc/thread-self"))
}

/// One number of a file of /proc that has a `name: number` on each line.
pub(crate) fn proc_number(path: &str, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|rest| rest.trim().parse().ok());
    number.ok_or_else(|| io::Error::other(format!("no {name} in {path}")))
}
