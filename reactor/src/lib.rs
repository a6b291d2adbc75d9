//! The reactor: maps the readiness of selector keys onto wakers.
//!
//! It is the part of an async runtime that waits. Here are the sockets ([`net`]), any other fd
//! ([`Async`]) and the timers ([`time`]) that tasks await, and the loop that sleeps in the kernel
//! until one of them is ready. Which tasks there are, it does not know: it knows their wakers. The
//! crate `executor` is the other half; most programs begin there.
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
//! The key of a listener of [`net`] is level-triggered in both: an event tells of one connection, mostly,
//! and after that one it waits again without an `accept` that finds nobody. In a burst, when connections
//! come in one turn after another, it accepts until WouldBlock. Where an event finds nobody who accepts,
//! it goes on as the key of any other socket does; by edge also where it finds several. Of three or more who
//! accept at once an event wakes two, and the second may find nobody.
//!
//! # Without the executor
//!
//! The reactor needs no particular executor: hold a guard of [`Reactor::enter`], poll your
//! futures, and call [`Reactor::turn`] when none can go on.
//!
//! ```
//! use reactor::{Async, Reactor};
//! use std::io::{Read, Write};
//! use std::os::unix::net::UnixStream;
//! use std::pin::pin;
//! use std::task::{Context, Poll, Waker};
//!
//! let reactor = Reactor::new()?;
//! let _entered = reactor.enter();
//! let (mut near, far) = UnixStream::pair()?;
//! let far = Async::nonblocking(far)?;
//! let mut buffer = [0; 16];
//! let mut read = pin!(far.read_with(|mut far| far.read(&mut buffer)));
//!
//! // An executor would pass a waker that remembers the task; here there is only one.
//! let mut cx = Context::from_waker(Waker::noop());
//! assert!(read.as_mut().poll(&mut cx).is_pending());
//! near.write_all(b"hello")?;
//! let turn = reactor.turn(None)?;
//! assert_eq!((turn.ready, turn.woken), (1, 1));
//! assert!(matches!(read.as_mut().poll(&mut cx), Poll::Ready(Ok(5))));
//! # std::io::Result::Ok(())
//! ```
//!
//! # Features
//!
//! All off by default: `futures-io` (its traits for streams), `signal`, `process` (children), and
//! `blocking` (work of yours that blocks, on the threads that look names up).

#![forbid(unsafe_code)]
#![warn(
    missing_debug_implementations,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use
)]

mod ascending;
#[cfg(not(feature = "blocking"))]
#[allow(
    unreachable_pub,
    reason = "without the feature it is for look-ups alone"
)]
mod blocking;
#[cfg(feature = "blocking")]
pub mod blocking;
mod both;
mod builder;
pub mod contracts;
mod errno;
mod fd;
#[cfg(feature = "futures-io")]
mod futures_io;
mod heart;
pub mod net;
pub mod observe {
    //! What happens inside, as events; see [`Reactor::observe`](crate::Reactor::observe).
    pub use crate::watch::events::{Cause, Event, Observer, Outcome};
}
#[cfg(all(feature = "process", not(windows)))]
pub mod process;
#[cfg(all(feature = "signal", windows))]
#[path = "ctrl_c.rs"]
pub mod signal;
#[cfg(all(feature = "signal", not(windows)))]
pub mod signal;
mod spread;
pub mod time;
mod timers;
#[cfg(feature = "trace")]
pub mod trace;
mod watch;

pub use builder::Builder;
pub use errno::errno_of;
pub use fd::async_fd::Async;
pub use heart::entered::EnterGuard;
pub use heart::pass::Pass;
pub use heart::reactor::{Reactor, Trigger};
pub use heart::turn::Turn;
pub use heart::waiting::Waiting;
pub use watch::call::Call;
pub use watch::direction::Direction;
// For the executor, which keeps tasks in such tables, and calls foreign code by the same rule.
#[doc(hidden)]
pub use ascending::Ascending;
#[doc(hidden)]
pub use spread::BySpread;
#[doc(hidden)]
pub use watch::foreign::contain;
pub use watch::metrics::Metrics;
