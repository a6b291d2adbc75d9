//! The forms of register and select beyond Python's: parked from the beginning, a few events at a time,
//! until a deadline.

use std::time::Duration;

use super::support::*;
use crate::{
    DefaultSelector, EVENT_READ, EVENT_WRITE, Error, Interest, Mode, Readiness, RegisterError,
    Script, ScriptedSelector,
};

on_every_backend!(
    a_key_that_begins_parked_is_checked_like_any_other,
    a_few_at_a_time_reports_each_key_once_before_any_comes_again,
    a_few_at_a_time_reports_nobody_who_is_gone_or_parked_meanwhile,
    ; but_on_windows:
    a_key_that_begins_parked_is_told_to_the_kernel_when_it_resumes,
    a_pipe_without_reader_is_closed_for_writing,
);

#[cfg(not(winsock))]
fn a_key_that_begins_parked_is_told_to_the_kernel_when_it_resumes<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let before = crate::sys::fault::count("epoll_ctl");
    let token = selector.register_parked(a, 7).unwrap();
    assert_eq!(crate::sys::fault::count("epoll_ctl"), before);
    assert!(selector.get_key(token).unwrap().is_parked());
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    // Parking and unregistering what the kernel has never heard of is no error.
    selector.park(token).unwrap();
    selector
        .modify_interest(token, Interest::new(EVENT_READ).mode(Mode::Level))
        .unwrap();
    assert_eq!(tokens_now(&mut selector), [token]);
    selector.park(token).unwrap();
    drop(b);
    assert_eq!(tokens_now(&mut selector), []);
    assert_eq!(selector.unregister(token).unwrap().data, 7);
}

fn a_key_that_begins_parked_is_checked_like_any_other<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register_parked(&a, 1).unwrap();
    let refused: RegisterError<_, _> = selector.register_parked(&a, 2).unwrap_err();
    assert!(matches!(refused.error, Error::AlreadyRegistered(_)));
    assert_eq!(refused.data, 2);
    assert!(selector.register(&a, EVENT_READ, 3).is_err());
    assert_eq!(selector.unregister(token).unwrap().data, 1);
    selector.register_parked(&a, 4).unwrap();
}

#[cfg(not(winsock))]
#[test]
fn a_closed_number_cannot_begin_parked() {
    let mut selector = DefaultSelector::new().unwrap();
    let closed = crate::sys::testing::raw(1_000_000).unwrap();
    let refused = selector.register_parked(closed, ()).unwrap_err();
    assert_eq!(refused.error.raw_os_error(), Some(libc::EBADF));
    assert!(selector.get_map().is_empty());
}

fn a_few_at_a_time_reports_each_key_once_before_any_comes_again<K: TestKernel>() {
    let sockets: Vec<_> = (0..5).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    for (a, _) in &sockets {
        selector.register(a, EVENT_WRITE, ()).unwrap();
    }
    let mut ready = Vec::new();
    for _ in 0..3 {
        let mut seen = Vec::new();
        for most in [2, 2, 0] {
            let found = selector.select_at_most(&mut ready, most, NOW).unwrap();
            assert_eq!((found, found), (most.max(1), ready.len()));
            seen.extend(ready.iter().map(|event| event.token));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 5);
    }
    // Another form reports what is left, and the kernel is asked again after that.
    assert_eq!(selector.select_at_most(&mut ready, 1, NOW).unwrap(), 1);
    assert_eq!(tokens_now(&mut selector).len(), 4);
    assert_eq!(tokens_now(&mut selector).len(), 5);
}

fn a_few_at_a_time_reports_nobody_who_is_gone_or_parked_meanwhile<K: TestKernel>() {
    let sockets: Vec<_> = (0..4).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    for (a, _) in &sockets {
        selector.register(a, EVENT_WRITE, ()).unwrap();
    }
    let mut ready = Vec::new();
    selector.select_at_most(&mut ready, 1, NOW).unwrap();
    let mut others: Vec<_> = selector.get_map().iter().map(|(token, _)| token).collect();
    others.retain(|token| *token != ready[0].token);
    selector.park(others[0]).unwrap();
    let key = selector.unregister(others[1]).unwrap();
    let again = selector.register(key.fileobj, EVENT_WRITE, ()).unwrap();
    let calls = crate::sys::fault::total();
    assert_eq!(tokens_now(&mut selector), [others[2]]);
    assert_eq!(crate::sys::fault::total(), calls, "the kernel told nothing");
    let mut expected = vec![ready[0].token, others[2], again];
    expected.sort_unstable();
    assert_eq!(tokens_now(&mut selector), expected);
}

#[cfg(not(winsock))]
fn a_pipe_without_reader_is_closed_for_writing<K: TestKernel>() {
    let (reader, writer) = pipe();
    let mut selector = selector::<K, _, _>();
    let offered = selector.capabilities().conditions;
    selector.register(writer, EVENT_WRITE, ()).unwrap();
    assert!(!ready_now(&mut selector)[0].1.is_write_closed());
    drop(reader);
    let [(_, readiness)] = ready_now(&mut selector)[..] else {
        panic!("one key, one event")
    };
    assert!(readiness.is_writable());
    assert_eq!(readiness.is_write_closed(), offered);
}

#[test]
fn a_deadline_stays_whatever_interrupts_the_wait() {
    let second = Duration::from_secs(1);
    let (script, mut ready) = (Script::new(), Vec::new());
    let mut selector = ScriptedSelector::play(script.clone());
    let (near, _far) = pair();
    let token = selector.register(near, EVENT_READ, ()).unwrap();
    let start = selector.now();
    let deadline = Some(start + 10 * second);
    for _ in 0..3 {
        script.interrupt_after(3 * second);
        let stopped = selector.select_until(&mut ready, deadline);
        assert!(matches!(stopped, Err(Error::Interrupted)));
    }
    // An event that nobody wants does not end it, and its end is never early.
    script.ready_after(Duration::ZERO, &[(token.fd(), Readiness::WRITABLE)]);
    assert_eq!(selector.select_until(&mut ready, deadline).unwrap(), 0);
    assert_eq!(selector.now() - start, 10 * second);
    // A deadline that has passed is a look.
    script.ready(&[(token.fd(), Readiness::READABLE)]);
    assert_eq!(selector.select_until(&mut ready, Some(start)).unwrap(), 1);
    script.ready_after(second, &[(token.fd(), Readiness::READABLE)]);
    assert_eq!(selector.select_until(&mut ready, None).unwrap(), 1);
    assert_eq!(selector.now() - start, 11 * second);
}
