//! What a task may say of its budget: take from it, or do without.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::run::current;

/// Takes one from the budget of this task, as each operation of a socket does: when it is used up,
/// other tasks run first. For loops that work for long and await nothing that does it; where no
/// runtime runs it does nothing.
///
/// ```
/// use executor::{consume_budget, spawn};
///
/// executor::block_on(async {
///     let other = spawn(async {});
///     let mut rounds = 0;
///     while !other.is_finished() {
///         consume_budget().await;
///         rounds += 1;
///     }
///     assert!([17, 33].contains(&rounds)); // by edge, by level
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn consume_budget() {
    poll_fn(current::poll_budget).await;
}

/// `future`, whose operations take nothing from the budget of its task, and are not ended by it. A
/// loop in it that is ready again and again keeps all others waiting.
///
/// Dropping the future drops the one in it.
///
/// ```
/// use executor::{consume_budget, spawn, unconstrained};
///
/// executor::block_on(async {
///     let other = spawn(async {});
///     unconstrained(async {
///         for _ in 0..1000 {
///             consume_budget().await;
///         }
///     })
///     .await;
///     assert!(!other.is_finished());
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub fn unconstrained<F: Future>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

pin_project! {
    /// A future without a budget; made by [`unconstrained`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        match current::current() {
            Some(core) => core.reactor.unconstrained(|| future.poll(cx)),
            None => future.poll(cx),
        }
    }
}
