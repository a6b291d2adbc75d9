//! A minimal single-threaded executor on top of the [`reactor`]: it keeps the tasks, and polls each
//! one when its waker was called.
//!
//! ```
//! use reactor::net::{TcpListener, TcpStream};
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
//! One thread, on purpose: tasks share data by `Rc` and `Cell`, and no lock is taken and no atomic
//! written on the way of a message. For more cores run a [`Runtime`] on each; the example
//! `thread_per_core` shows how. [`patterns`] shows how to put a server together.
//!
//! # Coming from tokio
//!
//! | tokio | here |
//! |---|---|
//! | `#[tokio::main] async fn main` | `fn main` with [`block_on`]`(async { ... })` |
//! | `Builder::new_current_thread` | [`Runtime::builder`]: backend, trigger, seed, script |
//! | `tokio::spawn(f)`, `f` must be `Send` | from another thread: [`Spawner::spawn`] |
//! | `task::spawn_local`, `LocalSet` | [`spawn`]; every runtime is a `LocalSet` |
//! | `JoinHandle`, `abort`, `AbortHandle` | [`JoinHandle`], [`AbortOnDrop`] |
//! | `JoinSet` | [`TaskSet`] |
//! | `task::yield_now`, `task_local!` | [`yield_now`], [`task_local!`] |
//! | `task::spawn_blocking` | `reactor::blocking::unblock` (feature `blocking`) |
//! | `runtime.shutdown_timeout` | [`Runtime::shutdown`], and [`stopping`] for tasks |
//! | `net`, `time`, `process`, `signal` | [`reactor::net`], [`reactor::time`], `reactor::process`, `reactor::signal` |
//! | `io::AsyncRead`, `AsyncWrite`, `AsyncReadExt` | `read` and `write` take `&self`; for generic code, the traits of futures-io (feature `futures-io`) |
//! | `unix::AsyncFd` | [`reactor::Async`]; `readable` asks the kernel, so there is no guard, and nothing to clear |
//! | `try_io`, `async_io`, `ready(Interest)` | the same on every socket and half, with a [`Direction`](reactor::Direction) or a `Readiness`; [`try_with`](reactor::Async::try_with), [`read_with`](reactor::Async::read_with) of `Async` |
//! | `sync::mpsc`, `oneshot`, `Notify` | any crate of channels: async-channel, futures-channel, event-listener |
//! | `select!`, `join!` | `futures_util::select!`, `futures_lite::future::{or, zip}` |
//! | `time::pause`, `advance` | [`Builder::script`]: a virtual clock |
//! | tokio-console, `RuntimeMetrics` | [`dump`], [`Runtime::metrics`], [`reactor::observe`] |
//!
//! What differs: a handle that is dropped detaches its task here as there, but says so
//! ([`JoinHandle::detach`]). `sleep` and sockets of another runtime, or of none, panic with a
//! sentence instead of hanging. There is no worker that steals tasks.
//!
//! # Coming from smol
//!
//! | smol | here |
//! |---|---|
//! | `smol::block_on` | [`block_on`] |
//! | `LocalExecutor::spawn` | [`spawn`], [`Runtime::spawn`], [`LocalSpawner`] |
//! | `Executor` on several threads | a [`Runtime`] for each thread, and [`Spawner`] between them |
//! | `Task`, which cancels when it is dropped | [`JoinHandle::abort_on_drop`]; a plain [`JoinHandle`] detaches |
//! | `task.cancel().await` | [`JoinHandle::abort`], then await the handle |
//! | `Async<T>` | [`reactor::Async`], with the same `readable`, `read_with` and poll-style methods: `loop { io.readable().await?; io.get_ref().op() }` waits where smol waits |
//! | `Timer::after`, `Timer::interval` | [`reactor::time::sleep`], [`reactor::time::interval`] |
//! | `net`, `process`, `unblock` | [`reactor::net`], `reactor::process`, `reactor::blocking::unblock` |
//! | `futures_lite`, `async-channel`, `event-listener` | the same crates; they need wakers and nothing else |
//! | the reactor's thread "async-io" | none: the thread that polls is the one that waits |
//!
//! # Walk
//!
//! The walk through the house: `wake.rs` (a waker is called) -> `scheduler.rs` (the ready queue)
//! -> `core.rs` (the run loop) -> `task.rs` (the poll) -> a socket of the reactor, which meets
//! WouldBlock and stores the waker: the circle is closed. `inbox.rs` is the way in from other
//! threads.

#![deny(unsafe_code)]

mod await_stop;
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

pub use await_stop::{AwaitStop, stopping};
pub use runtime::{Builder, Runtime, Shutdown, block_on, spawn, spawn_named, yield_now};
pub use spawning::join::{AbortOnDrop, JoinHandle};
pub use spawning::join_error::JoinError;
pub use spawning::send_handle::SendHandle;
pub use spawning::spawn_traits::LocalSpawner;
pub use spawning::spawner::Spawner;
pub use spawning::task_set::{JoinNext, TaskSet};
pub use task::id::Id;
#[doc(hidden)]
pub use task_local::CurrentValue;
pub use task_local::{Scope, TaskLocal};
pub use unless_stopping::{UnlessStopping, is_stopping, request_stop, unless_stopping};
pub use watch::dump::{TaskInfo, dump};
pub use watch::metrics::Metrics;

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
