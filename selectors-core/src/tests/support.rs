//! What the tests share: backends by type, fds to watch, and a short way to ask.

use std::cell::Cell;
use std::io::{Read, Write};
#[cfg(winsock)]
use std::net::TcpStream as Stream;
use std::net::{TcpListener, TcpStream};
#[cfg(not(winsock))]
use std::os::fd::OwnedFd;
#[cfg(not(winsock))]
use std::os::unix::net::UnixStream as Stream;
use std::time::Duration;

use crate::kernel::{self, Kernel, Open};
use crate::{Event, Readiness, Selector, SelectorKey, Token};

/// A kernel half that a test can be instantiated for.
pub(super) trait TestKernel: Kernel + Send + Sized + 'static {
    fn for_a_test() -> Self;
}

impl<K: Open> TestKernel for K {
    fn for_a_test() -> Self {
        let mut kernel = Self::open().unwrap();
        if STAYS.get() {
            kernel.stay().unwrap();
        }
        kernel
    }
}

impl TestKernel for kernel::AnyKernel {
    fn for_a_test() -> Self {
        kernel::probe().unwrap()
    }
}

thread_local!(static STAYS: Cell<bool> = const { Cell::new(false) });

/// Runs a test whose selectors promise to stay in its thread.
#[cfg(uring)]
pub(super) fn staying<T>(test: impl FnOnce() -> T) -> T {
    STAYS.set(true);
    let result = test();
    STAYS.set(false);
    result
}

/// A new selector on the backend of a test.
pub(super) fn selector<K: TestKernel, F, D>() -> Selector<K, F, D> {
    Selector::from_kernel(K::for_a_test())
}

/// Instantiates generic tests for every backend of this platform.
macro_rules! on_every_backend {
    ($($test:ident,)* $(; but_on_windows: $($elsewhere:ident),+ $(,)?)?) => {
        mod on_select {
            $(#[test] fn $test() { super::$test::<crate::kernel::Select>(); })*
            $($(#[cfg(not(winsock))] #[test] fn $elsewhere() { super::$elsewhere::<crate::kernel::Select>(); })+)?
        }
        #[cfg(not(winsock))]
        mod on_poll {
            $(#[test] fn $test() { super::$test::<crate::kernel::Poll>(); })*
            $($(#[test] fn $elsewhere() { super::$elsewhere::<crate::kernel::Poll>(); })+)?
        }
        #[cfg(epoll)]
        mod on_epoll {
            $(#[test] fn $test() { super::$test::<crate::kernel::Epoll>(); })*
            $($(#[test] fn $elsewhere() { super::$elsewhere::<crate::kernel::Epoll>(); })+)?
        }
        #[cfg(uring)]
        mod on_uring {
            $(#[test] fn $test() {
                if crate::tests::support::has_ring() {
                    super::$test::<crate::kernel::Uring>();
                }
            })*
            $($(#[test] fn $elsewhere() {
                if crate::tests::support::has_ring() {
                    super::$elsewhere::<crate::kernel::Uring>();
                }
            })+)?
        }
        #[cfg(uring)]
        mod on_uring_of_one_thread {
            use crate::tests::support::{has_ring, staying};
            $(#[test] fn $test() {
                if has_ring() {
                    staying(super::$test::<crate::kernel::Uring>);
                }
            })*
            $($(#[test] fn $elsewhere() {
                if has_ring() {
                    staying(super::$elsewhere::<crate::kernel::Uring>);
                }
            })+)?
        }
        #[cfg(not(winsock))]
        mod on_devpoll {
            $(#[test] fn $test() { super::$test::<crate::kernel::Devpoll>(); })*
            $($(#[test] fn $elsewhere() { super::$elsewhere::<crate::kernel::Devpoll>(); })+)?
        }
        #[cfg(not(winsock))]
        mod on_kqueue {
            $(#[test] fn $test() { super::$test::<crate::kernel::Kqueue>(); })*
            $($(#[test] fn $elsewhere() { super::$elsewhere::<crate::kernel::Kqueue>(); })+)?
        }
        #[cfg(doubles)]
        mod on_second_kqueue {
            use crate::sys::double::either_kqueue::with_the_second;
            $(#[test] fn $test() {
                with_the_second(super::$test::<crate::kernel::Kqueue>);
            })*
            $($(#[test] fn $elsewhere() {
                with_the_second(super::$elsewhere::<crate::kernel::Kqueue>);
            })+)?
        }
        mod on_default {
            $(#[test] fn $test() { super::$test::<crate::kernel::AnyKernel>(); })*
            $($(#[cfg(not(winsock))] #[test] fn $elsewhere() { super::$elsewhere::<crate::kernel::AnyKernel>(); })+)?
        }
    };
}
pub(super) use on_every_backend;

/// Whether a ring may be made here; otherwise says why the test is skipped.
#[cfg(uring)]
pub(super) fn has_ring() -> bool {
    match kernel::Uring::open() {
        Ok(_) => true,
        Err(reason) => {
            println!("skipped: {reason}");
            false
        }
    }
}

pub(super) const NOW: Option<Duration> = Some(Duration::ZERO);

/// A pair of connected sockets, non-blocking.
pub(super) fn pair() -> (Stream, Stream) {
    #[cfg(not(winsock))]
    let (a, b) = Stream::pair().unwrap();
    #[cfg(winsock)]
    let (a, b) = tcp_pair();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

/// What is ready at this moment, in the order of numbers.
pub(super) fn ready_now<K: Kernel, F, D>(
    selector: &mut Selector<K, F, D>,
) -> Vec<(Token, Readiness)> {
    let mut ready = Vec::new();
    selector.select(&mut ready, NOW).unwrap();
    ready.sort_by_key(|event: &Event| event.token);
    ready
        .iter()
        .map(|event| (event.token, event.readiness))
        .collect()
}

/// Which tokens are ready at this moment.
pub(super) fn tokens_now<K: Kernel, F, D>(selector: &mut Selector<K, F, D>) -> Vec<Token> {
    ready_now(selector)
        .into_iter()
        .map(|(token, _)| token)
        .collect()
}

/// Fills the send buffer, so that the socket is not writable.
#[cfg(not(winsock))]
pub(super) fn fill(mut socket: &Stream) {
    while socket.write(&[0; 4096]).is_ok() {}
}

/// Empties the receive buffer.
#[cfg(not(winsock))]
pub(super) fn drain(mut socket: &Stream) {
    while matches!(socket.read(&mut [0; 4096]), Ok(n) if n > 0) {}
}

/// One byte into the other end.
pub(super) fn send(mut socket: &Stream) {
    socket.write_all(b"x").unwrap();
}

/// The file object of a key that a test has just unregistered.
pub(super) fn fileobj<F, D>(key: SelectorKey<F, D>) -> F {
    key.fileobj
}

/// The reading and the writing end of a pipe, non-blocking.
#[cfg(not(winsock))]
pub(super) fn pipe() -> (OwnedFd, OwnedFd) {
    crate::sys::pipe::pipe().unwrap()
}

/// A pair of connected TCP sockets.
pub(super) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (client, server)
}

/// The portable masks that are reported at this moment: per token, as bits.
pub(super) fn masks_now<K: Kernel, F, D>(selector: &mut Selector<K, F, D>) -> Vec<u8> {
    let bits = |readiness: Readiness| readiness.events().map_or(0, crate::Events::bits);
    ready_now(selector)
        .into_iter()
        .map(|(_, readiness)| bits(readiness))
        .collect()
}
