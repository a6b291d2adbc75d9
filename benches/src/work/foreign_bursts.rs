//! Bursts of wakes from other threads.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::foreign::write_calls;
use super::wakes::{MOST, WARM_UP, Wakes, Woken, ended, since};
use crate::runtime::Runtime;
use crate::sys;

/// Where one task waits to be woken.
#[derive(Default)]
struct Seat {
    /// Left by the task whenever it waits; taken by the sender.
    waker: Mutex<Option<Waker>>,
    /// The burst that the task was last woken in; written under the lock.
    burst: AtomicU64,
    /// When that was; written under the lock, before `burst`.
    at: AtomicU64,
    /// Set by the sender before its last burst: the task ends. Of each seat its own, for another
    /// sender may be in the middle of a burst, half of whose tasks would end and half wait for ever.
    stopping: AtomicBool,
}

/// What senders and tasks share.
struct Meeting {
    epoch: Instant,
    seats: Vec<Seat>,
    /// Set when nobody will come to the seats any more.
    over: AtomicBool,
}

pub(super) fn run<R: Runtime>(wakes: &Wakes) -> Woken {
    let Wakes { senders, burst, .. } = *wakes;
    let meeting = Arc::new(Meeting {
        epoch: Instant::now(),
        seats: (0..senders * burst).map(|_| Seat::default()).collect(),
        over: AtomicBool::new(false),
    });
    let threads: Vec<_> = (0..senders)
        .map(|sender| {
            let (meeting, wakes) = (meeting.clone(), *wakes);
            std::thread::spawn(move || {
                // A machine that refuses only measures with more noise.
                let _ = sys::pin_to_cpu(wakes.cpu);
                send(&meeting, sender * burst, &wakes)
            })
        })
        .collect();
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(MOST)));
    let (result, theirs, duration) = (latencies.clone(), meeting.clone(), wakes.duration);
    let lost = Rc::new(RefCell::new(0));
    let told = lost.clone();
    R::run(async move {
        let tasks = (0..theirs.seats.len())
            .map(|index| R::spawn(member(theirs.clone(), index, latencies.clone())))
            .collect();
        *told.borrow_mut() = ended::<R>(tasks, duration).await;
    });
    meeting.over.store(true, Ordering::Release);
    let mut woken = Woken {
        latencies: result.take(),
        lost: lost.take(),
        ..Woken::default()
    };
    for (bursts, writes) in threads.into_iter().filter_map(|thread| thread.join().ok()) {
        woken.bursts += bursts;
        woken.wakes += bursts * burst as u64;
        woken.writes += writes;
    }
    woken
}

/// One of the waiting tasks: writes down how long each wake took, until all end.
async fn member(meeting: Arc<Meeting>, index: usize, latencies: Rc<RefCell<Vec<u64>>>) {
    let seat = &meeting.seats[index];
    let mut seen = 0;
    loop {
        let latency = poll_fn(|context| {
            let now = since(meeting.epoch);
            // The lock orders this look at `burst` before or after the sender's taking of the
            // waker: before, and it finds ours; after, and the new burst is already there.
            let mut waker = seat.waker.lock().expect("no panic under this lock");
            let burst = seat.burst.load(Ordering::Relaxed);
            if burst > seen {
                seen = burst;
                return Poll::Ready(now.saturating_sub(seat.at.load(Ordering::Relaxed)));
            }
            *waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        if seat.stopping.load(Ordering::Acquire) {
            return;
        }
        let mut latencies = latencies.borrow_mut();
        if seen > WARM_UP && latencies.len() < MOST {
            latencies.push(latency);
        }
    }
}

/// Wakes the tasks from seat `first` on, burst after burst; how many bursts count, and how often
/// this thread wrote for them.
fn send(meeting: &Meeting, first: usize, wakes: &Wakes) -> (u64, u64) {
    let seats = &meeting.seats[first..first + wakes.burst];
    let mut begin = Instant::now();
    let (mut burst, mut writes) = (0, 0);
    while burst <= WARM_UP || begin.elapsed() < wakes.duration {
        if !wait_for_all(meeting, seats) {
            break;
        }
        std::thread::sleep(wakes.pause);
        if burst == WARM_UP {
            (begin, writes) = (Instant::now(), write_calls());
        }
        burst += 1;
        wake_all(meeting, seats, burst);
    }
    let writes = write_calls() - writes;
    if wait_for_all(meeting, seats) {
        for seat in seats {
            seat.stopping.store(true, Ordering::Release);
        }
        wake_all(meeting, seats, burst + 1);
    }
    (burst.saturating_sub(WARM_UP), writes)
}

fn wake_all(meeting: &Meeting, seats: &[Seat], burst: u64) {
    for seat in seats {
        let mut place = seat.waker.lock().expect("no panic under this lock");
        let waker = place.take();
        seat.at.store(since(meeting.epoch), Ordering::Relaxed);
        seat.burst.store(burst, Ordering::Relaxed);
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Waits until every task waits; false if they will not any more.
fn wait_for_all(meeting: &Meeting, seats: &[Seat]) -> bool {
    let waits = |seat: &Seat| {
        let waker = seat.waker.lock().expect("no panic under this lock");
        waker.is_some()
    };
    while !seats.iter().all(waits) {
        if meeting.over.load(Ordering::Acquire) {
            return false;
        }
        std::thread::sleep(Duration::from_micros(20));
    }
    true
}
