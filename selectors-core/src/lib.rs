#![doc = include_str!("../DOCS.md")]
#![deny(unsafe_code)]

mod backend;
mod base;
mod capabilities;
mod clock;
#[cfg(epoll)]
mod epoll_flags;
mod error;
mod event;
mod events;
mod interest;
mod kernel;
mod key;
mod key_map;
mod look;
mod mode;
mod named;
mod notifier;
mod raw;
mod readiness;
mod register_error;
mod scripted;
mod selector;
mod surroundings;
pub mod sys;
#[cfg(test)]
mod tests;
mod timeout;
mod token;
mod wait;

pub use backend::Backend;
pub use base::BaseSelector;
pub use capabilities::Capabilities;
pub use clock::monotonic_nanos;
#[cfg(epoll)]
pub use epoll_flags::EpollFlags;
pub use error::{Error, Refusal};
pub use event::Event;
pub use events::{EVENT_READ, EVENT_WRITE, Events};
pub use interest::Interest;
pub use key::SelectorKey;
pub use key_map::KeyMap;
pub use look::poll_now;
pub use mode::Mode;
#[cfg(devpoll)]
pub use named::DevpollSelector;
#[cfg(epoll)]
pub use named::EpollSelector;
#[cfg(kqueue)]
pub use named::KqueueSelector;
pub use named::{DefaultSelector, PollSelector, SelectSelector};
pub use notifier::{Notifier, NotifyHandle};
pub use raw::RawSource;
pub use readiness::Readiness;
pub use register_error::RegisterError;
pub use scripted::{Call, Script, ScriptedSelector};
pub use selector::Selector;
pub use surroundings::{block_signals, is_secure_execution};
pub use token::Token;

/// Runs the examples of the documents as tests; those of the contract must not compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../CONTRACT.md")]
struct Documents;
