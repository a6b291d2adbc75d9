//! A future with a deadline.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use selectors_core::act;

use super::sleep::{Sleep, sleep, sleep_until};
use crate::watch::acts::{self, Act};
use crate::watch::events::Event;

/// Gives `future` no more than `duration`; then it is dropped, which cancels it.
///
/// # Errors
///
/// [`Elapsed`] if the time is up first. The future is polled before the clock is looked at, so
/// one that is ready wins even at the deadline.
///
/// # Panics
///
/// As [`sleep`].
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
#[track_caller]
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    // First, so that nothing was done with the future if this panics.
    let sleep = sleep(duration);
    Timeout { future, sleep }
}

/// As [`timeout`], with a point in time.
///
/// # Panics
///
/// As [`sleep`].
#[track_caller]
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    let sleep = sleep_until(deadline);
    Timeout { future, sleep }
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

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let reactor = &this.sleep.reactor;
        let is_new = this.sleep.is_new();
        // The future may be one that never waits, so it spends. Who observes is found out with what is
        // asked anyway.
        let goes_on = match is_new {
            true => reactor.attention.spend(),
            false => reactor.is_calm(),
        };
        if !goes_on {
            return poll_slowly(this.future, this.sleep, cx);
        }
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let polled = match is_new {
            true => Pin::new(this.sleep).poll(cx),
            false => this.sleep.advance(cx),
        };
        polled.map(|()| Err(Elapsed(())))
    }
}

/// The budget is used up, or nobody drives the reactor, or somebody observes.
#[cold]
#[track_caller]
fn poll_slowly<F: Future>(
    future: Pin<&mut F>,
    sleep: &mut Sleep,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Elapsed>> {
    if sleep.is_new() {
        ready!(sleep.reactor.poll_attend(cx));
    }
    let polled = match sleep.reactor.attention.is_observed() {
        true => return poll_told(future, sleep, cx),
        false => future.poll(cx),
    };
    match polled {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => Pin::new(sleep).poll(cx).map(|()| Err(Elapsed(()))),
    }
}

/// Before the eyes of an observer, who is told if the future keeps no waker.
#[cold]
#[track_caller]
fn poll_told<F: Future>(
    future: Pin<&mut F>,
    sleep: &mut Sleep,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Elapsed>> {
    let reactor = Rc::clone(&sleep.reactor);
    let hook = &reactor.hook;
    let (kept, fewest) = hook.kept.of(sleep.waker_data(), cx.waker());
    let waker = Waker::from(Arc::clone(&kept));
    let mut cx = Context::from_waker(&waker);
    if let Poll::Ready(output) = future.poll(&mut cx) {
        return Poll::Ready(Ok(output));
    }
    let alone = act!(acts::Left, kept.is_kept_by_nobody(fewest)) && !means_it::<F>();
    if Pin::new(&mut *sleep).poll(&mut cx).is_ready() {
        return Poll::Ready(Err(Elapsed(())));
    }
    if let Some(timer) = sleep.timer().filter(|_| alone) {
        hook.emit(Event::TimerAlone { timer }, acts::Left::AT);
    }
    Poll::Pending
}

/// Is it std's future that never ends?
fn means_it<F>() -> bool {
    type_name::<F>().starts_with("core::future::pending::Pending<")
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
