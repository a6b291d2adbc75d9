//! The system calls, one function each, named after it. The only unsafe code of the crate.
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
        #[cfg(test)]
        crate::sys::fault::enter(stringify!($name))?;
        match $call {
            -1 => Err(std::io::Error::last_os_error()),
            answer => Ok(answer),
        }
    }};
}

pub(crate) mod clock;
#[cfg(any(devpoll, test))]
pub(crate) mod devpoll;
#[cfg(test)]
mod double;
#[cfg(epoll)]
pub(crate) mod epoll;
#[cfg(eventfd)]
pub(crate) mod eventfd;
#[cfg(test)]
pub(crate) mod fault;
pub(crate) mod fd;
#[cfg(any(kqueue, test))]
pub(crate) mod kqueue;
pub(crate) mod pipe;
pub(crate) mod poll;
pub(crate) mod secure;
pub(crate) mod select;
pub(crate) mod sigmask;
#[cfg(test)]
pub(crate) mod testing;
