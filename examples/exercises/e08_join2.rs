//! Exercise 8: wait for two futures at the same time.
//!
//! ```text
//! cargo run -p exercises -- check e08
//! ```

use std::future::Future;

/// Both outputs, as soon as both are there.
pub async fn join2<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    // To be changed. See `std::future::poll_fn` and `std::pin::pin`.
    (a.await, b.await)
}
