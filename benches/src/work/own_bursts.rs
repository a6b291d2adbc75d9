//! Bursts of wakes from the loop's own thread: one task wakes the others.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Instant;

use super::foreign::write_calls;
use super::wakes::{MOST, WARM_UP, Wakes, Woken, ended, since};
use crate::runtime::Runtime;

/// Where one task waits to be woken.
#[derive(Default)]
struct Seat {
    waker: RefCell<Option<Waker>>,
    /// When it was woken, if it has not run since.
    at: Cell<Option<u64>>,
}

/// What the tasks share.
struct Meeting {
    epoch: Instant,
    seats: Vec<Seat>,
    /// The task that wakes, while it waits for the others.
    waking: RefCell<Option<Waker>>,
    /// Tasks that have not run in this burst yet, or not reached their seats.
    left: Cell<usize>,
    burst: Cell<u64>,
    stopping: Cell<bool>,
    woken: RefCell<Woken>,
}

pub(super) fn run<R: Runtime>(wakes: &Wakes) -> Woken {
    let wakes = *wakes;
    let meeting = Rc::new(Meeting {
        epoch: Instant::now(),
        seats: (0..wakes.burst).map(|_| Seat::default()).collect(),
        waking: RefCell::new(None),
        left: Cell::new(wakes.burst),
        burst: Cell::new(0),
        stopping: Cell::new(false),
        woken: RefCell::new(Woken::default()),
    });
    let theirs = meeting.clone();
    R::run(async move {
        let mut tasks: Vec<_> = (0..wakes.burst)
            .map(|index| R::spawn(member(theirs.clone(), index)))
            .collect();
        tasks.push(R::spawn(wake(theirs.clone(), wakes)));
        let lost = ended::<R>(tasks, wakes.duration).await;
        theirs.woken.borrow_mut().lost = lost;
    });
    meeting.woken.take()
}

/// One of the waiting tasks: writes down how long each wake took, until all end.
async fn member(meeting: Rc<Meeting>, index: usize) {
    let seat = &meeting.seats[index];
    loop {
        let latency = poll_fn(|context| {
            let now = since(meeting.epoch);
            if let Some(at) = seat.at.take() {
                return Poll::Ready(now - at);
            }
            *seat.waker.borrow_mut() = Some(context.waker().clone());
            arrive(&meeting);
            Poll::Pending
        })
        .await;
        if meeting.stopping.get() {
            return;
        }
        let mut woken = meeting.woken.borrow_mut();
        if meeting.burst.get() > WARM_UP && woken.latencies.len() < MOST {
            woken.latencies.push(latency);
        }
    }
}

/// One more task waits; the last one lets the next burst begin.
fn arrive(meeting: &Meeting) {
    meeting.left.set(meeting.left.get() - 1);
    if meeting.left.get() == 0 {
        // Taken first: waking may run code that waits again.
        let waking = meeting.waking.borrow_mut().take();
        if let Some(waker) = waking {
            waker.wake();
        }
    }
}

/// Wakes all others, burst after burst.
async fn wake(meeting: Rc<Meeting>, wakes: Wakes) {
    let mut begin = Instant::now();
    let (mut burst, mut writes) = (0, 0);
    while burst <= WARM_UP || begin.elapsed() < wakes.duration {
        all_wait(&meeting).await;
        if burst == WARM_UP {
            (begin, writes) = (Instant::now(), write_calls());
        }
        burst += 1;
        meeting.burst.set(burst);
        wake_all(&meeting);
    }
    all_wait(&meeting).await;
    let writes = write_calls() - writes;
    meeting.stopping.set(true);
    let mut woken = meeting.woken.borrow_mut();
    woken.bursts = burst - WARM_UP;
    woken.wakes = woken.bursts * wakes.burst as u64;
    woken.writes = writes;
    drop(woken);
    wake_all(&meeting);
}

async fn all_wait(meeting: &Meeting) {
    poll_fn(|context| {
        if meeting.left.get() == 0 {
            return Poll::Ready(());
        }
        *meeting.waking.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    })
    .await;
}

fn wake_all(meeting: &Meeting) {
    meeting.left.set(meeting.seats.len());
    for seat in &meeting.seats {
        let waker = seat.waker.borrow_mut().take();
        seat.at.set(Some(since(meeting.epoch)));
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
