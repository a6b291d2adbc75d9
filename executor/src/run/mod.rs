//! The run loop, and what calls it.
//!
//! From the ground up: `core` is what a runtime consists of, and what a wake does to it; `current`
//! finds it from this thread, `runtimes` from another; `waker` is the vtable that calls those; `pass`
//! is the loop, which makes wakers and polls; `end` is how a runtime stops. A wake goes `waker`,
//! `current`, `core`, and no way back up.
//!
//! Called by those who spawn ([`spawn`](crate::spawn)) and by [`Runtime`](crate::Runtime).

pub(crate) mod core;
pub(crate) mod counted;
pub(crate) mod current;
mod end;
mod pass;
mod runtimes;
pub(crate) mod stop;
pub(crate) mod waker;
