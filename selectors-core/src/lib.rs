//! Python's `selectors` module for Rust: watch many fds, learn which are ready.
//!
//! ```
//! use selectors_core::{DefaultSelector, EVENT_READ};
//! use std::io::Write;
//! use std::os::unix::net::UnixStream;
//!
//! let (ours, mut theirs) = UnixStream::pair()?;
//! let mut selector = DefaultSelector::new()?;
//! let token = selector.register(ours, EVENT_READ, "the reader")?;
//!
//! theirs.write_all(b"hello")?;
//! let mut ready = Vec::new();
//! selector.select(&mut ready, None)?;
//! assert_eq!(ready[0].token, token);
//! assert!(ready[0].readiness.is_readable());
//!
//! let key = selector.unregister(token)?;
//! assert_eq!(key.data, "the reader");
//! # Ok::<(), std::io::Error>(())
//! ```

#![deny(unsafe_code)]

mod backend;
mod base;
mod capabilities;
mod error;
mod event;
mod events;
mod interest;
mod kernel;
mod key;
mod key_map;
mod mode;
mod named;
mod notifier;
mod plan;
mod readiness;
mod register_error;
mod selector;
mod sys;
#[cfg(test)]
mod tests;
mod timeout;
mod token;
mod wait;

pub use backend::Backend;
pub use base::BaseSelector;
pub use capabilities::Capabilities;
pub use error::{Error, Refusal};
pub use event::Event;
pub use events::{EVENT_READ, EVENT_WRITE, Events};
pub use interest::Interest;
pub use key::SelectorKey;
pub use key_map::KeyMap;
pub use mode::Mode;
#[cfg(epoll)]
pub use named::EpollSelector;
pub use named::{DefaultSelector, PollSelector, SelectSelector};
pub use notifier::Notifier;
pub use readiness::Readiness;
pub use register_error::RegisterError;
pub use selector::Selector;
pub use token::Token;
