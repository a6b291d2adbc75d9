//! A sequence of ticks.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_core::Stream;

use super::sleep::Sleep;
use crate::heart::driven::Driven;
use crate::heart::shared::Shared;
use crate::timers::clock;

/// What an [`Interval`] does about ticks that it could not deliver in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTick {
    /// Leave them out; the next tick is on the original grid.
    #[default]
    Skip,
    /// Deliver them all, one right after another.
    Burst,
    /// Start a new grid: the next tick is one period after this one.
    Delay,
}

/// Ticks now, and then every `period`.
///
/// # Panics
///
/// If `period` is zero, or if this thread has entered no reactor.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// executor::block_on(async {
///     let start = Instant::now();
///     let mut interval = reactor::time::interval(Duration::from_millis(1));
///     for _ in 0..3 {
///         interval.tick().await;
///     }
///     assert!(start.elapsed() >= Duration::from_millis(2));
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
#[must_use]
pub fn interval(period: Duration) -> Interval {
    let period = nanos(period);
    let reactor = Shared::current();
    let now = reactor.elapsed_now();
    Interval::new(Sleep::new(reactor, now), now, period)
}

/// Ticks at `start`, and then every `period`.
///
/// # Panics
///
/// As [`interval`].
///
/// ```
/// use reactor::time::{MissedTick, interval_at};
/// use std::time::{Duration, Instant};
///
/// executor::block_on(async {
///     let (start, period) = (Instant::now(), Duration::from_millis(1));
///     let mut interval = interval_at(start + period, period).missed_tick(MissedTick::Burst);
///     assert_eq!(interval.tick().await, start + period);
///     assert_eq!(interval.tick().await, start + 2 * period);
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
#[must_use]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    let period = nanos(period);
    let reactor = Shared::current();
    let (now, start) = (reactor.elapsed_now(), reactor.clock.place(start));
    Interval::new(Sleep::new(reactor, start), now, period)
}

/// A period in nanoseconds.
#[track_caller]
fn nanos(period: Duration) -> u64 {
    assert!(
        !period.is_zero(),
        "an interval needs a period longer than zero"
    );
    clock::nanos(period)
}

/// A sequence of ticks; made by [`interval`]. As a [`Stream`] it never ends.
///
/// Work that takes as long as the period has a tick waiting for it whenever it is done. It lets
/// others run in between all the same, at each tick, or after a few under [`MissedTick::Burst`].
#[derive(Debug)]
pub struct Interval {
    next: Sleep,
    /// When the last tick was given.
    last: u64,
    /// In nanoseconds.
    period: u64,
    missed: MissedTick,
}

impl Interval {
    fn new(next: Sleep, now: u64, period: u64) -> Self {
        Interval {
            next,
            last: now,
            period,
            missed: MissedTick::default(),
        }
    }

    /// Chooses what happens to ticks that come too late; the default is [`MissedTick::Skip`].
    #[must_use]
    pub fn missed_tick(mut self, policy: MissedTick) -> Self {
        self.missed = policy;
        self
    }

    /// How long it is from tick to tick.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_nanos(self.period)
    }

    /// Waits for the next tick, and says when it was due. Dropping the future loses no tick.
    #[track_caller]
    pub fn tick(&mut self) -> impl Future<Output = Instant> {
        let reactor = Rc::clone(&self.next.reactor);
        Driven::new(reactor, poll_fn(|cx| self.advance(cx)))
    }

    /// The poll-style form of [`tick`](Self::tick).
    #[track_caller]
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let polled = self.advance(cx);
        self.next.reactor.driven(polled)
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let (due, read) = (self.next.deadline, self.next.reactor.elapsed_now());
        // Then its turn came, and with it that of everybody else.
        let waited = self.next.has_fired();
        if due > read {
            ready!(self.next.advance(cx));
        }
        let now = read.max(due);
        let reactor = &self.next.reactor;
        ready!(reactor.poll_spend(cx));
        if !waited && now.saturating_sub(self.last) >= self.period {
            // Since the last tick this task had the thread for a whole period: others are next, or
            // after a few ticks that come one right after another.
            reactor.attention.leave(match self.missed {
                MissedTick::Skip | MissedTick::Delay => 0,
                MissedTick::Burst => 4,
            });
        }
        let tick = reactor.clock.instant(due);
        self.last = now;
        let next = match self.missed {
            MissedTick::Burst => due + self.period,
            MissedTick::Delay => now + self.period,
            MissedTick::Skip => due + self.period * ((now - due) / self.period + 1),
        };
        // At the end of the clock ticks that are later are due all the same, and must not run away.
        self.next.move_to(next.min(read + clock::END));
        Poll::Ready(tick)
    }

    /// Starts a new grid: the next tick is one period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period());
    }

    /// Starts a new grid: the next tick is at once.
    pub fn reset_immediately(&mut self) {
        self.reset_after(Duration::ZERO);
    }

    /// Starts a new grid: the next tick is `after` from now.
    pub fn reset_after(&mut self, after: Duration) {
        self.next.reset(after);
    }

    /// Starts a new grid, at `start`.
    pub fn reset_at(&mut self, start: Instant) {
        self.next.reset_until(start);
    }
}

impl Stream for Interval {
    type Item = Instant;

    #[track_caller]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.get_mut().poll_tick(cx).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}
