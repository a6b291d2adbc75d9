//! Exercise 9: close the gap between the check and the sleep.
//!
//! A loop is about to sleep in select, and another thread is about to wake a task. Each does three
//! steps at most; between any two of them the other may run. Put the steps in an order in which
//! no wake is ever lost, and in which a loop that is awake costs the waker no system call.
//!
//! ```text
//! cargo run -p exercises -- check e09
//! ```

use exercises::e09::{LoopStep, WakerStep};

/// What the loop does when it has polled everybody it knew of.
pub const LOOP: &[LoopStep] = &[
    // To be changed.
    LoopStep::LookIntoQueue,
    LoopStep::SayAsleep,
    LoopStep::Sleep,
];

/// What a wake does, on another thread.
pub const WAKER: &[WakerStep] = &[
    // To be changed.
    WakerStep::NotifyIfAsleep,
    WakerStep::Push,
];
