//! The executor alone: tasks that wake themselves, and tasks that are spawned and joined.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Facts;
use crate::runtime::Runtime;

/// One task wakes itself and is polled again, `count` times.
pub fn self_wake<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R, _>(count, |count| {
        let mut left = count;
        poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
    })
}

/// One task spawns a task that is ready at once and waits for it, `count` times.
pub fn spawn_join<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R, _>(count, |count| async move {
        for _ in 0..count {
            R::spawn(async {}).await;
        }
    })
}

/// Runs a future in a spawned task, for that is where programs live, and times it from within.
pub(super) fn in_a_task<R: Runtime, F: Future<Output = ()> + 'static>(
    count: u64,
    work: impl Fn(u64) -> F + 'static,
) -> Facts {
    let elapsed = Rc::new(Cell::new(Duration::ZERO));
    let result = elapsed.clone();
    R::run(async move {
        R::spawn(async move {
            let begin = Instant::now();
            work(count).await;
            elapsed.set(begin.elapsed());
        })
        .await;
    });
    vec![("nanoseconds", result.get().as_nanos() as f64 / count as f64)]
}
