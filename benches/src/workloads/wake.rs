//! Wakes: how long from the call until the task runs, and how often the notifier is written to.
//!
//! Tasks sit and wait; a thread wakes all of its own in one burst, waits until all wait again, rests and
//! begins anew. A runtime that parks its thread in another way than on an fd shows no writes.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{TASKS, Workload, on_runtime, some, whole};
use crate::method::{Nature, Outcome, Placement, Reason, Spec, histogram, quiet};
use crate::report::{Shown, groups};
use crate::subjects::{Runtime, Visitor};
use crate::sys;

pub const WORKLOAD: Workload = Workload {
    who: TASKS,
    placements: &[Placement::SameCpu, Placement::Split],
    parameters: &[&[
        some("senders", "1,2", "Threads that wake, each its own tasks"),
        some("burst", "1,100", "Tasks that a sender wakes in one burst"),
        whole("pause_us", "200", "Microseconds between bursts, in which the loop falls asleep"),
    ]],
    costs: &[("wake_median_ns", 50.0)],
    least: 10.0,
    nature: Nature::Timed,
    ..Workload::new(
        Shown::table("wake", "From a wake to the poll", COLUMNS).drawn(CAPTION, |slices| {
            groups::distribution_charts(slices, "wake", "from wake to poll")
        }),
        "Wakes from other threads: latency from the call to the poll, and writes to the notifier",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("median ns", "wake_median_ns", 1.0),
    ("p99 ns", "wake_p99_ns", 1.0),
    ("max ns", "wake_max_ns", 1.0),
    ("writes/wake", "writes_per_wake", 1.0),
    ("wr./burst", "writes_per_burst", 1.0),
];
const CAPTION: &str = "A task sleeps, and is woken by another thread. In a burst the last task waits for \
    those before it. On another CPU the kernel must wake that CPU first, which in a virtual machine costs \
    more than all else.";

/// Bursts before the first one that counts.
const WARM_UP: u64 = 20;
/// So much later than planned a task may end; after that its wake was lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// The burst in which the tasks end.
const LAST: u64 = u64::MAX;

fn measure(spec: &Spec) -> Result<Outcome, String> {
    // A machine that refuses only measures with more noise.
    let _ = sys::pin_to_cpu(spec.placement.server_cpu());
    let wakes = Wakes {
        senders: spec.count("senders").max(1),
        burst: spec.count("burst").max(1),
        cpu: spec.placement.client_cpu(),
        pause: Duration::from_micros(spec.count("pause_us") as u64),
        duration: spec.duration(),
    };
    let woken = on_runtime(spec, wakes)?;
    let mut outcome = Outcome::default();
    if woken.lost > 0 {
        outcome.flag(Reason::Lost, format!("{} tasks were not woken", woken.lost));
    }
    let bursts = woken.writes.len() as f64;
    let (writes, wakes) = (woken.writes.iter().sum::<u64>() as f64, bursts * wakes.burst as f64);
    outcome.metric("wakes", wakes);
    outcome.metric("writes_per_wake", writes / wakes.max(1.0));
    outcome.metric("writes_per_burst", writes / bursts.max(1.0));
    if !woken.latencies.is_empty() {
        // Told however few there are, for it is what verdicts are about.
        outcome.metric("wake_median_ns", woken.latencies.value_at_quantile(0.5) as f64);
        outcome.distribution("wake", &woken.latencies)?;
    }
    Ok(outcome)
}

#[derive(Clone, Copy)]
pub(super) struct Wakes {
    pub(super) senders: usize,
    pub(super) burst: usize,
    pub(super) cpu: usize,
    /// How long a sender waits when all its tasks wait: longer than a loop takes to fall asleep.
    pub(super) pause: Duration,
    /// How long it goes on, after the warm-up.
    pub(super) duration: Duration,
}

pub(super) struct Woken {
    /// Nanoseconds from just before each wake until its task was polled.
    latencies: Histogram<u64>,
    /// Of each burst after the warm-up the `write` calls that its sender made, by the kernel's
    /// account: the notifier.
    pub(super) writes: Vec<u64>,
    /// Tasks whose last wake never came.
    lost: u64,
}

/// Where one task waits to be woken.
#[derive(Default)]
struct Seat {
    /// Left by the task whenever it waits; taken by the sender.
    waker: Option<Waker>,
    /// The burst that the task was last woken in, and when that was.
    burst: u64,
    at: u64,
}

struct Meeting {
    epoch: Instant,
    seats: Vec<Mutex<Seat>>,
    /// Set when nobody will come to the seats any more.
    over: AtomicBool,
}

impl Visitor for Wakes {
    type Output = Woken;

    fn visit<R: Runtime>(self) -> Woken {
        let meeting = Arc::new(Meeting {
            epoch: Instant::now(),
            seats: (0..self.senders * self.burst).map(|_| Mutex::default()).collect(),
            over: AtomicBool::new(false),
        });
        let thread = |sender: usize| {
            let meeting = meeting.clone();
            std::thread::spawn(move || {
                let _ = sys::pin_to_cpu(self.cpu);
                self.send(&meeting, sender * self.burst)
            })
        };
        let threads: Vec<_> = (0..self.senders).map(thread).collect();
        let (told, lost) = (Rc::new(RefCell::new(histogram::new())), Rc::new(Cell::new(0)));
        let (result, left, theirs) = (told.clone(), lost.clone(), meeting.clone());
        R::run(async move {
            let member = |index| R::spawn(member(theirs.clone(), index, told.clone()));
            let tasks = (0..theirs.seats.len()).map(member).collect();
            left.set(ended::<R>(tasks, self.duration).await);
        });
        meeting.over.store(true, Ordering::Release);
        let writes = threads.into_iter().filter_map(|thread| thread.join().ok()).flatten();
        let latencies = result.replace(histogram::new());
        Woken { latencies, writes: writes.collect(), lost: lost.get() }
    }
}

impl Wakes {
    /// Wakes the tasks from seat `first` on, burst after burst; how often this thread wrote for each
    /// that counts.
    fn send(&self, meeting: &Meeting, first: usize) -> Vec<u64> {
        let seats = &meeting.seats[first..first + self.burst];
        let all_wait = || {
            while !seats.iter().all(|seat| locked(seat).waker.is_some()) {
                if meeting.over.load(Ordering::Acquire) {
                    return false;
                }
                std::thread::sleep(Duration::from_micros(20));
            }
            true
        };
        let wake_all = |burst: u64| {
            for seat in seats {
                let mut seat = locked(seat);
                (seat.at, seat.burst) = (since(meeting.epoch), burst);
                let waker = seat.waker.take();
                drop(seat);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        };
        let (mut begin, mut burst, mut calls) = (Instant::now(), 0, Vec::new());
        while (burst <= WARM_UP || begin.elapsed() < self.duration) && all_wait() {
            std::thread::sleep(self.pause);
            if burst == WARM_UP {
                begin = Instant::now();
            }
            // Asked before and not after, for that would keep the tasks waiting.
            if burst >= WARM_UP {
                calls.push(write_calls());
            }
            burst += 1;
            wake_all(burst);
        }
        calls.push(write_calls());
        if all_wait() {
            wake_all(LAST);
        }
        calls.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// One of the waiting tasks: writes down how long each wake took, until all end.
async fn member(meeting: Arc<Meeting>, index: usize, told: Rc<RefCell<Histogram<u64>>>) {
    let mut seen = 0;
    while seen < LAST {
        let latency = poll_fn(|context| {
            let now = since(meeting.epoch);
            let mut seat = locked(&meeting.seats[index]);
            if seat.burst > seen {
                seen = seat.burst;
                return Poll::Ready(now.saturating_sub(seat.at));
            }
            seat.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        if (WARM_UP + 1..LAST).contains(&seen) {
            histogram::record(&mut told.borrow_mut(), latency);
        }
    }
}

fn locked(seat: &Mutex<Seat>) -> MutexGuard<'_, Seat> {
    seat.lock().expect("no panic under this lock")
}

/// Waits for tasks that should end after `duration`; how many have not ended long after it.
async fn ended<R: Runtime>(tasks: Vec<R::Join>, duration: Duration) -> u64 {
    let mut patience = pin!(R::sleep(duration + PATIENCE));
    let all = tasks.len();
    for (over, mut task) in tasks.into_iter().enumerate() {
        let ended = poll_fn(|context| {
            if Pin::new(&mut task).poll(context).is_ready() {
                return Poll::Ready(true);
            }
            patience.as_mut().poll(context).map(|_| false)
        });
        if !ended.await {
            return (all - over) as u64;
        }
    }
    0
}

#[inline]
fn since(epoch: Instant) -> u64 {
    epoch.elapsed().as_nanos() as u64
}

/// `write` calls of the calling thread so far, by the kernel's account.
fn write_calls() -> u64 {
    let account = std::fs::read_to_string("/proc/thread-self/io").unwrap_or_default();
    quiet::number_after(&account, "syscw:").unwrap_or(0.0) as u64
}
