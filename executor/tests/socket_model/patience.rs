//! How long a task waits for an operation before it drops it.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use executor::yield_now;
use fastrand::Rng;
use futures_lite::future::poll_once;
use reactor::time::timeout;

/// Waits to the end, or gives up after some polls or some microseconds; `None` if it gave up.
pub(crate) async fn any<F: Future>(random: &mut Rng, operation: F) -> Option<F::Output> {
    if random.bool() {
        return Some(operation.await);
    }
    short(random, operation).await
}

/// As `any`, but never waits to the end.
pub(crate) async fn short<F: Future>(random: &mut Rng, operation: F) -> Option<F::Output> {
    if random.bool() {
        let limit = Duration::from_micros(random.u64(..400));
        return timeout(limit, operation).await.ok();
    }
    let mut operation = pin!(operation);
    for _ in 0..random.usize(1..5) {
        if let Some(output) = poll_once(operation.as_mut()).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}
