//! Exercise 9, solved.

use exercises::e09::{LoopStep, WakerStep};

/// What the loop does when it has polled everybody it knew of.
pub const LOOP: &[LoopStep] = &[
    // Said first: whoever pushes after our look finds it said, and notifies.
    LoopStep::SayAsleep,
    LoopStep::LookIntoQueue,
    LoopStep::Sleep,
];

/// What a wake does, on another thread.
pub const WAKER: &[WakerStep] = &[
    // Pushed first: if we find the loop awake, it has yet to look, and will find the task.
    WakerStep::Push,
    WakerStep::NotifyIfAsleep,
];
