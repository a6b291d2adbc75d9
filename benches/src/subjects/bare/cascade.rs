//! The cascade by raw system calls, with a heap of deadlines: cancelled timers stay in it until
//! they come to the top.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use super::EVENTS;
use crate::sys;
use crate::work::{Cascade, Chain, Facts, Random, cascade_facts, laps_of};

/// The same laps as [`crate::work::cascade`], medians over them.
pub(super) fn cascade<const INTEREST: i32>(asked: &Cascade) -> Facts {
    let mut random = Random(asked.seed);
    laps_of(asked.duration, || {
        let chain = Chain::of(asked.fds).expect("pairs of sockets");
        lap::<INTEREST>(chain, &mut random)
    })
}

fn lap<const INTEREST: i32>(chain: Chain, random: &mut Random) -> Facts {
    let epoll = sys::epoll_create1().expect("epoll_create1");
    let mut timers = Timers::default();
    let mut links: Vec<Option<_>> = Vec::with_capacity(chain.links.len());
    let begin = Instant::now();
    for (index, (from, to)) in chain.links.into_iter().enumerate() {
        from.set_nonblocking(true).expect("set_nonblocking");
        to.set_nonblocking(true).expect("set_nonblocking");
        sys::epoll_add(&epoll, from.as_raw_fd(), INTEREST, index as u64).expect("epoll_ctl");
        timers
            .due
            .push(Reverse((begin + random.idle_timeout(), index)));
        links.push(Some((from, to)));
    }
    let sentinel = links.len();
    let (heard, nowhere) = chain.sentinel;
    sys::epoll_add(&epoll, heard.as_raw_fd(), INTEREST, sentinel as u64).expect("epoll_ctl");
    links.push(Some((heard, nowhere)));
    (&chain.sentinel_writer).write_all(&[1]).expect("a byte");
    let mut events = vec![sys::NO_EVENT; EVENTS];
    ripple(&epoll, &mut links, 1, &mut timers, &mut events);
    let registering = begin.elapsed();

    let begin = Instant::now();
    (&chain.first).write_all(&[1]).expect("a byte");
    let passed = ripple(&epoll, &mut links, sentinel, &mut timers, &mut events);
    cascade_facts(registering, begin.elapsed(), passed)
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
