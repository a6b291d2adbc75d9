//! The run loop, and what calls it.
//!
//! From the ground up: `core` is what a runtime consists of, and what a wake does to it; `current`
//! finds it from this thread, `runtimes` from another; `waker` is the vtable that calls those; `pass`
//! is the loop, which makes wakers and polls, with `mail` that it reads and what an observer is `told`
//! of it; `end` is how a runtime stops. A wake goes `waker`, `current`, `core`, and no way back up.
//!
//! Called by those who spawn ([`spawning`](crate::spawning)) and by [`Runtime`](crate::Runtime).

pub(crate) mod core;
pub(crate) mod counted;
pub(crate) mod current;
mod end;
mod mail;
mod pass;
mod runtimes;
pub(crate) mod stop;
mod told;
pub(crate) mod waker;
