//! Wakes: how long from the call until the task runs, from another thread and from the loop's
//! own, and how often the notifier is written to.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::{foreign_bursts, own_bursts};
use crate::runtime::Runtime;

/// Samples that are kept at most.
pub(super) const MOST: usize = 1_000_000;
/// Bursts before the first one that counts.
pub(super) const WARM_UP: u64 = 20;
/// So much later than planned a task may end; after that its wake was lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who wakes whom.
#[derive(Clone, Copy, Debug)]
pub struct Wakes {
    /// Threads that wake, each its own tasks; none for the loop's own thread.
    pub senders: usize,
    /// Tasks that a sender wakes in one burst.
    pub burst: usize,
    /// The CPU of the senders.
    pub cpu: usize,
    /// How long a sender waits when all its tasks wait: longer than a loop takes to fall asleep.
    pub pause: Duration,
    /// For how long.
    pub duration: Duration,
}

/// What became of them.
#[derive(Default, Debug)]
pub struct Woken {
    /// Nanoseconds from just before each wake until its task was polled; a million at most.
    pub latencies: Vec<u64>,
    /// Wakes that count: those after the warm-up.
    pub wakes: u64,
    /// Bursts that these came in.
    pub bursts: u64,
    /// `write` calls that the waking threads made for them, by the kernel's account: the notifier.
    pub writes: u64,
    /// Tasks whose last wake never came.
    pub lost: u64,
}

/// Wakes tasks in bursts, while they wait.
pub fn wakes<R: Runtime>(wakes: &Wakes) -> Woken {
    if wakes.senders == 0 {
        own_bursts::run::<R>(wakes)
    } else {
        foreign_bursts::run::<R>(wakes)
    }
}

/// Waits for tasks that should end after `duration`; how many have not ended long after it.
pub(super) async fn ended<R: Runtime>(tasks: Vec<R::Join>, duration: Duration) -> u64 {
    let mut patience = pin!(R::sleep(duration + PATIENCE));
    let mut left = tasks.len() as u64;
    for mut task in tasks {
        let ended = std::future::poll_fn(|context| {
            if std::pin::Pin::new(&mut task).poll(context).is_ready() {
                return Poll::Ready(true);
            }
            patience.as_mut().poll(context).map(|_| false)
        });
        if !ended.await {
            return left;
        }
        left -= 1;
    }
    0
}

/// Nanoseconds since `epoch`.
#[inline]
pub(super) fn since(epoch: Instant) -> u64 {
    epoch.elapsed().as_nanos() as u64
}
