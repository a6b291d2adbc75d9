//! Calls that a sandbox or an old kernel does not have: every place with a fall-back takes it, and
//! nothing else is taken for such an answer.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::support::*;
use crate::kernel::{Epoll, Poll, Select};
use crate::sys::fault;
use crate::sys::testing::Private;
use crate::{Backend, EVENT_READ, EVENT_WRITE, Error, Refusal, Script, ScriptedSelector};

/// ENOSYS is the kernel's word, EPERM that of several sandboxes.
const WITHHELD: [i32; 2] = [libc::ENOSYS, libc::EPERM];

/// The wait goes on by the older call, is never early, and is not asked again.
fn falls_back<K: TestKernel>(call: &'static str, older: &'static str) {
    for errno in WITHHELD {
        let (a, _b) = pair();
        let mut selector = selector::<K, UnixStream, _>();
        selector.register(a, EVENT_READ, ()).unwrap();
        let timeout = Duration::from_micros(1500);
        fault::inject(call, errno);
        for _ in 0..2 {
            let (start, before) = (Instant::now(), fault::count(older));
            assert_eq!(selector.select(&mut Vec::new(), Some(timeout)).unwrap(), 0);
            assert!(start.elapsed() >= timeout);
            assert!(fault::count(older) > before);
        }
        let before = fault::count(call);
        selector.select(&mut Vec::new(), Some(timeout)).unwrap();
        assert_eq!(fault::count(call), before);
        assert!(!selector.capabilities().nanosecond_timeouts);
    }
}

#[test]
fn epoll_falls_back_where_the_fine_wait_is_withheld() {
    falls_back::<Epoll>("epoll_pwait2", "epoll_wait");
}

#[test]
fn poll_falls_back_where_the_fine_wait_is_withheld() {
    falls_back::<Poll>("ppoll", "poll");
}

#[test]
fn select_falls_back_where_the_fine_wait_is_withheld() {
    falls_back::<Select>("pselect", "select");
}

#[test]
fn n6_a_backend_that_is_withheld_is_passed_over() {
    for errno in WITHHELD {
        fault::inject("epoll_create1", errno);
        assert_eq!(Backend::probe().unwrap(), Backend::Poll);
        // A sandbox may let the set be made and refuse the wait.
        fault::inject("epoll_wait", errno);
        assert_eq!(Backend::probe().unwrap(), Backend::Poll);
        fault::inject("epoll_create1", errno);
        fault::inject("poll", errno);
        assert_eq!(Backend::probe().unwrap(), Backend::Select);
    }
}

#[test]
fn n6_want_of_fds_or_memory_is_an_error_and_not_another_backend() {
    for errno in [libc::EMFILE, libc::ENFILE, libc::ENOMEM] {
        fault::inject("epoll_create1", errno);
        let failed = Backend::probe().unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(errno));
        assert!(
            failed.to_string().starts_with("epoll_create1: "),
            "{failed}"
        );
    }
}

#[test]
fn n6_a_signal_during_the_probe_says_nothing_about_the_backend() {
    fault::inject("epoll_wait", libc::EINTR);
    assert_eq!(Backend::probe().unwrap(), Backend::Epoll);
}

/// The errnos that mean something to a registration, from every call that is none.
#[test]
fn only_a_registration_is_refused_for_its_file() {
    let named = |error: &Error| {
        matches!(
            error,
            Error::Refused {
                why: Refusal::NotPollable | Refusal::TooManyWatches | Refusal::TooDeep,
                ..
            }
        )
    };
    for errno in [libc::EPERM, libc::ENOSPC, libc::ELOOP] {
        let (a, _b) = pair();
        let mut selector = selector::<Epoll, _, _>();
        fault::inject("epoll_ctl", errno);
        let refused = selector.register(&a, EVENT_READ, ()).unwrap_err().error;
        assert!(named(&refused), "{refused}");
        let token = selector.register(&a, EVENT_READ, ()).unwrap();

        fault::inject("epoll_ctl", errno);
        let other = selector.modify(token, EVENT_WRITE).unwrap_err();
        assert!(!named(&other), "{other}");
        fault::inject("epoll_ctl", errno);
        let other = selector.unregister(token).unwrap_err();
        assert!(!named(&other), "{other}");
        fault::inject("epoll_wait", errno);
        let other = selector.select(&mut Vec::new(), NOW).unwrap_err();
        assert!(!named(&other), "{other}");
        assert!(matches!(
            other,
            Error::Os {
                op: "epoll_wait",
                ..
            }
        ));

        let script = Script::new();
        let mut scripted = ScriptedSelector::play(script.clone());
        script.refuse(errno);
        let refused = scripted.register(&a, EVENT_READ, ()).unwrap_err().error;
        assert!(named(&refused), "{refused}");
        let token = scripted.register(&a, EVENT_READ, ()).unwrap();
        script.refuse(errno);
        let other = scripted.modify(token, EVENT_WRITE).unwrap_err();
        assert!(!named(&other), "{other}");
    }
}

#[test]
fn s25_more_keys_than_files_may_be_open_has_a_name() {
    let (a, _b) = pair();
    let mut selector = selector::<Poll, _, _>();
    selector.register(&a, EVENT_READ, ()).unwrap();
    for (call, timeout) in [("poll", NOW), ("ppoll", Some(Duration::from_nanos(1)))] {
        fault::inject(call, libc::EINVAL);
        let failed = selector.select(&mut Vec::new(), timeout).unwrap_err();
        assert!(
            matches!(
                failed,
                Error::Refused {
                    why: Refusal::MoreKeysThanFiles,
                    ..
                }
            ),
            "{failed}"
        );
        assert!(failed.to_string().contains("RLIMIT_NOFILE"), "{failed}");
        assert_eq!(failed.raw_os_error(), Some(libc::EINVAL));
    }
    assert_eq!(selector.get_map().len(), 1);
}

/// After EBADF the culprit is found once; whatever the second look answers, it is reported.
#[test]
fn s20_a_second_look_that_fails_does_not_swallow_the_invalid_event() {
    for errno in [libc::EINTR, libc::EBADF, libc::ENOMEM] {
        let (a, _b) = pair();
        let number = Private::new(&a);
        let mut selector = selector::<Select, _, _>();
        let token = selector.register(number.source(), EVENT_READ, ()).unwrap();
        number.close();
        fault::inject_after("pselect", 1, errno);
        let ready = ready_now(&mut selector);
        assert_eq!(ready.len(), 1, "{ready:?}");
        assert_eq!(ready[0].0, token);
        assert!(ready[0].1.is_invalid());
        assert_eq!(tokens_now(&mut selector), []);
    }
}

/// The same on kqueue: what was refused by the way is told once, though a signal ends the wait.
#[test]
fn a_signal_does_not_swallow_a_refused_change_of_kqueue() {
    use crate::Events;
    use crate::kernel::Kqueue;
    let ((a, _b), (c, _d)) = (pair(), pair());
    let mut selector = selector::<Kqueue, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    // The second filter is refused, and so is the way back of the first, sent with the next change.
    fault::inject_after("epoll_ctl", 2, libc::ENOMEM);
    assert!(selector.modify(token, Events::READ_WRITE).is_err());
    fault::inject("epoll_ctl", libc::ENOMEM);
    selector.register(&c, EVENT_READ, ()).unwrap();
    fault::inject("kevent", libc::EINTR);
    let ready = ready_now(&mut selector);
    assert_eq!(ready.len(), 1, "{ready:?}");
    assert_eq!(ready[0].0, token);
    assert!(ready[0].1.is_error());
}
