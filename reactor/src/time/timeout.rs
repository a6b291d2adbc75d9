//! A future with a deadline.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use super::sleep::{Sleep, sleep, sleep_until};

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
        if this.sleep.is_new() {
            // The future may be one that never waits.
            ready!(this.sleep.reactor.poll_spend(cx));
        }
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
