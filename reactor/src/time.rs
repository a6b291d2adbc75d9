//! Sleeping, timeouts and intervals. Never early; how late is up to the kernel (about 50 us
//! unless the thread's timer slack is lowered).

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::observe::Event;
use crate::shared::Shared;
use crate::timers::{Polled, TimerId};

/// Waits until `duration` has passed.
///
/// # Panics
///
/// If this thread has entered no reactor.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// executor::block_on(async {
///     let start = Instant::now();
///     reactor::time::sleep(Duration::from_millis(2)).await;
///     assert!(start.elapsed() >= Duration::from_millis(2));
/// })?;
/// # std::io::Result::Ok(())
/// ```
// A duration that is a constant is nanoseconds by then.
#[inline(always)]
pub fn sleep(duration: Duration) -> Sleep {
    let reactor = Shared::current();
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let deadline = reactor.elapsed_now().saturating_add(nanos);
    Sleep {
        reactor,
        deadline,
        timer: None,
    }
}

/// Waits until `deadline`; one in the past is over after one turn.
///
/// # Panics
///
/// If this thread has entered no reactor.
pub fn sleep_until(deadline: Instant) -> Sleep {
    let reactor = Shared::current();
    let deadline = reactor.clock.place(deadline);
    Sleep {
        reactor,
        deadline,
        timer: None,
    }
}

/// A point in time to wait for; made by [`sleep`] and [`sleep_until`]. Dropping it cancels it.
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    reactor: Rc<Shared>,
    /// In nanoseconds of the reactor.
    deadline: u64,
    /// `None` until the first poll.
    timer: Option<TimerId>,
}

impl Sleep {
    /// Moves the deadline to `duration` from now. Later costs no more than a few stores, so a
    /// timer that is reset at each activity is cheap. One that is over starts again.
    pub fn reset(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.deadline = self.reactor.elapsed_now().saturating_add(nanos);
        if let Some(timer) = self.timer {
            let mut timers = self.reactor.timers.borrow_mut();
            if !timers.reset(timer, self.deadline) {
                timers.cancel(timer);
                self.timer = None;
            }
        }
    }
}

impl Sleep {
    #[inline]
    fn start(&mut self, waker: &Waker) {
        let waker = waker.clone();
        let mut timers = self.reactor.timers.borrow_mut();
        let timer = timers.insert(self.deadline, waker);
        self.timer = Some(timer);
        if self.reactor.attention.is_observed() {
            let since_start = self.deadline.saturating_sub(self.reactor.clock.start());
            let deadline = Duration::from_nanos(since_start);
            self.reactor.hook.emit(Event::TimerSet { timer, deadline });
        }
    }
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.reactor.assert_driven();
        let Some(timer) = this.timer else {
            this.start(cx.waker());
            return Poll::Pending;
        };
        let polled = this.reactor.timers.borrow_mut().poll(timer, cx.waker());
        match polled {
            Polled::Fired => Poll::Ready(()),
            Polled::Waiting(replaced) => {
                drop(replaced);
                Poll::Pending
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let waker = self.reactor.timers.borrow_mut().cancel(timer);
            // Dropping a waker runs code that is not ours: after the borrow.
            drop(waker);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}

/// Gives `future` no more than `duration`; then it is dropped, which cancels it.
///
/// # Errors
///
/// [`Elapsed`] if the time is up first. The future is polled before the clock is looked at, so
/// one that is ready wins even at the deadline.
///
/// # Panics
///
/// If this thread has entered no reactor.
///
/// ```
/// use reactor::time::timeout;
/// use std::{future::pending, time::Duration};
///
/// executor::block_on(async {
///     assert!(timeout(Duration::from_millis(1), pending::<()>()).await.is_err());
///     assert_eq!(timeout(Duration::from_secs(1), async { 7 }).await, Ok(7));
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout {
        future,
        sleep: sleep(duration),
    }
}

/// As [`timeout`], with a point in time.
///
/// # Panics
///
/// If this thread has entered no reactor.
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout {
        future,
        sleep: sleep_until(deadline),
    }
}

pin_project! {
    /// A future with a deadline; made by [`timeout`].
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        sleep: Sleep,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(this.sleep).poll(cx).map(|()| Err(Elapsed(())))
    }
}

/// The time was up; converts into an [`io::Error`] of kind `TimedOut`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was up")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}

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
pub fn interval(period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "an interval needs a period longer than zero"
    );
    let reactor = Shared::current();
    let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
    let next = Sleep {
        deadline: reactor.elapsed_now(),
        reactor,
        timer: None,
    };
    Interval {
        next,
        period,
        missed: MissedTick::default(),
    }
}

/// A sequence of ticks; made by [`interval`].
#[derive(Debug)]
pub struct Interval {
    next: Sleep,
    /// In nanoseconds.
    period: u64,
    missed: MissedTick,
}

impl Interval {
    /// Chooses what happens to ticks that come too late; the default is [`MissedTick::Skip`].
    pub fn missed_tick(mut self, policy: MissedTick) -> Self {
        self.missed = policy;
        self
    }

    /// Waits for the next tick. Dropping the future loses no tick.
    pub async fn tick(&mut self) {
        let due = self.next.deadline;
        let now = self.next.reactor.elapsed_now();
        if due > now {
            poll_fn(|cx| Pin::new(&mut self.next).poll(cx)).await;
        }
        let now = self.next.reactor.elapsed_now();
        let next = match self.missed {
            MissedTick::Burst => due.saturating_add(self.period),
            MissedTick::Delay => now.saturating_add(self.period),
            MissedTick::Skip => {
                let missed = now.saturating_sub(due) / self.period;
                due.saturating_add(self.period.saturating_mul(missed + 1))
            }
        };
        let reactor = Rc::clone(&self.next.reactor);
        self.next = Sleep {
            reactor,
            deadline: next,
            timer: None,
        };
    }
}
