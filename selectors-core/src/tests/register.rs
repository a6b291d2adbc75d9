//! Rows R1 to R13: register.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use super::support::*;
#[cfg(not(winsock))]
use crate::EpollSelector;
#[cfg(not(winsock))]
use crate::kernel::{Epoll, Kqueue, OwnFd, Select};
use crate::kernel::{Kernel, Open};
use crate::os::{AsFd, AsRawFd, BorrowedFd};
use crate::sys::fault;
#[cfg(not(winsock))]
use crate::sys::testing::{Private, dup_from, raw};
use crate::{Backend, EVENT_READ, EVENT_WRITE, Error, Events, Interest, Mode, Readiness, Refusal};

on_every_backend!(
    r1_the_key_holds_what_was_registered,
    r6_a_duplicate_is_a_key_of_its_own,
    a_mode_that_is_not_offered_is_unsupported,
    ; but_on_windows:
    r7_f5_a_closed_number_is_refused_by_every_backend,
    who_is_open_for_certain_is_not_looked_at,
    r8_files_that_are_always_ready,
    r9_a_selector_nests_in_another,
    r13_numbers_beyond_fd_setsize_work,
);

fn r1_the_key_holds_what_was_registered<K: TestKernel>() {
    let (a, _b) = pair();
    let fd = a.as_raw_fd();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, Events::READ_WRITE, "data").unwrap();
    let key = selector.get_key(token).unwrap();
    assert_eq!(key.fileobj.as_raw_fd(), fd);
    assert_eq!(
        (key.fd, key.events, key.data),
        (fd, Some(Events::READ_WRITE), "data")
    );
    assert!(std::ptr::eq(key, selector.get_map().get(token).unwrap()));
}

fn r6_a_duplicate_is_a_key_of_its_own<K: TestKernel>() {
    let (a, b) = pair();
    let dup = a.try_clone().unwrap();
    let mut selector = selector::<K, _, _>();
    let first = selector.register(&a, EVENT_READ, 1).unwrap();
    let second = selector.register(&dup, EVENT_READ, 2).unwrap();
    send(&b);
    let mut expected = [first, second];
    expected.sort_unstable();
    assert_eq!(tokens_now(&mut selector), expected);
    selector.unregister(first).unwrap();
    assert_eq!(tokens_now(&mut selector), [second]);
}

#[cfg(not(winsock))]
fn r7_f5_a_closed_number_is_refused_by_every_backend<K: TestKernel>() {
    let (a, _b) = pair();
    let number = Private::new(&a);
    number.close();
    let mut selector = selector::<K, _, _>();
    let failed = selector
        .register(number.source(), EVENT_READ, "data")
        .unwrap_err();
    assert_eq!(
        failed.error.raw_os_error(),
        Some(libc::EBADF),
        "{}",
        failed.error
    );
    assert!(
        failed
            .to_string()
            .contains(&format!("fd {}", number.number())),
        "{failed}"
    );
    assert_eq!(
        (failed.fileobj.as_fd().as_raw_fd(), failed.data),
        (number.number(), "data")
    );
    assert!(selector.get_map().is_empty());
}

/// No call beyond what tells the kernel. Of one who is closed after all nobody hears anything but that.
#[cfg(not(winsock))]
fn who_is_open_for_certain_is_not_looked_at<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let before = fault::count("fcntl");
    let interest = Interest::new(EVENT_READ);
    let token = selector.register_open(a.as_fd(), a.as_fd(), interest, ());
    let token = token.unwrap();
    assert_eq!(fault::count("fcntl"), before);
    assert_eq!(tokens_now(&mut selector), []);
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
    selector.unregister(token).unwrap();

    let number = Private::new(&a);
    number.close();
    // The second is beyond the process's table of files, where select(2) does not look.
    let sources = [number.source(), raw(BEYOND).unwrap()];
    for source in &sources {
        match selector.register_open(source.as_fd(), source.as_fd(), interest, ()) {
            Ok(token) => {
                let ready = ready_now(&mut selector);
                assert!(ready.len() == 1 && ready[0].0 == token && ready[0].1.is_invalid());
                assert_eq!(tokens_now(&mut selector), []);
                selector.unregister(token).unwrap();
            }
            Err(failed) => assert_eq!(failed.error.raw_os_error(), Some(libc::EBADF)),
        }
    }
}

/// A number that no test has had open.
#[cfg(not(winsock))]
const BEYOND: i32 = 100_000;

