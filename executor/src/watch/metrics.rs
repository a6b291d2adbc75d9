//! What a runtime has done so far, as plain counters.

use std::cell::Cell;
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
    /// Wakes, aborts and spawns that other threads sent; a second wake of who is woken already is
    /// none.
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

/// A counter of one thread.
#[derive(Default)]
pub(crate) struct Count(Cell<u64>);

impl Count {
    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }

    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.set(self.0.get() + count);
    }
}

/// The counters behind [`Metrics`].
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) polls: Count,
    /// Wakes through a waker on this thread, those by timers included.
    pub(crate) local_wakes: Count,
    pub(crate) foreign_messages: Count,
}

impl Core {
    pub(crate) fn metrics(&self) -> Metrics {
        let reactor = self.reactor.metrics();
        let counts = &self.counts;
        let through_wakers = counts.local_wakes.0.get();
        Metrics {
            polls: counts.polls.0.get(),
            spawned: self.scheduler.borrow().spawned(),
            tasks: self.live(),
            wakes_by_tasks: through_wakers.saturating_sub(reactor.timers_fired),
            wakes_by_keys: reactor.wakes,
            wakes_by_timers: reactor.timers_fired,
            messages_from_threads: counts.foreign_messages.0.get(),
            notifier_writes: self.remote.notifications.load(Ordering::Relaxed),
            turns: reactor.turns,
            keys: reactor.keys,
            timers: reactor.timers,
        }
    }
}
