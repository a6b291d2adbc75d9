//! What a subject does when it is run: each work ends by itself and tells facts about itself.

mod foreign;
mod serve;
mod tasks;
mod timers;

pub use foreign::foreign_wake;
pub(crate) use serve::say_port;
pub use serve::serve;
pub use tasks::{self_wake, spawn_join};
pub use timers::{far_timer, sleep};

/// What a work found out about itself: a name and a value each.
pub type Facts = Vec<(&'static str, f64)>;
