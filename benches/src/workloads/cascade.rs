//! A cascade: many fds are registered, each with a timer, then one byte runs through all of them. What a
//! server pays that opens many connections, hears each once and closes it.
//!
//! Told are microseconds in all, for registering (spawning a task, a first read that finds nothing, a
//! timer, and telling the kernel) and for the ripple (a wait, a read and a write, a timer that is
//! cancelled, and two sockets that are closed, for each link). The bare loop does the same by raw system
//! calls, with a heap of deadlines: cancelled timers stay in it until they come to the top.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::storm::idle_timeout;
use super::{Who, Workload, on_runtime, some};
use crate::method::laps::{laps, laps_of};
use crate::method::{Facts, Flag, Latch, Outcome, Reason, Slice, Spec, Stopwatch, flag_if};
use crate::report::{COUNT, Chart, Series, Shown, TIME, groups};
use crate::subjects::{BARE, Runtime, Visitor, in_a_task};
use crate::sys;

pub const WORKLOAD: Workload = Workload {
    who: Who::Loops(|subject| (subject.tasks && !subject.spins) || subject.name == BARE),
    parameters: &[&[some(
        "fds",
        "1,10,100,1000,4000",
        "How many fds are registered, each with a timer; two files each are needed",
    )]],
    costs: &[("total_us", 0.0)],
    least: 1.0,
    ..Workload::new(
        Shown::table("cascade", "A cascade through all that is registered", COLUMNS)
            .drawn(CAPTION, charts),
        "Registration of many fds with a timer each, then one byte that runs through all of them",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("total us", "total_us", 1.0),
    ("register us", "register_us", 1.0),
    ("dispatch us", "dispatch_us", 1.0),
];
/// Events that one wait of the bare loop can report.
const EVENTS: usize = 1024;
const CAPTION: &str = "For each fd: flat is a cost that does not grow with their number, a slope as steep as \
    the number is a loop that looks at all of them for each link.";

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let x = COUNT.log("fds, each with a timer");
    let y = TIME.of("time for each fd");
    // From microseconds for all to nanoseconds for each.
    let each = |mut one: Series| {
        one.points.iter_mut().for_each(|point| point.y *= 1e3 / point.x);
        one
    };
    let parts = [("Register, with a timer each", "register_us"), ("The ripple", "dispatch_us")];
    let chart = |(name, metric)| {
        let series = groups::curves(slices, "fds", metric).into_iter().map(each).collect();
        Chart::new(name, x, y, series)
    };
    parts.map(chart).into()
}

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let fds = spec.count("fds").max(1);
    sys::raise_open_files().map_err(|error| error.to_string())?;
    if let Some(flag) = too_many(fds, sys::open_files().map(|limit| limit.rlim_cur)) {
        return Ok(Outcome { flags: vec![flag], ..Outcome::default() });
    }
    let mut outcome = if spec.program() == BARE {
        let mut random = Rng::with_seed(spec.seed);
        let mut outcome = Outcome::default();
        outcome.facts(&laps_of(spec.duration(), || {
            bare_lap(Chain::of(fds).expect("pairs of sockets"), &mut random)
        }));
        outcome
    } else {
        on_runtime(spec, Cascade(spec))?
    };
    let passed = outcome.metrics.get("passed").copied().unwrap_or(0.0);
    if passed < fds as f64 {
        let words = format!("the byte passed {passed} of {fds} links, then a timer was due");
        outcome.flag(Reason::Lost, words);
    }
    Ok(outcome)
}

/// A flag if a pair of sockets for each link is more than this process may open.
fn too_many(fds: usize, limit: std::io::Result<u64>) -> Option<Flag> {
    /// The sentinel, the selector, what every program has open.
    const MORE: usize = 40;
    let needed = (2 * fds + MORE) as u64;
    let limit = limit.unwrap_or(u64::MAX);
    flag_if(needed > limit, Reason::ResourceWall, || {
        format!("{fds} links need {needed} files, {limit} are allowed")
    })
}

/// The sockets of a lap. What is written into `first` comes out of the first link's end; link `n`
/// reads from its own and writes into that of the next; the last one's is read by nobody.
struct Chain {
    first: UnixStream,
    /// For each link where it reads, and where it writes.
    links: Vec<(UnixStream, UnixStream)>,
    _end: [UnixStream; 2],
    /// Registered last, and heard at once: everything before it is then registered, in runtimes
    /// too that tell the kernel only when they wait.
    sentinel: (UnixStream, UnixStream),
    sentinel_writer: UnixStream,
}

impl Chain {
    fn of(fds: usize) -> io::Result<Self> {
        let (mut from, first) = UnixStream::pair()?;
        let mut links = Vec::with_capacity(fds);
        for _ in 0..fds {
            let (next, to) = UnixStream::pair()?;
            links.push((std::mem::replace(&mut from, next), to));
        }
        let (heard, sentinel_writer) = UnixStream::pair()?;
        let (unheard, nowhere) = UnixStream::pair()?;
        Ok(Self {
            first,
            links,
            _end: [from, unheard],
            sentinel: (heard, nowhere),
            sentinel_writer,
        })
    }
}

struct Cascade<'a>(&'a Spec);

impl Visitor for Cascade<'_> {
    type Output = Facts;

    fn visit<R: Runtime>(self) -> Facts {
        let (duration, fds) = (self.0.duration(), self.0.count("fds").max(1));
        let mut random = Rng::with_seed(self.0.seed);
        in_a_task::<R, _>(async move {
            laps(duration, async || {
                let chain = Chain::of(fds).expect("pairs of sockets");
                lap::<R>(chain, &mut random).await
            })
            .await
        })
    }
}

