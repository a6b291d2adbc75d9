//! The system calls, one function each, named after it: the one door to the kernel, for this crate
//! and for the reactor. The only unsafe code of both.
//!
//! A function here turns Rust values into what the call takes and its answer into `io::Result`,
//! and does nothing else. Under test the macro that makes the call also counts it and can answer
//! in the kernel's place, so that tests see every call and force every error.
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

mod address;
pub(crate) mod clock;
#[cfg(any(devpoll, test))]
pub(crate) mod devpoll;
#[cfg(direct)]
mod direct;
#[cfg(test)]
mod double;
#[cfg(epoll)]
pub(crate) mod epoll;
#[cfg(eventfd)]
pub(crate) mod eventfd;
#[cfg(any(test, feature = "fault"))]
pub mod fault;
pub mod fd;
#[cfg(any(kqueue, test))]
pub(crate) mod kqueue;
pub(crate) mod pipe;
pub mod poll;
pub mod process;
pub(crate) mod secure;
pub(crate) mod select;
pub(crate) mod sigmask;
pub mod socket;
#[cfg(test)]
pub(crate) mod testing;

pub use address::Address;

/// The error of errno. Out of the way, or it is made up before it is known that there is one.
#[cold]
#[inline(never)]
fn refused() -> std::io::Error {
    std::io::Error::last_os_error()
}
