//! The clock of a reactor, in nanoseconds: the one that [`Instant`] reads, or that of a script.
//!
//! No duration is longer than 146 years: what is, is clamped. Nobody can move the clock, or wait, beyond
//! 146 years by hand; it may run on from there in real time. And no [`Instant`] is placed later than 292
//! years. So the sum of any two of these needs no check, and is never the last of all numbers.
//!
//! Read once for each timer and each turn that has timers, so it is read plainly: one call of the
//! vDSO, and one multiplication.

use std::cell::Cell;
use std::time::{Duration, Instant};

use selectors_core::monotonic_nanos;

/// Where the time comes from, and one moment on it, by which [`Instant`]s are placed.
pub(crate) struct Clock {
    /// The moment.
    instant: Instant,
    /// The same moment in nanoseconds.
    nanos: u64,
    source: Cell<Source>,
}

#[derive(Clone, Copy)]
enum Source {
    /// The kernel's monotonic clock, which its timeouts are measured on too.
    Monotonic,
    /// The virtual clock of a script: what the selector says.
    Scripted,
    /// It stands still, and is moved by hand.
    Paused(u64),
    /// The kernel's again, so far from it, modulo 64 bits.
    Ahead(u64),
}

impl Clock {
    /// The kernel's clock.
    pub(crate) fn monotonic() -> Self {
        // In this order, so that a deadline may come out a trifle late, but never early.
        let instant = Instant::now();
        Clock {
            instant,
            nanos: monotonic_nanos(),
            source: Cell::new(Source::Monotonic),
        }
    }

    /// A clock that shows what the selector says, and now shows `instant`.
    pub(crate) fn scripted(instant: Instant) -> Self {
        Clock {
            instant,
            nanos: 0,
            source: Cell::new(Source::Scripted),
        }
    }

    /// When the clock was made.
    pub(crate) fn start(&self) -> u64 {
        self.nanos
    }

    /// The time; `selector` says what its own clock shows.
    #[inline(always)]
    pub(crate) fn now(&self, selector: impl FnOnce() -> Instant) -> u64 {
        match self.source.get() {
            Source::Monotonic => monotonic_nanos(),
            unusual => self.unusual_now(unusual, selector),
        }
    }

    /// Out of line, because a timer reads the clock twice.
    #[cold]
    #[inline(never)]
    fn unusual_now(&self, source: Source, selector: impl FnOnce() -> Instant) -> u64 {
        match source {
            Source::Scripted => self.place(selector()),
            Source::Paused(now) => now,
            Source::Monotonic => monotonic_nanos(),
            Source::Ahead(ahead) => monotonic_nanos().wrapping_add(ahead),
        }
    }

    /// The time on the kernel's clock, where ours was stopped or moved. Only a script has another one.
    pub(crate) fn real_now(&self, selector: impl FnOnce() -> Instant) -> u64 {
        match self.source.get() {
            Source::Scripted => self.place(selector()),
            _ => monotonic_nanos(),
        }
    }

    /// Until when timers are due that are due `now`: at the [end](END) of a clock that does not run all
    /// of them are, for it cannot be moved to those that are later.
    #[inline(always)]
    pub(crate) fn due_until(&self, now: u64) -> u64 {
        match now < END {
            true => now,
            false => self.due_at_the_end(now),
        }
    }

    #[cold]
    #[inline(never)]
    fn due_at_the_end(&self, now: u64) -> u64 {
        match self.source.get() {
            Source::Monotonic | Source::Ahead(_) => now,
            Source::Scripted | Source::Paused(_) => u64::MAX,
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.source.get(), Source::Paused(_))
    }

    /// Stands still from now on; false for the clock of a script, which others move.
    pub(crate) fn pause(&self) -> bool {
        let ours = !matches!(self.source.get(), Source::Scripted);
        if ours {
            // No selector has a clock of its own then.
            self.source.set(Source::Paused(self.now(|| self.instant)));
        }
        ours
    }

    /// Goes on from where it stands; false if it was not paused.
    pub(crate) fn resume(&self) -> bool {
        let Source::Paused(now) = self.source.get() else {
            return false;
        };
        // It may be behind the kernel's as well: that is a number which comes round.
        self.source
            .set(Source::Ahead(now.wrapping_sub(monotonic_nanos())));
        true
    }

    /// Moves a paused clock; false if it is none.
    pub(crate) fn advance(&self, by: u64) -> bool {
        let Source::Paused(now) = self.source.get() else {
            return false;
        };
        // It may have run beyond the end.
        let end = END.max(now);
        self.source.set(Source::Paused((now + by).min(end)));
        true
    }

    /// `instant` on this clock: clamped, at the beginning and at the end of time.
    pub(crate) fn place(&self, instant: Instant) -> u64 {
        if instant >= self.instant {
            let later = instant.saturating_duration_since(self.instant);
            let later = u64::try_from(later.as_nanos()).unwrap_or(u64::MAX);
            self.nanos.saturating_add(later).min(2 * END)
        } else {
            let earlier = nanos(self.instant.saturating_duration_since(instant));
            self.nanos.saturating_sub(earlier)
        }
    }

    /// The instant that is [placed](Self::place) at `nanos`.
    pub(crate) fn instant(&self, nanos: u64) -> Instant {
        let placed = if nanos >= self.nanos {
            let later = Duration::from_nanos(nanos - self.nanos);
            self.instant.checked_add(later)
        } else {
            let earlier = Duration::from_nanos(self.nanos - nanos);
            self.instant.checked_sub(earlier)
        };
        // Where an `Instant` knows no such time.
        placed.unwrap_or(self.instant)
    }
}

/// The end of time for a clock that is moved, and the longest duration: 146 years.
pub(crate) const END: u64 = i64::MAX as u64 / 2;

/// A duration in nanoseconds, at most [`END`].
#[inline(always)]
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(END).min(END)
}
