//! A minimal single-threaded executor on top of the [`reactor`].
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
//! The walk through the house: `wake.rs` (a waker is called) -> `scheduler.rs` (the ready queue)
//! -> `core.rs` (the run loop) -> `task.rs` (the poll) -> a socket of the reactor, which meets
//! WouldBlock and stores the waker: the circle is closed. `inbox.rs` is the way in from other
//! threads.

#![deny(unsafe_code)]

mod core;
mod dump;
mod id;
mod inbox;
mod join;
mod join_error;
mod metrics;
mod observed;
mod round;
mod runtime;
mod scheduler;
mod spawn_traits;
mod spawner;
mod stopping;
mod task;
mod task_local;
mod task_set;
mod tasks;
mod wake;
mod waker;
mod watched;

pub use dump::{TaskInfo, dump};
pub use id::Id;
pub use join::{AbortOnDrop, JoinHandle};
pub use join_error::JoinError;
pub use metrics::Metrics;
pub use runtime::{Builder, Runtime, block_on, spawn, spawn_named, yield_now};
pub use spawn_traits::LocalSpawner;
pub use spawner::{SendHandle, Spawner};
pub use stopping::{Shutdown, stopping};
pub use task_local::{Scope, TaskLocal};
pub use task_set::TaskSet;

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
