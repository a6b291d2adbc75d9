//! A storm of timers, as a server with idle timeouts makes it: each connection has one that is
//! due in 10 to 11 seconds, activity puts it off, and it nearly always ends by being cancelled.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::random::Random;
use super::switch::step_back;
use super::{Facts, laps};
use crate::runtime::Runtime;

/// Timers that are let expire in a lap, at most: their time must really pass.
const EXPIRING: usize = 1_000_000;
/// Polls of a task that wakes itself after which every runtime has looked at its timers.
const POLLS: u64 = 300;

/// `count` timers are inserted, each is put off once, in random order, and all are cancelled, in
/// random order; then as many again, a million at most, expire. Again and again for `duration`.
///
/// Tells nanoseconds for each insertion (an allocation, for a timer does not move, and the first
/// poll), reset (and the poll after it), cancellation (and the freeing) and expiry (firing, waking
/// and the poll that finds it), the geometric mean of the four, and how many expired. What a
/// runtime does about cancelled timers when it looks at them next is part of the cancellation; what
/// it puts off until the old deadline is not in there: at most one insertion for each timer in ten
/// seconds.
pub fn storm<R: Runtime>(count: usize, seed: u64, duration: Duration) -> Facts {
    let told = Rc::new(RefCell::new(Facts::new()));
    let result = told.clone();
    let mut random = Random(seed);
    R::run(async move {
        R::spawn(async move {
            let facts = laps(duration, async || lap::<R>(count.max(1), &mut random).await);
            let facts = facts.await;
            *told.borrow_mut() = facts;
        })
        .await;
    });
    result.take()
}

async fn lap<R: Runtime>(count: usize, random: &mut Random) -> Facts {
    let mut sleeps = Vec::with_capacity(count);
    let begin = Instant::now();
    for _ in 0..count {
        let mut sleep = Box::pin(R::sleep(random.idle_timeout()));
        is_over(sleep.as_mut()).await;
        sleeps.push(sleep);
    }
    let inserting = begin.elapsed();

    let begin = Instant::now();
    for _ in 0..count {
        let sleep = &mut sleeps[random.below(count)];
        R::reset(sleep.as_mut(), random.idle_timeout());
        is_over(sleep.as_mut()).await;
    }
    let resetting = begin.elapsed();

    for index in (1..count).rev() {
        sleeps.swap(index, random.below(index + 1));
    }
    let begin = Instant::now();
    drop(sleeps);
    step_back(POLLS).await;
    let cancelling = begin.elapsed();
    let begin = Instant::now();
    step_back(POLLS).await;
    let nothing = begin.elapsed();
    let cancelling = cancelling.saturating_sub(nothing);

    let few = count.min(EXPIRING);
    let inserting_few = inserting.mul_f64(few as f64 / count as f64);
    let (expiring, expired) = expire::<R>(few, inserting_few, nothing).await;
    let each = |time: Duration| time.as_nanos() as f64 / count as f64;
    let four = [each(inserting), each(resetting), each(cancelling), expiring];
    let mean = four.iter().map(|ns| ns.max(0.1).ln()).sum::<f64>() / 4.0;
    vec![
        ("ns_per_operation", mean.exp()),
        ("insert_ns", four[0]),
        ("reset_ns", four[1]),
        ("cancel_ns", four[2]),
        ("expire_ns", four[3]),
        ("expired", expired as f64),
    ]
}

/// Nanoseconds in which the runtime fires one of `count` timers that are all due, and its task
/// finds it; also how many were found. `inserting` is how long it takes to insert them, about, and
/// `nothing` is how long it takes to look at timers of which none is due.
async fn expire<R: Runtime>(count: usize, inserting: Duration, nothing: Duration) -> (f64, usize) {
    let due = 2 * inserting + Duration::from_millis(10);
    let mut sleeps = Vec::with_capacity(count);
    let mut late = 0;
    for _ in 0..count {
        let mut sleep = Box::pin(R::sleep(due));
        // On a busy machine the first may be due before the last is there.
        if is_over(sleep.as_mut()).await {
            late += 1;
        } else {
            sleeps.push(sleep);
        }
    }
    // The thread oversleeps: all are due at the next turn, the coarse ones too.
    std::thread::sleep(due + Duration::from_millis(3));
    let begin = Instant::now();
    step_back(POLLS).await;
    let mut next = 0;
    poll_fn(|context| {
        while let Some(sleep) = sleeps.get_mut(next) {
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            next += 1;
        }
        Poll::Ready(())
    })
    .await;
    let elapsed = begin.elapsed().saturating_sub(nothing);
    (elapsed.as_nanos() as f64 / next.max(1) as f64, late + next)
}

/// Polls a timer once; whether its time has come.
async fn is_over<S: Future>(mut sleep: Pin<&mut S>) -> bool {
    poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context).is_ready())).await
}
