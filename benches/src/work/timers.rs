//! Timers: the common one that never fires, and the short one that must not be late.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::{Facts, tasks};
use crate::runtime::Runtime;

/// Creates a sleep of an hour, polls it once and drops it, `count` times: what a timeout around
/// an operation that succeeds costs.
pub fn far_timer<R: Runtime>(count: u64) -> Facts {
    tasks::in_a_task::<R, _>(count, move |count| async move {
        for _ in 0..count {
            let mut sleep = pin!(R::sleep(Duration::from_secs(3600)));
            poll_fn(|context| {
                assert!(
                    sleep.as_mut().poll(context).is_pending(),
                    "an hour is not over"
                );
                Poll::Ready(())
            })
            .await;
        }
    })
}

/// Sleeps 100 microseconds `count` times and tells how long it really was, in microseconds.
pub fn sleep<R: Runtime>(count: u64) -> Facts {
    let asked = Duration::from_micros(100);
    let taken = Rc::new(RefCell::new(Vec::with_capacity(count as usize)));
    let result = taken.clone();
    R::run(async move {
        R::spawn(async move {
            for _ in 0..count {
                let begin = Instant::now();
                R::sleep(asked).await;
                let elapsed = begin.elapsed();
                taken.borrow_mut().push(elapsed);
            }
        })
        .await;
    });
    let mut taken = result.take();
    taken.sort_unstable();
    let micros = |duration: &Duration| duration.as_nanos() as f64 / 1000.0;
    let early = taken.iter().filter(|&&duration| duration < asked).count();
    vec![
        ("median", taken.get(taken.len() / 2).map_or(0.0, micros)),
        ("shortest", taken.first().map_or(0.0, micros)),
        ("early", early as f64),
    ]
}

/// What is done to a timer while others are outstanding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TimerOperation {
    /// Create one and poll it, then drop it: an insertion and a cancellation.
    InsertCancel,
    /// Give one that is outstanding a new, later deadline.
    Reset,
    /// Let one that is due fire, and wake its task.
    Fire,
}

/// Does `operation` `count` times while `outstanding` other timers wait, each at a deadline of
/// its own; tells nanoseconds for each.
pub fn timers<R: Runtime>(outstanding: usize, operation: TimerOperation, count: u64) -> Facts {
    let elapsed = Rc::new(Cell::new(Duration::ZERO));
    let result = elapsed.clone();
    R::run(async move {
        let mut others = Vec::with_capacity(outstanding);
        for index in 0..outstanding {
            // A multiplier that visits every remainder spreads the deadlines over an hour.
            let seconds = 3600 + (index * 7919) % 3600;
            let mut sleep = Box::pin(R::sleep(Duration::from_secs(seconds as u64)));
            poll_once(sleep.as_mut()).await;
            others.push(sleep);
        }
        let begin = Instant::now();
        match operation {
            TimerOperation::InsertCancel => {
                for step in 0..count {
                    let mut sleep = pin!(R::sleep(Duration::from_secs(5400 + step % 1800)));
                    poll_once(sleep.as_mut()).await;
                }
            }
            TimerOperation::Reset => {
                for step in 0..count {
                    let sleep = &mut others[step as usize % outstanding];
                    R::reset(sleep.as_mut(), Duration::from_secs(7200 + step % 1800));
                    poll_once(sleep.as_mut()).await;
                }
            }
            TimerOperation::Fire => {
                elapsed.set(fire::<R>(count).await);
                return;
            }
        }
        elapsed.set(begin.elapsed());
    });
    vec![("nanoseconds", result.get().as_nanos() as f64 / count as f64)]
}

/// How long `count` tasks take to be woken by timers that are all due.
async fn fire<R: Runtime>(count: u64) -> Duration {
    let mut tasks = Vec::with_capacity(count as usize);
    let due = Duration::from_millis(20);
    for _ in 0..count {
        let sleep = R::sleep(due);
        tasks.push(R::spawn(async move {
            sleep.await;
        }));
    }
    // Each task polls its timer; then the thread oversleeps, and all are due at the next turn.
    for _ in 0..2 {
        R::spawn(async {}).await;
    }
    std::thread::sleep(2 * due);
    let begin = Instant::now();
    for task in tasks {
        task.await;
    }
    begin.elapsed()
}

/// Polls a timer once; it must not be due.
async fn poll_once<S: Future>(mut sleep: Pin<&mut S>) {
    poll_fn(|context| {
        assert!(
            sleep.as_mut().poll(context).is_pending(),
            "hours are not over"
        );
        Poll::Ready(())
    })
    .await;
}
