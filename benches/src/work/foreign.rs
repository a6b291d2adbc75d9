//! Wakes from another thread, and what they cost that thread in system calls.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::Facts;
use crate::runtime::Runtime;
use crate::stats;

/// Tasks that are woken in one burst.
const WAKES: usize = 100;

/// Where the tasks leave their wakers, and the round that they may enter.
struct Meeting {
    wakers: Mutex<Vec<Option<Waker>>>,
    round: AtomicU64,
}

/// A hundred tasks wait; another thread wakes them all in one burst, while the loop is asleep;
/// `rounds` times. Tells how many `write` calls the waking thread made for a burst, the median and
/// the fewest, from the kernel's account of that thread.
///
/// A burst that another process interrupts finds the loop asleep again, and rightly writes again;
/// the fewest says what the runtime needs when nobody interrupts.
pub fn foreign_wake<R: Runtime>(rounds: u64) -> Facts {
    let meeting = Arc::new(Meeting {
        wakers: Mutex::new(vec![None; WAKES]),
        round: AtomicU64::new(0),
    });
    let theirs = meeting.clone();
    let waking = std::thread::spawn(move || {
        let mut writes = Vec::new();
        for round in 1..=rounds {
            let wakers = all_wakers(&theirs);
            // The last task has left its waker, but the loop may still be on its way to sleep.
            std::thread::sleep(Duration::from_millis(2));
            theirs.round.store(round, Ordering::Release);
            let before = write_calls();
            for waker in wakers {
                waker.wake();
            }
            writes.push((write_calls() - before) as f64);
        }
        writes
    });
    R::run(async move {
        let tasks: Vec<_> = (0..WAKES)
            .map(|index| R::spawn(member(meeting.clone(), index, rounds)))
            .collect();
        for task in tasks {
            task.await;
        }
    });
    let writes = waking.join().unwrap_or_default();
    let fewest = writes.iter().copied().fold(f64::INFINITY, f64::min);
    vec![("writes", stats::median(&writes)), ("fewest", fewest)]
}

/// Another thread wakes one task and waits until it has run, `count` times. Tells nanoseconds for
/// each: a wake, on a machine of several CPUs the waking of a CPU, and a poll.
pub fn foreign_round_trip<R: Runtime>(count: u64) -> Facts {
    let meeting = Arc::new(Meeting {
        wakers: Mutex::new(vec![None]),
        round: AtomicU64::new(0),
    });
    let theirs = meeting.clone();
    let waking = std::thread::spawn(move || {
        let begin = Instant::now();
        for round in 1..=count {
            let waker = loop {
                let waker = theirs.wakers.lock().expect("no panic under this lock")[0].take();
                match waker {
                    Some(waker) => break waker,
                    None => std::thread::yield_now(),
                }
            };
            theirs.round.store(round, Ordering::Release);
            waker.wake();
        }
        begin.elapsed()
    });
    R::run(async move {
        R::spawn(member(meeting, 0, count)).await;
    });
    let elapsed = waking.join().unwrap_or_default();
    vec![("nanoseconds", elapsed.as_nanos() as f64 / count as f64)]
}

/// One of the waiting tasks: in each round it leaves its waker and waits for the round to be over.
async fn member(meeting: Arc<Meeting>, index: usize, rounds: u64) {
    for round in 1..=rounds {
        poll_fn(|context| {
            // The lock orders this look at `round` before or after the other thread's taking of
            // the wakers: before, and it finds ours; after, and the round is already there.
            let mut wakers = meeting.wakers.lock().expect("no panic under this lock");
            if meeting.round.load(Ordering::Acquire) >= round {
                return Poll::Ready(());
            }
            wakers[index] = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Waits until every task has left its waker, and takes them.
fn all_wakers(meeting: &Meeting) -> Vec<Waker> {
    loop {
        {
            let mut wakers = meeting.wakers.lock().expect("no panic under this lock");
            if wakers.iter().all(Option::is_some) {
                return wakers.iter_mut().filter_map(Option::take).collect();
            }
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// `write` calls of the calling thread so far, by the kernel's account.
pub(super) fn write_calls() -> u64 {
    let account = std::fs::read_to_string("/proc/thread-self/io").unwrap_or_default();
    account
        .lines()
        .find_map(|line| line.strip_prefix("syscw: "))
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}
