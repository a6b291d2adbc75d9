//! A minimal single-threaded executor on top of the [`reactor`]: it keeps the tasks, and polls each
//! one when its waker was called.
//!
//! ```
//! use executor::net::{TcpListener, TcpStream};
//!
//! async fn echo(stream: TcpStream) -> std::io::Result<()> {
//!     let mut buffer = [0; 4096];
//!     loop {
//!         match stream.read(&mut buffer).await? {
//!             0 => return Ok(()),
//!             length => stream.write_all(&buffer[..length]).await?,
//!         }
//!     }
//! }
//!
//! executor::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     executor::spawn(async move {
//!         while let Ok((stream, _)) = listener.accept().await {
//!             executor::spawn(echo(stream)).detach();
//!         }
//!     })
//!     .detach();
//!
//!     let client = TcpStream::connect(address).await?;
//!     client.write_all(b"hello").await?;
//!     let mut answer = [0; 5];
//!     client.read_exact(&mut answer).await?;
//!     assert_eq!(&answer, b"hello");
//!     std::io::Result::Ok(())
//! })??;
//! # std::io::Result::Ok(())
//! ```
//!
//! [`block_on`] returns an `io::Result` of what the future returns, because opening a selector can
//! fail: hence the second question mark.
//!
//! One crate in the manifest is enough: sockets, timers and what else a task awaits are the
//! reactor's, and stand here under their own names ([`net`], [`time`], [`Async`]); the rest of it is
//! [`executor::reactor`](reactor).
//!
//! One thread, on purpose: tasks share data by `Rc` and `Cell`, and no lock is taken and no atomic
//! written on the way of a message. For more cores run a [`Runtime`] on each; the example
//! `thread_per_core` shows how. [`patterns`] shows how to put a server together.
//!
//! # Coming from elsewhere
//!
//! [`coming_from`] says how the things of tokio, smol, asyncio, monoio, compio and glommio are called
//! here, and why there is no `#[main]`.
//!
//! # Walk
//!
//! The walk through the house: `run/waker.rs` (a waker is called) -> `ready/scheduler.rs` (the ready
//! queue) -> `run/pass.rs` (the run loop) -> `spawning/task.rs` (the poll) -> a socket of the reactor,
//! which meets WouldBlock and stores the waker: the circle is closed. `wake/inbox.rs` is the way in from
//! other threads.

#![deny(unsafe_code)]
#![warn(
    missing_debug_implementations,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use
)]

mod await_stop;
mod budget;
mod builder;
pub mod coming_from;
pub mod contracts;
pub mod patterns;
mod ready;
mod run;
mod runtime;
mod spawning;
mod task;
mod task_local;
mod unless_stopping;
mod wake;
mod watch;

pub use reactor;
#[cfg(feature = "blocking")]
pub use reactor::blocking;
#[cfg(all(feature = "process", unix))]
pub use reactor::process;
#[cfg(feature = "signal")]
pub use reactor::signal;
pub use reactor::{Async, Direction, Reactor, Trigger, Turn, net, time};
pub use selectors_core::{Backend, Script};

pub use await_stop::{AwaitStop, stopping};
pub use budget::{Unconstrained, consume_budget, unconstrained};
pub use builder::Builder;
pub use runtime::{EnterGuard, Runtime, Shutdown, block_on, spawn, spawn_named, yield_now};
pub use spawning::abort_handle::AbortHandle;
pub use spawning::join::{AbortOnDrop, JoinHandle};
pub use spawning::join_error::JoinError;
pub use spawning::send_handle::SendHandle;
pub use spawning::spawn_traits::LocalSpawner;
pub use spawning::spawner::Spawner;
pub use spawning::task_set::{JoinNext, JoinNextWithId, TaskSet};
pub use task::id::Id;
#[doc(hidden)]
pub use task_local::CurrentValue;
pub use task_local::{Scope, TaskLocal};
pub use unless_stopping::{UnlessStopping, is_stopping, request_stop, unless_stopping};
pub use watch::dump::{TaskInfo, dump};
pub use watch::metrics::Metrics;

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
