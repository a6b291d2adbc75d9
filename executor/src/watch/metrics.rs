//! What a runtime has done so far, as plain counters.

use std::sync::atomic::Ordering;

use crate::run::core::Core;

/// What a [`Runtime`](crate::Runtime) has done since it was made, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Polls of tasks and of the futures of `block_on`.
    pub polls: u64,
    /// Tasks made.
    pub spawned: u64,
    /// Tasks that exist now.
    pub tasks: usize,
    /// Wakes by tasks, and by other code on this thread.
    pub wakes_by_tasks: u64,
    /// Wakes because a key was ready.
    pub wakes_by_keys: u64,
    /// Wakes because a timer was due.
    pub wakes_by_timers: u64,
    /// Wakes, aborts and spawns that other threads sent, or this one while the runtime did not run; a
    /// second wake of who is woken already is none.
    pub messages_from_threads: u64,
    /// System calls that other threads made to end a sleep: at most one for each sleep.
    pub notifier_writes: u64,
    /// Waits of the selector.
    pub turns: u64,
    /// Fds registered now.
    pub keys: usize,
    /// Timers that somebody waits for now.
    pub timers: usize,
}

impl Core {
    pub(crate) fn metrics(&self) -> Metrics {
        let reactor = self.reactor.metrics();
        let through_wakers = self.local_wakes.get();
        Metrics {
            polls: self.polls.get(),
            spawned: self.scheduler.borrow().spawned(),
            tasks: self.live(),
            wakes_by_tasks: through_wakers.saturating_sub(reactor.timers_fired),
            wakes_by_keys: reactor.wakes,
            wakes_by_timers: reactor.timers_fired,
            messages_from_threads: self.messages.get(),
            notifier_writes: self.remote.notifications.load(Ordering::Relaxed),
            turns: reactor.turns,
            keys: reactor.keys,
            timers: reactor.timers,
        }
    }
}
