//! Keys without directions: urgent data and endings alone, and no spin on the rest.

use std::io::Write;
use std::time::{Duration, Instant};

use super::support::*;
use crate::sys::fault;
use crate::{EVENT_READ, EVENT_WRITE, Interest, Mode};

on_every_backend!(
    bytes_do_not_make_a_key_without_directions_ready,
    room_does_not_make_a_key_without_directions_ready,
);

/// A wait in which nothing is reported lasts to its end, without turning for what nobody wants.
fn waits_in_peace<K: TestKernel>(interest: Interest) {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register_interest(&a, interest, ()).unwrap();
    for _ in 0..3 {
        send(&b);
        let (start, timeout) = (Instant::now(), Duration::from_millis(20));
        let before = fault::total();
        let mut ready = Vec::new();
        selector.select(&mut ready, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout);
        assert!(ready.is_empty(), "{ready:?}");
        let calls = fault::total() - before;
        assert!(calls <= 12, "{calls} system calls in one wait: it spins");
    }
}

fn bytes_do_not_make_a_key_without_directions_ready<K: TestKernel>() {
    waits_in_peace::<K>(Interest::new(EVENT_READ).without_directions());
}

fn room_does_not_make_a_key_without_directions_ready<K: TestKernel>() {
    waits_in_peace::<K>(Interest::new(EVENT_WRITE).without_directions());
}

/// An ending is reported in spite of bytes that wait, and by a level key for as long as it lasts.
#[cfg(not(winsock))]
fn an_ending_is_reported<K: TestKernel>(mode: Mode) -> Vec<usize> {
    let (a, b) = pair();
    fill(&a);
    let mut selector = selector::<K, _, _>();
    let interest = Interest::new(EVENT_WRITE).without_directions().mode(mode);
    let token = selector.register_interest(&a, interest, ()).unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    drop(b);
    assert!((&a).write(b"x").is_err());
    let reports = (0..3).map(|_| ready_now(&mut selector)).map(|ready| {
        for (of, readiness) in &ready {
            assert_eq!(*of, token);
            assert!(readiness.is_hangup() && !readiness.is_writable());
        }
        ready.len()
    });
    reports.collect()
}

#[cfg(not(winsock))]
#[test]
fn an_ending_that_lasts_is_reported_by_level_until_it_is_heard() {
    use crate::kernel::{Devpoll, Epoll, Kqueue, Poll};
    #[cfg(uring)]
    if has_ring() {
        use crate::kernel::Uring;
        assert_eq!(an_ending_is_reported::<Uring>(Mode::Level), [1, 1, 1]);
        assert_eq!(an_ending_is_reported::<Uring>(Mode::Edge), [1, 0, 0]);
        assert_eq!(an_ending_is_reported::<Uring>(Mode::Oneshot), [1, 0, 0]);
    }
    assert_eq!(an_ending_is_reported::<Poll>(Mode::Level), [1, 1, 1]);
    assert_eq!(an_ending_is_reported::<Epoll>(Mode::Level), [1, 1, 1]);
    assert_eq!(an_ending_is_reported::<Devpoll>(Mode::Level), [1, 1, 1]);
    assert_eq!(an_ending_is_reported::<Kqueue>(Mode::Level), [1, 1, 1]);
    assert_eq!(an_ending_is_reported::<Epoll>(Mode::Edge), [1, 0, 0]);
    assert_eq!(an_ending_is_reported::<Kqueue>(Mode::Edge), [1, 0, 0]);
    assert_eq!(an_ending_is_reported::<Poll>(Mode::Oneshot), [1, 0, 0]);
    assert_eq!(an_ending_is_reported::<Epoll>(Mode::Oneshot), [1, 0, 0]);
    assert_eq!(an_ending_is_reported::<Devpoll>(Mode::Oneshot), [1, 0, 0]);
    assert_eq!(an_ending_is_reported::<Kqueue>(Mode::Oneshot), [1, 0, 0]);
}
