//! What a subject does when it is run: each work ends by itself and tells facts about itself.

use std::time::Duration;

mod accept;
mod answers;
mod cascade;
mod channel;
mod foreign;
mod foreign_bursts;
mod laps;
mod overshoot;
mod own_bursts;
mod random;
mod ring;
mod serve;
mod storm;
mod switch;
mod tasks;
mod timers;
mod wakes;

pub use accept::{Accepting, accept};
pub(crate) use answers::answer_questions;
pub use cascade::{Cascade, cascade};
pub(crate) use cascade::{Chain, facts as cascade_facts};
pub use foreign::{foreign_round_trip, foreign_wake};
use laps::laps;
pub(crate) use laps::laps_of;
pub use overshoot::overshoot;
pub(crate) use random::Random;
pub use ring::{ping_pong, ring};
pub(crate) use serve::say_port;
pub use serve::{churn, serve};
pub use storm::storm;
pub use switch::{Switching, switch};
pub use tasks::{self_wake, spawn_join};
pub use timers::{TimerOperation, far_timer, sleep, timers};
pub use wakes::{Wakes, Woken, wakes};

/// What a work found out about itself: a name and a value each.
pub type Facts = Vec<(&'static str, f64)>;

/// What `count` operations take, by what one took: for Criterion, which wants the sum.
pub fn elapsed(facts: &Facts, count: u64) -> Duration {
    let fact = facts.iter().find(|(name, _)| *name == "nanoseconds");
    let nanoseconds = fact.map_or(0.0, |(_, value)| value * count as f64);
    Duration::from_nanos(nanoseconds as u64)
}
