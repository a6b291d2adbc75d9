//! Work that blocks, on threads of its own (feature `blocking`), so that the loop goes on.
//!
//! The threads are those of the crate blocking: made when they are needed, ended when they are
//! idle, 500 at most unless `BLOCKING_MAX_THREADS` says otherwise. They are shared by all runtimes
//! of the process.

use std::future::Future;

/// Runs `work` on another thread, from now on; the future is its result.
///
/// For calls that block: files, name look-ups, long computations. A panic of `work` is passed on to
/// whoever awaits.
///
/// **Cancelling**: dropping the future takes work back that has not begun. Work that has begun goes
/// on to its end, and its result is dropped on its thread.
///
/// ```
/// executor::block_on(async {
///     let name = reactor::blocking::unblock(|| std::fs::read_to_string("Cargo.toml")).await?;
///     assert!(name.contains("reactor"));
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[must_use = "dropping the future takes the work back"]
pub fn unblock<T, F>(work: F) -> impl Future<Output = T> + Send + Unpin
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    ::blocking::unblock(work)
}
