//! The clock of a reactor, in nanoseconds.
//!
//! Read once for each timer and each turn that has timers, so it is read plainly: one call of the
//! vDSO, and one multiplication.

use std::time::Instant;

use selectors_core::monotonic_nanos;

/// Where the time comes from, and one moment on it, by which [`Instant`]s are placed.
pub(crate) struct Clock {
    /// The moment.
    instant: Instant,
    /// The same moment in nanoseconds.
    nanos: u64,
    source: Source,
}

enum Source {
    /// The kernel's monotonic clock, which its timeouts are measured on too.
    Monotonic,
    /// The virtual clock of a script: what the selector says.
    Scripted,
}

impl Clock {
    /// The kernel's clock.
    pub(crate) fn monotonic() -> Self {
        // In this order, so that a deadline may come out a trifle late, but never early.
        let instant = Instant::now();
        Clock {
            instant,
            nanos: monotonic_nanos(),
            source: Source::Monotonic,
        }
    }

    /// A clock that shows what the selector says, and now shows `instant`.
    pub(crate) fn scripted(instant: Instant) -> Self {
        Clock {
            instant,
            nanos: 0,
            source: Source::Scripted,
        }
    }

    /// When the clock was made.
    pub(crate) fn start(&self) -> u64 {
        self.nanos
    }

    /// The time; `selector` says what its own clock shows.
    #[inline(always)]
    pub(crate) fn now(&self, selector: impl FnOnce() -> Instant) -> u64 {
        match self.source {
            Source::Monotonic => monotonic_nanos(),
            Source::Scripted => self.place(selector()),
        }
    }

    /// `instant` on this clock: clamped, at the beginning and at the end of time.
    pub(crate) fn place(&self, instant: Instant) -> u64 {
        let nanos = |later: Instant, earlier: Instant| {
            let distance = later.saturating_duration_since(earlier);
            u64::try_from(distance.as_nanos()).unwrap_or(u64::MAX)
        };
        if instant >= self.instant {
            self.nanos.saturating_add(nanos(instant, self.instant))
        } else {
            self.nanos.saturating_sub(nanos(self.instant, instant))
        }
    }
}
