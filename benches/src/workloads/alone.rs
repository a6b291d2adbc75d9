//! Works without sockets to other processes, each repeated so often: what `gates` counts under callgrind
//! and strace, and what users profile.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::wake::Wakes;
use crate::method::{Facts, statistics};
use crate::subjects::{Runtime, Visitor, with_runtime};

struct Alone<'a> {
    work: &'a str,
    count: u64,
}

impl Visitor for Alone<'_> {
    type Output = Option<Facts>;

    fn visit<R: Runtime>(self) -> Option<Facts> {
        let run = match self.work {
            "self-wake" => self_wake::<R>,
            "spawn-join" => spawn_join::<R>,
            "far-timer" => far_timer::<R>,
            "sleep" => sleep::<R>,
            "foreign-wake" => foreign_wake::<R>,
            _ => return None,
        };
        Some(run(self.count))
    }
}

pub fn run(work: &str, subject: &str, count: u64) -> Result<Facts, String> {
    with_runtime(subject, Alone { work, count })
        .ok_or_else(|| format!("{subject} has no tasks"))?
        .ok_or_else(|| format!("{work} is no work"))
}

/// One task wakes itself and is polled again, `count` times.
fn self_wake<R: Runtime>(count: u64) -> Facts {
    // Written out: it is what is counted.
    let mut left = count;
    let work = poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    });
    in_a_task::<R>(count, work)
}

/// One task spawns a task that is ready at once and waits for it, `count` times.
fn spawn_join<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R>(count, async move {
        for _ in 0..count {
            R::spawn(async {}).await;
        }
    })
}

/// Runs a future in a spawned task, for that is where programs live, and times it from within. Not by
/// `runtime::in_a_task`: a future more around it would be counted.
fn in_a_task<R: Runtime>(count: u64, work: impl Future<Output = ()> + 'static) -> Facts {
    let elapsed = Rc::new(Cell::new(Duration::ZERO));
    let result = elapsed.clone();
    R::run(async move {
        R::spawn(async move {
            let begin = Instant::now();
            work.await;
            elapsed.set(begin.elapsed());
        })
        .await;
    });
    vec![("nanoseconds", result.get().as_nanos() as f64 / count as f64)]
}

/// Creates a sleep of an hour, polls it once and drops it, `count` times: what a timeout around
/// an operation that succeeds costs.
fn far_timer<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R>(count, async move {
        for _ in 0..count {
            let mut sleep = pin!(R::sleep(Duration::from_secs(3600)));
            poll_fn(|context| {
                assert!(sleep.as_mut().poll(context).is_pending(), "an hour is not over");
                Poll::Ready(())
            })
            .await;
        }
    })
}

/// Sleeps 100 microseconds, `count` times.
fn sleep<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R>(count, async move {
        for _ in 0..count {
            R::sleep(Duration::from_micros(100)).await;
        }
    })
}

/// A hundred tasks wait; another thread wakes them all in one burst, while the loop is asleep, about
/// `count` times. Tells how many `write` calls that thread made for a burst, the median and the fewest.
///
/// A burst that another process interrupts finds the loop asleep again, and rightly writes again;
/// the fewest says what the runtime needs when nobody interrupts.
fn foreign_wake<R: Runtime>(count: u64) -> Facts {
    // The last task has left its waker, but the loop may still be on its way to sleep.
    let pause = Duration::from_millis(2);
    let duration = pause * u32::try_from(count).unwrap_or(u32::MAX);
    let woken = Wakes { senders: 1, burst: 100, cpu: 0, pause, duration }.visit::<R>();
    let writes = woken.writes.iter().map(|&writes| writes as f64);
    let fewest = writes.clone().fold(f64::INFINITY, f64::min);
    vec![("writes", statistics::median(writes).unwrap_or(f64::NAN)), ("fewest", fewest)]
}
