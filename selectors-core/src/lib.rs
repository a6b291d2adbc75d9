#![doc = include_str!("../DOCS.md")]
#![deny(unsafe_code)]
#![warn(clippy::must_use_candidate)]

mod clock;
mod error;
mod kernel;
mod look;
mod notifier;
pub mod os;
mod selector;
pub mod sys;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use clock::monotonic_nanos;
pub use error::{Error, Refusal};
pub use kernel::{Script, ScriptedCall};
pub use look::poll_now;
pub use notifier::{Notifier, NotifyHandle};
#[cfg(devpoll)]
pub use selector::DevpollSelector;
#[cfg(kqueue)]
pub use selector::KqueueSelector;
#[cfg(not(winsock))]
pub use selector::PollSelector;
#[cfg(uring)]
pub use selector::UringSelector;
pub use selector::{
    BaseSelector, DefaultSelector, KeyMap, RegisterError, ScriptedSelector, SelectSelector,
    Selector, SelectorKey, SharedSelector,
};
#[cfg(epoll)]
pub use selector::{EpollFlags, EpollSelector};
pub use sys::RawSource;
pub use words::{
    Backend, Capabilities, EVENT_READ, EVENT_WRITE, Event, Events, Interest, Mode, Readiness, Token,
};

/// Runs the examples of the documents as tests; those of the contract must not compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../CONTRACT.md")]
struct Documents;