/// It is found when a wait ends, by its time or by others, who are not reported for it.
#[cfg(not(winsock))]
#[test]
fn a_number_that_select_does_not_look_at_is_invalid_when_its_wait_ends() {
    let ((a, b), (c, _d)) = (pair(), pair());
    let source = raw(BEYOND).unwrap();
    let mut selector = selector::<Select, _, _>();
    let [reads, writes] = [EVENT_READ, EVENT_WRITE].map(Interest::new);
    let ready = selector.register_open(a.as_fd(), a.as_fd(), reads, ());
    let ready = ready.unwrap();
    selector
        .register_open(c.as_fd(), c.as_fd(), reads, ())
        .unwrap();
    let made_up = selector.register_open(source.as_fd(), source.as_fd(), writes, ());
    let made_up = made_up.unwrap();
    let mut found = Vec::new();
    let one_wait = Some(Duration::from_millis(2));
    assert_eq!(
        selector.select_interruptible(&mut found, one_wait).unwrap(),
        1
    );
    assert!(found[0].token == made_up && found[0].readiness.is_invalid());

    selector.modify(made_up, EVENT_READ).unwrap();
    send(&b);
    let told = ready_now(&mut selector);
    assert_eq!(told.len(), 2);
    assert!(told.contains(&(ready, Readiness::READABLE)));
    assert!(
        told.iter()
            .any(|told| told.0 == made_up && told.1.is_invalid())
    );
    assert_eq!(tokens_now(&mut selector), [ready]);
}

