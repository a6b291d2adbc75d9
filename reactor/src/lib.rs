//! The reactor: maps the readiness of selector keys onto wakers.
//!
//! Six stations, round and round:
//!
//! ```text
//! syscall -> key -> waker -> ready queue -> poll -> select -> (again)
//! ```
//!
//! A socket tries its system call. If the kernel says WouldBlock, the task's waker goes into the
//! [slot](crate#words) of the socket's key, and the task sleeps. One [turn](Reactor::turn) later
//! the selector reports the key, the waker is called, and the task tries again.
//!
//! # Words
//!
//! * *key*: all that the selector knows about one registered fd.
//! * *slot*: the reactor's `data` in a key: who waits for READ, who for WRITE, and the cached
//!   readiness of each.
//! * *turn*: one pass of the reactor: flush interest, select, dispatch.
//! * *readiness*: the kernel's hint that a call would not block; it may be wrong.
//!
//! # Edge and level
//!
//! Where the backend can ([`Trigger::Edge`]), a key is registered once, for both directions, and
//! the kernel reports *changes*; the slot remembers them until a call says WouldBlock. Elsewhere
//! ([`Trigger::Level`]) interest follows the waiters, and is flushed just before the wait, so that
//! interest that is dropped and wanted again within one turn costs no system call.
//!
//! # Without the executor
//!
//! The reactor needs no particular executor: hold a guard of [`Reactor::enter`], poll your
//! futures, and call [`Reactor::turn`] when none can go on.

#![forbid(unsafe_code)]

mod async_fd;
mod async_io;
mod attention;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod call;
mod clock;
mod exceptional;
#[cfg(feature = "futures-io")]
mod futures_io;
mod metrics;
pub mod net;
pub mod observe;
mod operation;
mod platform;
mod poll_style;
#[cfg(feature = "process")]
pub mod process;
mod reactor;
mod shared;
#[cfg(feature = "signal")]
pub mod signal;
mod slot;
mod spin;
pub mod time;
mod timers;
pub mod trace;
mod turn;
mod waiter;
mod waiting;

pub use async_fd::Async;
pub use builder::{Builder, Trigger};
pub use call::Call;
pub use metrics::Metrics;
pub use reactor::{EnterGuard, Reactor};
pub use slot::Direction;
pub use turn::Turn;
pub use waiting::Waiting;