fn facts(registering: Duration, rippling: Duration, passed: usize) -> Facts {
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    vec![
        ("total_us", micros(registering + rippling)),
        ("register_us", micros(registering)),
        ("dispatch_us", micros(rippling)),
        ("passed", passed as f64),
    ]
}

async fn lap<R: Runtime>(chain: Chain, random: &mut Rng) -> Facts {
    let (missing, passed) = (Rc::new(Latch::of(chain.links.len() + 1)), Rc::new(Cell::new(0)));
    let mut links = Vec::with_capacity(chain.links.len());
    let begin = Stopwatch::begin();
    for (from, to) in chain.links {
        let link = link::<R>(from, to, idle_timeout(random), missing.clone());
        let passed = passed.clone();
        links.push(R::spawn(async move {
            if link.await {
                passed.set(passed.get() + 1);
            }
        }));
    }
    let (from, to) = chain.sentinel;
    let last = link::<R>(from, to, idle_timeout(random), missing.clone());
    let sentinel = R::spawn(async move {
        last.await;
    });
    // Not by stepping back: there are runtimes whose tasks that wake themselves run first.
    missing.opened(0).await;
    (&chain.sentinel_writer).write_all(&[1]).expect("a byte");
    sentinel.await;
    let registering = begin.elapsed();

    let begin = Stopwatch::begin();
    (&chain.first).write_all(&[1]).expect("a byte");
    for link in links {
        link.await;
    }
    facts(registering, begin.elapsed(), passed.get())
}

/// Passes one byte on, unless that takes longer than `timeout`; whether it did. It is no longer
/// missing once it has been polled.
async fn link<R: Runtime>(
    from: UnixStream,
    to: UnixStream,
    timeout: Duration,
    missing: Rc<Latch>,
) -> bool {
    let mut passing = pin!(R::relay(from, to, 1));
    let mut late = pin!(R::sleep(timeout));
    let mut first = true;
    poll_fn(|context| {
        // The task that waits for this runs after the poll that says it.
        if std::mem::replace(&mut first, false) {
            missing.count_down();
        }
        if let Poll::Ready(passed) = passing.as_mut().poll(context) {
            return Poll::Ready(passed.is_ok());
        }
        if late.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        Poll::Pending
    })
    .await
}

fn bare_lap(chain: Chain, random: &mut Rng) -> Facts {
    let epoll = sys::epoll_create1().expect("epoll_create1");
    let mut timers = Timers::default();
    let mut links: Vec<Option<_>> = Vec::with_capacity(chain.links.len());
    let begin = Stopwatch::begin();
    for (index, (from, to)) in chain.links.into_iter().enumerate() {
        from.set_nonblocking(true).expect("set_nonblocking");
        to.set_nonblocking(true).expect("set_nonblocking");
        sys::epoll_add(&epoll, from.as_raw_fd(), libc::EPOLLIN, index as u64).expect("epoll_ctl");
        timers.due.push(Reverse((Instant::now() + idle_timeout(random), index)));
        links.push(Some((from, to)));
    }
    let sentinel = links.len();
    let (heard, nowhere) = chain.sentinel;
    sys::epoll_add(&epoll, heard.as_raw_fd(), libc::EPOLLIN, sentinel as u64).expect("epoll_ctl");
    links.push(Some((heard, nowhere)));
    (&chain.sentinel_writer).write_all(&[1]).expect("a byte");
    let mut events = vec![sys::NO_EVENT; EVENTS];
    ripple(&epoll, &mut links, 1, &mut timers, &mut events);
    let registering = begin.elapsed();

    let begin = Stopwatch::begin();
    (&chain.first).write_all(&[1]).expect("a byte");
    let passed = ripple(&epoll, &mut links, sentinel, &mut timers, &mut events);
    facts(registering, begin.elapsed(), passed)
}

/// Runs the loop until `count` links have passed their byte on, or the first timer is due; how
/// many have.
fn ripple(
    epoll: &OwnedFd,
    links: &mut [Option<(UnixStream, UnixStream)>],
    count: usize,
    timers: &mut Timers,
    events: &mut [sys::EpollEvent],
) -> usize {
    let mut passed = 0;
    while passed < count {
        let Some(timeout) = timers.until_the_first(links) else {
            return passed;
        };
        let ready = sys::epoll_wait(epoll, events, timeout).expect("epoll_wait");
        for event in &events[..ready] {
            // Taken out: its timer is cancelled by that, and both sockets are closed.
            let Some((mut from, mut to)) = links[event.u64 as usize].take() else {
                continue;
            };
            let mut byte = [0];
            from.read_exact(&mut byte).expect("a byte");
            to.write_all(&byte).expect("a full socket");
            passed += 1;
        }
    }
    passed
}

#[derive(Default)]
struct Timers {
    due: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Timers {
    /// Milliseconds until the first timer of a link that still waits, rounded up, -1 for ever;
    /// nothing if it is due.
    fn until_the_first<L>(&mut self, links: &[Option<L>]) -> Option<i32> {
        while let Some(Reverse((due, index))) = self.due.peek() {
            if links[*index].is_none() {
                self.due.pop();
                continue;
            }
            let left = due.checked_duration_since(Instant::now())?;
            return Some(left.as_millis() as i32 + 1);
        }
        Some(-1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_links_than_files_are_a_wall_and_not_a_panic() {
        assert!(too_many(100, Ok(1024)).is_none());
        assert_eq!(too_many(1000, Ok(1024)).unwrap().reason, Reason::ResourceWall);
    }
}
