//! [`unless_stopping`]: an operation that a stop cuts short, which costs a look at a flag.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::await_stop::{AwaitStop, stopping};
use crate::run::current;

/// The output of `future`, or `None` if it would have to wait though a stop is asked for: then it is
/// dropped, which cancels it. What is ready is ready, stop or no stop.
///
/// It is for the places at which nothing is half done: the wait for the next message, connection or
/// tick. As long as nobody asks for a stop, it costs a few instructions a poll: nothing is
/// registered anywhere, because a stop wakes every task once.
///
/// Dropping the future drops the one in it.
///
/// # Panics
///
/// If it would have to wait where no runtime runs.
///
/// ```
/// use executor::{Runtime, unless_stopping};
/// use std::future::{pending, ready};
/// use std::time::Duration;
///
/// let runtime = Runtime::new()?;
/// let task = runtime.spawn(async {
///     let mut served = 0;
///     while let Some(()) = unless_stopping(ready(())).await {
///         served += 1;
///         if served == 3 {
///             // No fourth comes.
///             assert!(unless_stopping(pending::<()>()).await.is_none());
///             break;
///         }
///     }
/// });
/// let stopped = runtime.shutdown(Duration::from_secs(60))?;
/// assert_eq!((stopped.ended, stopped.dropped), (1, 0));
/// # std::io::Result::Ok(())
/// ```
pub fn unless_stopping<F: Future>(future: F) -> UnlessStopping<F> {
    UnlessStopping {
        future,
        stop: stopping(),
    }
}

/// Whether a stop of the runtime of this thread is asked for; without a runtime, no.
#[inline]
#[must_use]
pub fn is_stopping() -> bool {
    current::is_stopping()
}

/// Asks for a stop from inside: all tasks of the runtime of this thread, and the future of `block_on`,
/// are woken once, those that wait for [`stopping`] or [`unless_stopping`] go on, and for ever after
/// [`is_stopping`] says yes. It waits for nobody and drops nobody;
/// [`Runtime::shutdown`](crate::Runtime::shutdown) does.
///
/// # Panics
///
/// If no runtime runs on this thread.
///
/// ```
/// use executor::{request_stop, spawn, unless_stopping};
/// use std::future::pending;
///
/// executor::block_on(async {
///     let serving = spawn(async { unless_stopping(pending::<()>()).await });
///     request_stop();
///     assert_eq!(serving.await.unwrap(), None);
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn request_stop() {
    current::expect_current("request_stop").ask_to_stop();
}

pin_project! {
    /// A future, or the end if a stop is asked for; made by [`unless_stopping`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct UnlessStopping<F> {
        #[pin]
        future: F,
        stop: AwaitStop,
    }
}

impl<F: Future> Future for UnlessStopping<F> {
    type Output = Option<F::Output>;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Pin::new(this.stop).poll(cx).map(|()| None),
        }
    }
}
