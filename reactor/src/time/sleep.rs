//! A point in time to wait for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use selectors_core::act;

use crate::heart::shared::Shared;
use crate::timers::{TimerId, poll_timer};
use crate::watch::acts::{self, Act};
use crate::watch::events::Event;
use crate::watch::made::MadeAt;

/// Waits until `duration` has passed, and then some: the first turn of the loop after that ends it.
///
/// An idle Linux machine makes it some 55 us late, 50 of them because the kernel gathers the
/// wake-ups of a thread; [`precise`](crate::Builder::precise) takes those away. A task that computes
/// makes every timer late by as long as it does. Nothing makes it early, and time in which the
/// machine is suspended does not count, as for [`Instant`].
///
/// # Panics
///
/// If this thread has entered no reactor; when awaited, if nobody drives the reactor of this thread.
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
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let reactor = Shared::current();
    let deadline = reactor.deadline_after(duration);
    Sleep::new(reactor, deadline)
}

/// Waits until `deadline`; one in the past is over after one turn. See [`sleep`] for how late that
/// is.
///
/// # Panics
///
/// As [`sleep`].
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let reactor = Shared::current();
    let deadline = reactor.clock.place(deadline);
    Sleep::new(reactor, deadline)
}

/// A point in time to wait for; made by [`sleep`] and [`sleep_until`]. Dropping it cancels it.
///
/// Those of one reactor that are due together wake in the order of their deadlines, and if these
/// are equal in the order in which they were first polled or reset.
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    pub(super) reactor: Rc<Shared>,
    /// In nanoseconds of the reactor.
    pub(super) deadline: u64,
    stage: Progress,
    made_at: MadeAt,
}

/// How far a sleep has come.
#[derive(Clone, Copy)]
enum Progress {
    /// It was not polled yet.
    New,
    /// It has a timer, which may have fired.
    Waiting(TimerId),
    /// It was told that the time has come.
    Over,
}

impl Sleep {
    #[inline(always)]
    #[track_caller]
    pub(super) fn new(reactor: Rc<Shared>, deadline: u64) -> Self {
        Sleep {
            reactor,
            deadline,
            stage: Progress::New,
            made_at: MadeAt::here(),
        }
    }

    /// The point in time that it waits for.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.reactor.clock.instant(self.deadline)
    }

    /// Has the deadline passed? It is asked of the clock, so nobody has to have awaited it.
    ///
    /// ```
    /// use reactor::time::sleep;
    /// use std::time::Duration;
    ///
    /// executor::block_on(async {
    ///     let mut pause = sleep(Duration::from_millis(1));
    ///     (&mut pause).await;
    ///     assert!(pause.is_elapsed());
    ///     pause.reset(Duration::from_secs(60));
    ///     assert!(!pause.is_elapsed());
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.deadline <= self.reactor.elapsed_now()
    }

    /// Moves the deadline to `duration` from now. Later costs no more than a few stores, so a
    /// timer that is reset at each activity is cheap. One that is over starts again.
    pub fn reset(&mut self, duration: Duration) {
        self.move_to(self.reactor.deadline_after(duration));
    }

    /// Moves the deadline to a point in time; see [`reset`](Self::reset).
    pub fn reset_until(&mut self, deadline: Instant) {
        self.move_to(self.reactor.clock.place(deadline));
    }

    pub(super) fn move_to(&mut self, deadline: u64) {
        self.deadline = deadline;
        if let Progress::Waiting(timer) = self.stage {
            let mut timers = self.reactor.timers.borrow_mut();
            if timers.reset(timer, deadline) {
                return;
            }
            timers.cancel(timer);
        }
        self.stage = Progress::New;
    }

    /// Was it never polled, or not since it was reset after its end?
    pub(super) fn is_new(&self) -> bool {
        matches!(self.stage, Progress::New)
    }

    /// The number of its timer, if it has one.
    pub(super) fn timer(&self) -> Option<TimerId> {
        match self.stage {
            Progress::Waiting(timer) => Some(timer),
            _ => None,
        }
    }

    /// What the waker in its timer points to, if there is one.
    pub(super) fn waker_data(&self) -> Option<*const ()> {
        let mut timers = self.reactor.timers.borrow_mut();
        timers.waker(self.timer()?).map(Waker::data)
    }

    /// Has it waited, and its time has come?
    pub(super) fn has_fired(&self) -> bool {
        match self.stage {
            Progress::New => false,
            Progress::Waiting(timer) => self.reactor.timers.borrow_mut().has_fired(timer),
            Progress::Over => true,
        }
    }

    #[inline]
    fn start(&mut self, waker: &Waker) -> TimerId {
        let waker = waker.clone();
        let mut timers = self.reactor.timers.borrow_mut();
        let timer = act!(acts::Timed, timers.insert(self.deadline, waker));
        drop(timers);
        self.stage = Progress::Waiting(timer);
        timer
    }

    /// The same, where nobody drives the reactor, or somebody observes.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn start_observed(&mut self, waker: &Waker) {
        let timer = self.start(waker);
        if self.reactor.attention.is_observed() {
            let since_start = self.deadline.saturating_sub(self.reactor.clock.start());
            let deadline = Duration::from_nanos(since_start);
            let hook = &self.reactor.hook;
            let here = hook.await_at(self.made_at.or_here());
            let from = hook.awaited();
            drop(here);
            let told = Event::TimerSet {
                timer,
                deadline,
                from,
            };
            hook.emit(told, acts::Timed::AT);
        }
    }

    /// As a future, but inside of another await of ours, which looks itself whether anybody drives the
    /// reactor.
    pub(crate) fn advance(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.stage {
            Progress::New => {
                self.start_observed(cx.waker());
                Poll::Pending
            }
            Progress::Waiting(timer) => self.poll_timer(timer, cx),
            Progress::Over => self.reactor.poll_spend(cx),
        }
    }

    fn poll_timer(&mut self, timer: TimerId, cx: &mut Context<'_>) -> Poll<()> {
        ready!(poll_timer(&self.reactor.timers, timer, cx));
        self.reactor.timers.borrow_mut().cancel(timer);
        self.stage = Progress::Over;
        Poll::Ready(())
    }
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        match this.stage {
            Progress::New if this.reactor.is_calm() => {
                this.start(cx.waker());
                Poll::Pending
            }
            Progress::New => {
                this.reactor.assert_driven();
                this.start_observed(cx.waker());
                Poll::Pending
            }
            Progress::Waiting(timer) => {
                this.reactor.assert_driven();
                this.poll_timer(timer, cx)
            }
            // From now on it is ready whenever it is polled.
            Progress::Over => this.reactor.poll_spend(cx),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Progress::Waiting(timer) = self.stage {
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
