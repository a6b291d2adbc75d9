//! Works without sockets to other processes, each repeated so often: what `gates` counts under callgrind
//! and strace, and what users profile.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::method::outcome::Facts;
use crate::method::statistics;
use crate::subjects::runtime::Runtime;
use crate::subjects::{Visitor, with_runtime};

/// One of the works, so often.
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
            "hops" => hops::<R>,
            _ => return None,
        };
        Some(run(self.count))
    }
}

/// Runs a work of this name on the runtime of that name.
///
/// # Errors
///
/// In words: there is none.
pub fn run(work: &str, subject: &str, count: u64) -> Result<Facts, String> {
    with_runtime(subject, Alone { work, count })
        .ok_or_else(|| format!("{subject} has no tasks"))?
        .ok_or_else(|| format!("{work} is no work"))
}

/// One task wakes itself and is polled again, `count` times.
fn self_wake<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R, _>(count, |count| {
        // Written out: it is what is counted.
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
fn spawn_join<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R, _>(count, |count| async move {
        for _ in 0..count {
            R::spawn(async {}).await;
        }
    })
}

/// Runs a future in a spawned task, for that is where programs live, and times it from within.
fn in_a_task<R: Runtime, F: Future<Output = ()> + 'static>(
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

/// Creates a sleep of an hour, polls it once and drops it, `count` times: what a timeout around
/// an operation that succeeds costs.
fn far_timer<R: Runtime>(count: u64) -> Facts {
    in_a_task::<R, _>(count, move |count| async move {
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
fn sleep<R: Runtime>(count: u64) -> Facts {
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
fn foreign_wake<R: Runtime>(rounds: u64) -> Facts {
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
    vec![("writes", statistics::median(&writes)), ("fewest", fewest)]
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
pub fn write_calls() -> u64 {
    let account = std::fs::read_to_string("/proc/thread-self/io").unwrap_or_default();
    account
        .lines()
        .find_map(|line| line.strip_prefix("syscw: "))
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}

/// A byte goes round a ring of socket pairs, one task between each two, until it has made so many hops.
/// Tells nanoseconds for each hop: one readiness from the kernel to the task, a read and a write.
fn hops<R: Runtime>(count: u64) -> Facts {
    const MEMBERS: u64 = 64;
    let elapsed = Rc::new(Cell::new(Duration::ZERO));
    let result = elapsed.clone();
    let laps = count.div_ceil(MEMBERS);
    R::run(async move {
        let pairs = (0..MEMBERS).map(|_| UnixStream::pair().expect("socketpair"));
        let (ins, mut outs): (Vec<_>, Vec<_>) = pairs.unzip();
        // Member i reads from pair i and writes into pair i + 1.
        let mut start = outs[0].try_clone().expect("dup");
        // The last byte comes when the first member has ended and closed its own end.
        let _goal = ins[0].try_clone().expect("dup");
        outs.rotate_left(1);
        let relay = |(from, to)| {
            let relay = R::relay(from, to, laps);
            R::spawn(async move { relay.await.expect("relay") })
        };
        let tasks: Vec<_> = ins.into_iter().zip(outs).map(relay).collect();
        let begin = Instant::now();
        start.write_all(&[1]).expect("the first byte");
        for task in tasks {
            task.await;
        }
        elapsed.set(begin.elapsed());
    });
    vec![(
        "nanoseconds",
        result.get().as_nanos() as f64 / (laps * MEMBERS) as f64,
    )]
}
