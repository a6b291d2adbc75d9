//! The ready queue: who was woken, in which order they are polled, and who lives in which slot.
//!
//! All of it is one value, the [`Scheduler`](scheduler::Scheduler), which the loop borrows for a step
//! at a time, and a wake for a push. Nothing here calls anybody.

pub(crate) mod marks;
mod queue;
pub(crate) mod scheduler;
mod shuffle;