#[cfg(not(winsock))]
fn r8_files_that_are_always_ready<K: TestKernel>() {
    for path in [
        env!("CARGO_MANIFEST_DIR"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ] {
        let mut selector = selector::<K, _, _>();
        match selector.register(File::open(path).unwrap(), EVENT_READ, ()) {
            // epoll says EPERM; so does the double of kqueue, being made of epoll.
            Err(failed) => {
                assert!(matches!(
                    selector.backend(),
                    Backend::Epoll | Backend::Kqueue
                ));
                assert!(matches!(
                    failed.error,
                    Error::Refused {
                        why: Refusal::NotPollable,
                        ..
                    }
                ));
                assert_eq!(failed.error.kind(), io::ErrorKind::PermissionDenied);
                assert!(selector.get_map().is_empty());
            }
            Ok(token) => assert_eq!(ready_now(&mut selector)[0].0, token),
        }
    }
}

#[cfg(not(winsock))]
fn r9_a_selector_nests_in_another<K: TestKernel>() {
    let (a, b) = pair();
    let mut inner = EpollSelector::new().unwrap();
    inner.register(a, EVENT_READ, ()).unwrap();
    let mut outer = selector::<K, BorrowedFd<'_>, _>();
    let token = outer.register(inner.as_fd(), EVENT_READ, ()).unwrap();
    assert_eq!(tokens_now(&mut outer), []);
    send(&b);
    assert_eq!(tokens_now(&mut outer), [token]);
    drop(outer);
    assert_eq!(tokens_now(&mut inner).len(), 1);
}

/// Each epoll selector that is watched is two sets, of which the kernel takes a chain of five.
#[cfg(not(winsock))]
#[test]
fn r9_epoll_selectors_nest_three_deep() {
    let (a, b) = pair();
    let mut innermost = EpollSelector::new().unwrap();
    innermost.register(a, EVENT_READ, ()).unwrap();
    let mut chain = vec![];
    let mut watched = innermost.as_fd().try_clone_to_owned().unwrap();
    for _ in 0..2 {
        let mut outer = EpollSelector::new().unwrap();
        outer.register(watched, EVENT_READ, ()).unwrap();
        watched = outer.as_fd().try_clone_to_owned().unwrap();
        chain.push(outer);
    }
    send(&b);
    for selector in &mut chain {
        assert_eq!(tokens_now(selector).len(), 1);
    }
    let refused = EpollSelector::new()
        .unwrap()
        .register(watched, EVENT_READ, ())
        .unwrap_err();
    assert!(
        matches!(
            refused.error,
            Error::Refused {
                why: Refusal::TooDeep,
                ..
            }
        ),
        "{refused}"
    );
}

#[cfg(not(winsock))]
#[test]
fn r9_a_set_that_watches_itself_or_a_loop_is_refused_by_name() {
    let number = Private::new(io::stdin());
    let mut kernel = Epoll::open().unwrap();
    let own = kernel.own_fd().as_raw_fd();
    let token = crate::Token::new(own, 1);
    let refused = kernel.add(token, Interest::new(EVENT_READ)).unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Refused {
                why: Refusal::WatchesItself,
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(refused.raw_os_error(), Some(libc::ELOOP));

    let mut kernel_of_number = Epoll::open().unwrap();
    number.reuse(kernel_of_number.own_fd());
    let inner = crate::Token::new(own, 1);
    kernel_of_number
        .add(inner, Interest::new(EVENT_READ))
        .unwrap();
    let outer = crate::Token::new(number.number(), 2);
    let refused = kernel.add(outer, Interest::new(EVENT_READ)).unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Refused {
                why: Refusal::TooDeep,
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(refused.raw_os_error(), Some(libc::ELOOP));
}

#[cfg(not(winsock))]
#[test]
fn r10_kernel_limits_are_reported_by_name_and_rolled_back() {
    let (a, _b) = pair();
    let mut selector = EpollSelector::new().unwrap();
    for (errno, why) in [
        (libc::ENOSPC, Refusal::TooManyWatches),
        (libc::EPERM, Refusal::NotPollable),
    ] {
        fault::inject("epoll_ctl", errno);
        let failed = selector.register(&a, EVENT_READ, 7).unwrap_err();
        match &failed.error {
            Error::Refused {
                why: named, op, fd, ..
            } => {
                assert_eq!(
                    (*named, *op, *fd),
                    (why, "epoll_ctl add", Some(a.as_raw_fd()))
                );
            }
            other => panic!("{other}"),
        }
        assert_eq!(failed.data, 7);
        assert!(selector.get_map().is_empty());
    }
    fault::inject("epoll_create1", libc::EMFILE);
    let refused = EpollSelector::<File, ()>::new().unwrap_err();
    assert!(matches!(
        refused,
        Error::Refused {
            why: Refusal::TooManyFiles,
            ..
        }
    ));
}

#[cfg(not(winsock))]
#[test]
fn r11_a_number_that_the_kernel_still_has_is_refused_and_rolled_back() {
    let (a, b) = pair();
    let number = Private::new(&a);
    let mut selector = EpollSelector::new().unwrap();
    let token = selector.register(number.source(), EVENT_READ, ()).unwrap();
    number.close();
    // The kernel entry stays, because `a` keeps the description open and the number is gone.
    selector.unregister(token).unwrap();
    number.reuse(&a);
    let failed = selector
        .register(number.source(), EVENT_READ, ())
        .unwrap_err();
    assert_eq!(failed.error.raw_os_error(), Some(libc::EEXIST));
    assert!(selector.get_map().is_empty());
    // Its first report gives it away, and the next registration succeeds.
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    let token = selector.register(number.source(), EVENT_READ, ()).unwrap();
    assert_eq!(tokens_now(&mut selector), [token]);
}

#[cfg(not(winsock))]
#[test]
fn r12_a_half_failed_register_leaves_no_filter_behind() {
    let (a, b) = pair();
    let mut selector = selector::<Kqueue, _, _>();
    // The double adds the read filter, then fails at the write filter.
    fault::inject_after("epoll_ctl", 1, libc::ENOMEM);
    let failed = selector.register(&a, Events::READ_WRITE, ()).unwrap_err();
    assert_eq!(failed.error.raw_os_error(), Some(libc::ENOMEM));
    send(&b);
    // A filter that was left behind would end this wait, with an event of nobody.
    let (start, timeout) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(
        selector
            .select_interruptible(&mut Vec::new(), Some(timeout))
            .unwrap(),
        0
    );
    assert!(start.elapsed() >= timeout);
    let token = selector.register(&a, EVENT_WRITE, ()).unwrap();
    assert_eq!(masks_now(&mut selector), [2]);
    selector.unregister(token).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
}

#[cfg(not(winsock))]
fn r13_numbers_beyond_fd_setsize_work<K: TestKernel>() {
    let (a, b) = pair();
    // Where the limit of open files is low there is no such number to try.
    let Ok(high) = dup_from(a.as_fd(), 1500) else {
        return;
    };
    let mut selector = selector::<K, _, _>();
    let token = selector.register(high, EVENT_READ, ()).unwrap();
    assert!(token.fd() >= 1500);
    assert_eq!(tokens_now(&mut selector), []);
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
}

fn a_mode_that_is_not_offered_is_unsupported<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let offered = selector.capabilities();
    for (mode, works) in [
        (Mode::Edge, offered.edge),
        (Mode::Oneshot, offered.oneshot),
        (Mode::EdgeOneshot, offered.edge && offered.oneshot),
    ] {
        match selector.register_with(&a, EVENT_READ, mode, ()) {
            Ok(token) => {
                assert!(works, "{mode:?}");
                selector.unregister(token).unwrap();
            }
            Err(failed) => {
                assert!(!works, "{mode:?}");
                let text = failed.to_string();
                assert!(text.contains(selector.backend().name()), "{text}");
                assert_eq!(failed.error.kind(), io::ErrorKind::Unsupported);
            }
        }
    }
    let asked = Interest::new(EVENT_READ).priority();
    assert_eq!(
        selector.register_interest(&a, asked, ()).is_ok(),
        offered.priority
    );
}
