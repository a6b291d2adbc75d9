//! What a runtime tells about itself: a list of its tasks, and counters.
//!
//! For users; nothing in the crate depends on it. What an *observer* is told stands where it happens,
//! in functions called `tell_..` that are never called while nobody observes.

pub(crate) mod dump;
pub(crate) mod metrics;
