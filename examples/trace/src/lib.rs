//! Traces of the reactor: how to read one, what is suspicious in it, and how to look at it.
//!
//! The recorder is in the reactor itself (`reactor::trace`); it writes lines of JSON when the
//! variable `REACTOR_TRACE` names a file. This crate is for afterwards:
//!
//! ```
//! let text = "{\"trace\":\"reactor\",\"version\":1,\"backend\":\"poll\",\"trigger\":\"level\"}\n\
//!             {\"t\":5,\"at\":\"core.rs:1\",\"e\":\"poll_begin\",\"task\":0}\n";
//! let trace = trace::Trace::parse(text)?;
//! assert_eq!(trace.header.backend, "poll");
//! assert!(trace::lint::all(&trace).is_empty());
//! # Ok::<(), trace::Bad>(())
//! ```

#![forbid(unsafe_code)]

pub mod browser;
pub mod chrome;
pub mod console;
mod format;
pub mod golden;
pub mod hang;
pub mod html;
pub mod lint;
mod sha256;
mod sources;
pub mod strace;
mod strace_line;
pub mod tour;

pub use format::{Bad, Header, Line, Overhead, Step, Trace, plain, text};
