//! What a reactor has done so far, as plain counters.

use std::cell::Cell;

/// What a [`Reactor`](crate::Reactor) has done since it was made, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Turns taken, each with one wait of the selector.
    pub turns: u64,
    /// Events that the kernel reported, those of the notifier included.
    pub events: u64,
    /// Wakers called because a key was ready.
    pub wakes: u64,
    /// Timers that fired.
    pub timers_fired: u64,
    /// Fds registered now, the notifier's own not counted.
    pub keys: usize,
    /// Timers that somebody waits for now.
    pub timers: usize,
}

/// The counters behind [`Metrics`]; each is added to once a turn.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) turns: Cell<u64>,
    pub(crate) events: Cell<u64>,
    pub(crate) wakes: Cell<u64>,
    pub(crate) timers_fired: Cell<u64>,
}

impl Counts {
    /// A turn is over, in which keys were `ready`, their wakers `woken`, and `timers` fired.
    #[inline]
    pub(crate) fn turn(&self, ready: usize, woken: usize, timers: usize) {
        self.turns.set(self.turns.get() + 1);
        self.events.set(self.events.get() + ready as u64);
        self.wakes.set(self.wakes.get() + woken as u64);
        self.timers_fired
            .set(self.timers_fired.get() + timers as u64);
    }

    pub(crate) fn read(&self, keys: usize, timers: usize) -> Metrics {
        Metrics {
            turns: self.turns.get(),
            events: self.events.get(),
            wakes: self.wakes.get(),
            timers_fired: self.timers_fired.get(),
            keys,
            timers,
        }
    }
}
