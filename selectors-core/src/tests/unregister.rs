//! Rows U1 to U9: unregister, and what becomes of closed, reused and duplicated numbers.

use std::time::{Duration, Instant};

use super::support::*;
#[cfg(not(winsock))]
use crate::EpollSelector;
use crate::os::AsFd;
use crate::sys::fault;
#[cfg(not(winsock))]
use crate::sys::testing::Private;
use crate::{Backend, EVENT_READ, EVENT_WRITE, Error};

on_every_backend!(
    u1_the_key_comes_back_and_the_kernel_is_told,
    who_is_unregistered_to_be_closed_is_heard_no_more,
    ; but_on_windows:
    u3_a_token_of_nobody_is_not_registered,
    u4_a_closed_number_unregisters,
    u5_a_reused_number_unregisters_and_the_new_file_is_left_alone,
    u6_a_duplicate_of_a_closed_number_cannot_make_a_wait_spin,
    u6_a_reused_number_with_an_orphan_is_watched_for_its_own_file,
);

fn u1_the_key_comes_back_and_the_kernel_is_told<K: TestKernel>() {
    let (a, b) = pair();
    let dup = a.try_clone().unwrap();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, "data").unwrap();
    assert_eq!(selector.unregister(token).unwrap().data, "data");
    // The file object is dropped, but a duplicate keeps the file open: only a kernel that was told
    // before is silent now.
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    drop(dup);
}

/// Closed as promised, or alive by a duplicate: its events are nobody's, and the next file, which has
/// its number, has its own.
fn who_is_unregistered_to_be_closed_is_heard_no_more<K: TestKernel>() {
    for duplicated in [false, true, true] {
        let (a, b) = pair();
        let mut selector = selector::<K, _, _>();
        let duplicate = duplicated.then(|| a.try_clone().unwrap());
        let token = selector.register(a, EVENT_READ, "old").unwrap();
        let key = selector.unregister_to_close(token).unwrap();
        assert_eq!(key.data, "old");
        drop(key);
        assert!(selector.unregister_to_close(token).is_err());
        let (c, d) = pair();
        let new = selector.register(c, EVENT_READ, "new").unwrap();
        if duplicate.is_some() {
            send(&b);
        }
        for _ in 0..2 {
            assert_eq!(tokens_now(&mut selector), []);
        }
        send(&d);
        assert_eq!(tokens_now(&mut selector), [new]);
    }
}

#[cfg(not(winsock))]
fn u3_a_token_of_nobody_is_not_registered<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, std::os::unix::net::UnixStream, ()>();
    let mut other = self::selector::<K, _, ()>();
    let token = other.register(a, EVENT_READ, ()).unwrap();
    match selector.unregister(token) {
        Err(Error::NotRegistered(fd)) => assert_eq!(fd, token.fd()),
        other => panic!("{other:?}"),
    }
}

#[cfg(not(winsock))]
fn u4_a_closed_number_unregisters<K: TestKernel>() {
    let (a, _b) = pair();
    let number = Private::new(&a);
    drop(a);
    let mut selector = selector::<K, _, _>();
    let token = selector
        .register(number.source(), EVENT_READ, "data")
        .unwrap();
    number.close();
    assert_eq!(selector.unregister(token).unwrap().data, "data");
    assert_eq!(tokens_now(&mut selector), []);
}

#[cfg(not(winsock))]
fn u5_a_reused_number_unregisters_and_the_new_file_is_left_alone<K: TestKernel>() {
    let ((a, _b), (c, d)) = (pair(), pair());
    let number = Private::new(&a);
    drop(a);
    let mut selector = selector::<K, _, _>();
    let old = selector
        .register(number.source(), EVENT_READ, "old")
        .unwrap();
    number.reuse(&c);
    selector.unregister(old).unwrap();
    let new = selector
        .register(number.source(), EVENT_READ, "new")
        .unwrap();
    // The old token must not reach the new registration.
    assert!(selector.unregister(old).is_err());
    assert!(selector.modify(old, EVENT_WRITE).is_err());
    send(&d);
    assert_eq!(tokens_now(&mut selector), [new]);
}

#[cfg(not(winsock))]
fn u6_a_duplicate_of_a_closed_number_cannot_make_a_wait_spin<K: TestKernel>() {
    let ((a, b), (c, d)) = (pair(), pair());
    let number = Private::new(&a);
    let mut selector = selector::<K, _, _>();
    let good = selector.register(c.as_fd(), EVENT_READ, "good").unwrap();
    let source = number.source();
    let bad = selector
        .register(source.as_fd(), EVENT_READ, "bad")
        .unwrap();
    number.close();
    selector.unregister(bad).unwrap();
    send(&b);
    // The orphan may end one wait of the kernel, never another one.
    let mut ready = Vec::new();
    assert_eq!(selector.select_interruptible(&mut ready, NOW).unwrap(), 0);
    let (start, timeout) = (Instant::now(), Duration::from_millis(50));
    assert_eq!(
        selector
            .select_interruptible(&mut ready, Some(timeout))
            .unwrap(),
        0
    );
    assert!(
        start.elapsed() >= timeout,
        "the wait ended early: it would spin"
    );
    send(&d);
    assert_eq!(tokens_now(&mut selector), [good]);
}

