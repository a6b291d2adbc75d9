//! The words that callers, selectors and kernels speak: plain `Copy` values.
//!
//! Everybody may use them; they use nobody. A word that needs a system call, a key or an error is
//! none: what a [`Backend`] does is in `selector/choice.rs`.

mod backend;
mod capabilities;
mod event;
mod events;
mod interest;
mod mode;
mod readiness;
mod token;

pub use backend::Backend;
pub use capabilities::Capabilities;
pub use event::Event;
pub use events::{EVENT_READ, EVENT_WRITE, Events};
pub use interest::Interest;
pub(crate) use interest::masked;
pub use mode::Mode;
pub use readiness::Readiness;
pub(crate) use token::Tag;
pub use token::Token;
