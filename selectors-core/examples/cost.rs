//! What a select costs over the bare system call, for an instruction counter to look at.
//!
//!     cargo build --release -p selectors-core --example cost
//!     valgrind --tool=callgrind target/release/examples/cost select_with 64 1000
//!     valgrind --tool=callgrind target/release/examples/cost select_with 64 2000
//!
//! The difference of the two totals is 1000 selects of 64 ready keys; `bare` in the place of
//! `select_with` is the same loop around epoll_wait(2). The forms are `bare`, `select_with`,
//! `select`, `select_only` (nothing done with the events), and `boxed` (select_with of a selector chosen at run time).

use std::hint::black_box;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use selectors_core::{Backend, EVENT_READ, EpollSelector, Notifier};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [form, ready, rounds] = &arguments[..] else {
        eprintln!("usage: cost bare|select_with|select|select_only|boxed READY ROUNDS");
        std::process::exit(2);
    };
    let (Ok(ready), Ok(rounds)) = (ready.parse::<usize>(), rounds.parse::<u32>()) else {
        eprintln!("cost: READY and ROUNDS are numbers");
        std::process::exit(2);
    };
    // Notified once and never cleared: ready for ever.
    let notifiers: Vec<Notifier> = (0..ready).map(|_| Notifier::new().unwrap()).collect();
    for notifier in &notifiers {
        notifier.notify().unwrap();
    }
    let total = match form.as_str() {
        "bare" => bare(&notifiers, rounds),
        "select_with" => {
            let mut selector = EpollSelector::new().unwrap();
            for notifier in &notifiers {
                selector.register(notifier, EVENT_READ, 1u64).unwrap();
            }
            let mut total = 0;
            for _ in 0..rounds {
                let count = |_, key: &selectors_core::SelectorKey<_, u64>, readiness: _| {
                    black_box(&readiness);
                    total += key.data;
                };
                selector.select_with(NOW, count).unwrap();
            }
            total
        }
        "boxed" => {
            let mut selector = Backend::Epoll.selector().unwrap();
            for notifier in &notifiers {
                selector.register(notifier, EVENT_READ, 1u64).unwrap();
            }
            let mut total = 0;
            for _ in 0..rounds {
                let count = |_, key: &selectors_core::SelectorKey<_, u64>, readiness: _| {
                    black_box(&readiness);
                    total += key.data;
                };
                selector.select_with(NOW, count).unwrap();
            }
            total
        }
        "select_only" => {
            let mut selector = EpollSelector::new().unwrap();
            for notifier in &notifiers {
                selector.register(notifier, EVENT_READ, 1u64).unwrap();
            }
            let (mut total, mut events) = (0, Vec::new());
            for _ in 0..rounds {
                total += selector.select(&mut events, NOW).unwrap() as u64;
                black_box(&events);
            }
            total
        }
        "select" => {
            let mut selector = EpollSelector::new().unwrap();
            for notifier in &notifiers {
                selector.register(notifier, EVENT_READ, 1u64).unwrap();
            }
            let (mut total, mut events) = (0, Vec::new());
            for _ in 0..rounds {
                selector.select(&mut events, NOW).unwrap();
                for event in &events {
                    black_box(&event.readiness);
                    total += selector.get_key(event.token).map_or(0, |key| key.data);
                }
            }
            total
        }
        other => {
            eprintln!("cost: {other}: no such form; bare, select_with, select, select_only, boxed");
            std::process::exit(2);
        }
    };
    println!("{total} events");
}

const NOW: Option<Duration> = Some(Duration::ZERO);

/// The loop that one would write by hand: an index in the event, an array of data.
fn bare(notifiers: &[Notifier], rounds: u32) -> u64 {
    // SAFETY: takes no pointer.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    for (index, notifier) in notifiers.iter().enumerate() {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: index as u64,
        };
        let fd = notifier.as_fd().as_raw_fd();
        // SAFETY: the kernel reads one event, which lives until the call returns.
        let added = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) };
        assert_eq!(added, 0);
    }
    let data = vec![1u64; notifiers.len()];
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; notifiers.len().max(1)];
    let mut total = 0;
    for _ in 0..rounds {
        let (pointer, len) = (events.as_mut_ptr(), events.len() as i32);
        // SAFETY: the kernel writes at most `len` events.
        let n = unsafe { libc::epoll_wait(epoll, pointer, len, 0) };
        assert!(n >= 0);
        for event in &events[..n as usize] {
            black_box(event.events);
            total += data[event.u64 as usize];
        }
    }
    total
}
