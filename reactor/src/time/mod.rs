//! Sleeping, timeouts and intervals. Never early; how late is up to the kernel, see [`sleep`].
//!
//! What is awaited is here; what it waits in, the queue of deadlines, is the room `timers`.

mod interval;
mod pause;
mod sleep;
mod timeout;

pub use interval::{Interval, MissedTick, interval, interval_at};
pub use pause::{advance, pause, resume};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};
