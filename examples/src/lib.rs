//! What the example programs share, so that each of them shows only what it is about.

#![forbid(unsafe_code)]

pub mod address;
pub mod change;
pub mod client;
pub mod command_line;
pub mod failure;
pub mod fds;
pub mod payload;
pub mod progress;
pub mod report;
pub mod runtime_args;
pub mod server;
pub mod signals;
pub mod told;
pub mod words;

pub use trace::{complain, console, say};
