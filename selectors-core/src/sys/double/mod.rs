//! Stand-ins for kernels that Linux does not have, so that their backends can be run here.
//!
//! A double proves our logic against our reading of the manual pages, not against the kernel. Only
//! compiled into tests.

#[cfg(not(devpoll))]
pub(crate) mod devpoll;
#[cfg(not(kqueue))]
pub(crate) mod either_kqueue;
#[cfg(not(kqueue))]
mod kqueue;
#[cfg(not(kqueue))]
mod second_kqueue;
