//! The system calls, one function each, named after it: the one door to the kernel, for this crate
//! and for the reactor. The only unsafe code of both.
//!
//! A function here turns Rust values into what the call takes and its answer into `io::Result`, and
//! does nothing else: no retry, no decision. Its text says what the manual page of the call does not,
//! and which errnos to expect.
//!
//! # How to read it
//!
//! Have the manual page beside you (`man 2 poll`), and begin with [`poll::poll`], a call in four lines:
//! the arguments, a line that says why the kernel may touch what it is given, the call, the answer.
//! All others have the same four. Then, in the order in which a program needs them:
//!
//! | module | what for | calls |
//! |---|---|---|
//! | `epoll`, [`poll`], [`select`] | sleeping until a file is ready, on Linux | epoll(7), poll(2), select(2) and their forms with nanoseconds |
//! | `uring` (feature) | the same by a ring of requests | io_uring_setup(2), io_uring_enter(2) |
//! | `kqueue`, `devpoll` | the same on the BSDs, macOS, illumos | kevent(2), /dev/poll |
//! | `eventfd`, [`pipe`] | ending that sleep from another thread | eventfd(2), pipe(2) |
//! | [`fd`] | what every file has | read(2), write(2), fcntl(2), ioctl(2) |
//! | [`socket`], [`Address`] | the network | socket(2) to recvmsg(2) |
//! | [`process`], `forks`, [`signal`], [`clock`] | the rest of the world | pidfd_open(2), prctl(2), pthread_atfork(3), pthread_sigmask(3), clock_gettime(2) |
//! | [`RawSource`] | no call: a number that is taken on trust | |
//!
//! On Windows there are `select`, `socket` and `fd` of Winsock, with the same functions as far as they
//! are there, and `console`.
//!
//! Every call goes through one macro, `syscall!`, which makes -1 the error of errno. Under test (and
//! with the feature `fault`) it also counts the call and can answer in the kernel's place, so that
//! tests see every call and force every error. What is made of each errno is the table below.
//!
#![doc = include_str!("CALLS.md")]
#![allow(
    unsafe_code,
    reason = "system calls are unsafe; they are made here and nowhere else"
)]

/// Makes a system call: -1 becomes the error of errno.
macro_rules! syscall {
    ($name:ident($($arg:expr),* $(,)?)) => {
        syscall!($name = libc::$name($($arg),*))
    };
    ($name:ident = $call:expr) => {{
        #[cfg(any(test, feature = "fault"))]
        crate::sys::fault::enter(stringify!($name))?;
        match $call {
            -1 => Err(crate::sys::refused()),
            answer => Ok(answer),
        }
    }};
}

/// Does what an act consists of. Its line is from now on the one that a trace shows where it tells of
/// the act; nothing of it is left in the program unless somebody asks.
#[doc(hidden)]
#[macro_export]
macro_rules! act {
    ($name:ty, $does:expr) => {{
        #[allow(
            non_local_definitions,
            reason = "the place is where it is done, and no other"
        )]
        impl $crate::sys::acts::Act for $name {
            const AT: &'static ::std::panic::Location<'static> = ::std::panic::Location::caller();
        }
        $does
    }};
}

/// Names of acts, for `act!`: types without values.
#[doc(hidden)]
#[macro_export]
macro_rules! acts {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub enum $name {}
    )*};
}

// What a trace tells of.
#[doc(hidden)]
pub mod acts;

// Waiting.
#[cfg(epoll)]
pub mod epoll;
#[cfg(not(winsock))]
pub mod poll;
#[cfg(not(winsock))]
pub mod select;
#[cfg(uring)]
pub mod uring;

// Waiting on other systems, and in tests on their doubles.
#[cfg(any(kqueue, all(test, doubles)))]
pub mod kqueue;

#[cfg(any(devpoll, all(test, doubles)))]
pub mod devpoll;

// Ending a wait.
#[cfg(eventfd)]
pub mod eventfd;
#[cfg(not(winsock))]
pub mod pipe;

// Files and sockets.
#[cfg(not(winsock))]
mod address;
#[cfg(direct)]
mod direct;
#[cfg(not(winsock))]
pub mod fd;
mod raw;
#[cfg(not(winsock))]
pub mod socket;

// Processes, threads, time.
#[cfg(not(winsock))]
pub mod clock;
#[cfg(epoll)]
pub mod forks;
pub mod process;
#[cfg(not(winsock))]
pub mod signal;

// All of it on Windows.
#[cfg(winsock)]
mod winsock;

// For tests.
#[cfg(all(test, doubles))]
pub(crate) mod double;
#[cfg(any(test, feature = "fault"))]
pub mod fault;
#[cfg(all(test, doubles))]
pub(crate) mod testing;

#[cfg(not(winsock))]
pub use address::Address;
pub use raw::RawSource;
#[cfg(all(test, winsock))]
pub(crate) use winsock::testing;
#[cfg(winsock)]
pub use winsock::{Address, clock, console, fd, select, socket, startup};

/// Makes the call again for as long as signals end it before it has done anything.
pub fn uninterrupted<T>(mut call: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Whether a call is not to be had here, so that an older one must do: the kernel does not know it
/// (ENOSYS), or a sandbox answers for the kernel. Several sandboxes say EPERM to every call that
/// they do not know; none of the calls asked about here means anything else by it.
#[cfg(not(winsock))]
pub(crate) fn is_withheld(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM))
}

/// The error of errno. Out of the way, or it is made up before it is known that there is one.
#[cold]
#[inline(never)]
fn refused() -> std::io::Error {
    #[cfg(not(winsock))]
    let error = std::io::Error::last_os_error();
    #[cfg(winsock)]
    let error = winsock::last_error();
    error
}