#[cfg(not(winsock))]
fn u6_a_reused_number_with_an_orphan_is_watched_for_its_own_file<K: TestKernel>() {
    let ((a, b), (c, d)) = (pair(), pair());
    let number = Private::new(&a);
    let mut selector = selector::<K, _, _>();
    let old = selector
        .register(number.source(), EVENT_READ, "old")
        .unwrap();
    number.close();
    selector.unregister(old).unwrap();
    number.reuse(&c);
    let new = selector
        .register(number.source(), EVENT_READ, "new")
        .unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    let (start, timeout) = (Instant::now(), Duration::from_millis(50));
    let mut ready = Vec::new();
    assert_eq!(
        selector
            .select_interruptible(&mut ready, Some(timeout))
            .unwrap(),
        0
    );
    assert!(
        start.elapsed() >= timeout,
        "the wait ended early: it would spin"
    );
    send(&d);
    assert_eq!(tokens_now(&mut selector), [new]);
}

#[cfg(not(winsock))]
#[test]
fn u6_the_rebuilt_set_keeps_its_number_and_every_mode() {
    use crate::Mode;
    let ((a, b), (c, d)) = (pair(), pair());
    let number = Private::new(&a);
    let mut selector = EpollSelector::new().unwrap();
    let own = crate::os::AsRawFd::as_raw_fd(&selector.as_fd());
    let source = number.source();
    let old = selector.register(source.as_fd(), EVENT_READ, ()).unwrap();
    let edge = selector
        .register_with(c.as_fd(), EVENT_READ, Mode::Edge, ())
        .unwrap();
    let parked = selector.register(d.as_fd(), EVENT_WRITE, ()).unwrap();
    selector.park(parked).unwrap();
    number.close();
    selector.unregister(old).unwrap();
    let again = number.number();
    number.reuse(&c);
    let source = number.source();
    let new = selector.register(source.as_fd(), EVENT_WRITE, ()).unwrap();
    assert_eq!(new.fd(), again);
    send(&b);
    assert_eq!(tokens_now(&mut selector), [new]);
    assert_eq!(crate::os::AsRawFd::as_raw_fd(&selector.as_fd()), own);
    send(&d);
    assert!(tokens_now(&mut selector).contains(&edge));
    assert!(!tokens_now(&mut selector).contains(&edge));
    assert!(!tokens_now(&mut selector).contains(&parked));
}

#[cfg(not(winsock))]
#[test]
fn u4_gh83420_only_closed_and_unknown_are_swallowed() {
    let (a, _b) = pair();
    let mut selector = EpollSelector::new().unwrap();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    fault::inject("epoll_ctl", libc::ENOMEM);
    let failed = selector.unregister(token).unwrap_err();
    assert_eq!(failed.raw_os_error(), Some(libc::ENOMEM));
    assert!(
        failed.to_string().starts_with("epoll_ctl del fd "),
        "{failed}"
    );
    assert!(selector.get_key(token).is_some(), "the key stays");
    selector.unregister(token).unwrap();
    for errno in [libc::EBADF, libc::ENOENT] {
        let mut selector = EpollSelector::new().unwrap();
        let token = selector.register(&a, EVENT_READ, ()).unwrap();
        fault::inject("epoll_ctl", errno);
        selector.unregister(token).unwrap();
        assert!(selector.get_key(token).is_none());
    }
}

#[cfg(not(winsock))]
#[test]
fn u7_kqueue_deletes_each_filter_and_forgives_each() {
    let (a, b) = pair();
    let mut selector = selector::<crate::kernel::Kqueue, _, _>();
    let token = selector
        .register(&a, crate::Events::READ_WRITE, ())
        .unwrap();
    send(&b);
    assert_eq!(masks_now(&mut selector), [3]);
    selector.unregister(token).unwrap();
    // Both deletions travel with this wait; neither ends it.
    let (start, timeout) = (Instant::now(), Duration::from_millis(20));
    let mut ready = Vec::new();
    assert_eq!(
        selector
            .select_interruptible(&mut ready, Some(timeout))
            .unwrap(),
        0
    );
    assert!(start.elapsed() >= timeout);
}

#[cfg(not(winsock))]
#[test]
fn u8_devpoll_removes_at_once_so_that_the_number_may_close() {
    let (a, _b) = pair();
    let mut selector = selector::<crate::kernel::Devpoll, _, _>();
    assert_eq!(selector.backend(), Backend::Devpoll);
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let writes = fault::count("write");
    selector.unregister(token).unwrap();
    assert_eq!(fault::count("write"), writes + 1);
}
