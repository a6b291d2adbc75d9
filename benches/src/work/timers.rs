//! Timers: the common one that never fires, and the short one that must not be late.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::{Facts, tasks};
use crate::runtime::Runtime;

/// Creates a sleep of an hour, polls it once and drops it, `count` times: what a timeout around
/// an operation that succeeds costs.
pub fn far_timer<R: Runtime>(count: u64) -> Facts {
    tasks::in_a_task::<R, _>(count, |count| async move {
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
