//! What raw sources, and files that live on, leave in an epoll set, and how it goes without harm to anybody else.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::support::*;
use crate::kernel::{AnyKernel, Poll};
use crate::sys::fault;
use crate::sys::testing::Private;
use crate::{
    EVENT_READ, EVENT_WRITE, EpollFlags, EpollSelector, Events, Interest, Mode, RawSource,
};

type Inner = EpollSelector<RawSource, &'static str>;

/// A selector with one good key and one orphan, whose file is `a`.
fn with_orphan(a: &UnixStream, good: &Private) -> Inner {
    let number = Private::new(a);
    let mut inner = EpollSelector::new().unwrap();
    inner.register(good.source(), EVENT_READ, "good").unwrap();
    let bad = inner.register(number.source(), EVENT_READ, "bad").unwrap();
    number.close();
    inner.unregister(bad).unwrap();
    inner
}

/// However it watches, who watches from outside hears what the rebuilt set hears, and no more.
fn outside<K: TestKernel>(watch: impl FnOnce(&Inner) -> OwnedFd) {
    let ((a, b), (c, d)) = (pair(), pair());
    let good = Private::new(&c);
    let mut inner = with_orphan(&a, &good);
    let mut outer = selector::<K, _, _>();
    let token = outer.register(watch(&inner), EVENT_READ, ()).unwrap();
    assert_eq!(tokens_now(&mut outer), []);

    // The orphan reports once to nobody.
    send(&b);
    assert_eq!(tokens_now(&mut outer), [token]);
    let created = fault::count("dup3");
    assert_eq!(tokens_now(&mut inner), []);
    assert_eq!(fault::count("dup3"), created + 1, "the set was built anew");
    assert_eq!(tokens_now(&mut outer), [], "ready for ever");

    send(&d);
    assert_eq!(tokens_now(&mut outer), [token], "deaf");
    assert_eq!(tokens_now(&mut inner).len(), 1);
    drain(&c);
    assert_eq!(tokens_now(&mut outer), []);
}

#[test]
fn a_rebuilt_set_is_heard_by_who_watches_a_duplicate() {
    outside::<AnyKernel>(|inner| inner.as_fd().try_clone_to_owned().unwrap());
    outside::<Poll>(|inner| inner.fileno().unwrap().try_clone_to_owned().unwrap());
}

#[test]
fn a_rebuilt_set_is_heard_by_who_watches_its_number() {
    let ((a, b), (c, d)) = (pair(), pair());
    let good = Private::new(&c);
    let inner = std::cell::RefCell::new(with_orphan(&a, &good));
    // A second number for what is handed out, so that the outer set watches the very number.
    let number = Private::new(inner.borrow().as_fd());
    let mut outer = selector::<AnyKernel, _, _>();
    let token = outer.register(number.source(), EVENT_READ, ()).unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut inner.borrow_mut()), []);
    assert_eq!(tokens_now(&mut outer), []);
    send(&d);
    assert_eq!(tokens_now(&mut outer), [token]);
}

/// Another set that watches the set itself, by edge, hears of every new event after the rebuild.
#[test]
fn a_rebuilt_set_tells_edges_too() {
    let ((a, b), (c, d)) = (pair(), pair());
    let good = Private::new(&c);
    let mut inner = with_orphan(&a, &good);
    let mut outer = EpollSelector::new().unwrap();
    let watched = inner.as_fd().try_clone_to_owned().unwrap();
    let token = outer
        .register_with(watched, EVENT_READ, Mode::Edge, ())
        .unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut outer), [token]);
    assert_eq!(tokens_now(&mut inner), []);
    for _ in 0..3 {
        send(&d);
        assert_eq!(tokens_now(&mut outer), [token]);
        assert_eq!(tokens_now(&mut inner).len(), 1);
        drain(&c);
        assert_eq!(tokens_now(&mut inner), []);
    }
}

/// A key whose number another file has taken was silent, and stays so: nobody registered that file.
#[test]
fn a_rebuilt_set_does_not_watch_a_number_that_another_file_has_taken() {
    let ((a, b), (c, d), (e, f)) = (pair(), pair(), pair());
    let (taken, good) = (Private::new(&c), Private::new(&e));
    let mut selector = with_orphan(&a, &good);
    let flags = EpollFlags::EXCLUSIVE;
    let (x, y) = pair();
    let exclusive = Private::new(&x);
    selector
        .register_flags(
            exclusive.source(),
            Interest::new(EVENT_READ),
            flags,
            "exclusive",
        )
        .unwrap();
    selector
        .register(taken.source(), EVENT_READ, "taken")
        .unwrap();
    drop(c);
    let (other, theirs) = pair();
    taken.reuse(&other);
    send(&theirs);
    assert_eq!(tokens_now(&mut selector), []);
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    // The set is a new one now.
    assert_eq!(tokens_now(&mut selector), []);
    for peer in [&f, &y] {
        send(peer);
    }
    let mut data = Vec::new();
    selector
        .select_with(NOW, |_, key, _| data.push(key.data))
        .unwrap();
    data.sort_unstable();
    assert_eq!(data, ["exclusive", "good"]);
    drop(d);
}

/// A rebuild that fails half-way loses no key, and is tried again.
#[test]
fn a_rebuild_that_fails_loses_no_key() {
    for (call, skip) in [("epoll_create1", 0), ("epoll_ctl", 2), ("dup3", 0)] {
        let ((a, b), (c, d)) = (pair(), pair());
        let good = Private::new(&c);
        let mut selector = with_orphan(&a, &good);
        send(&b);
        fault::inject_after(call, skip, libc::ENOMEM);
        let failed = selector.select(&mut Vec::new(), NOW).unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(libc::ENOMEM), "{call}");
        assert_eq!(tokens_now(&mut selector), [], "{call}");
        send(&d);
        assert_eq!(tokens_now(&mut selector).len(), 1, "{call}");
    }
}

/// What is ready beside an orphan is reported although the orphan cannot be got rid of yet.
#[test]
fn a_rebuild_that_fails_hides_no_event() {
    let ((a, b), (c, d)) = (pair(), pair());
    let good = Private::new(&c);
    let mut selector = with_orphan(&a, &good);
    let edge = Interest::new(EVENT_READ).mode(Mode::Edge);
    let (token, _) = selector.get_key_by_fd(good.number()).unwrap();
    selector.modify_interest(token, edge).unwrap();
    send(&b);
    send(&d);
    fault::inject("epoll_create1", libc::EMFILE);
    assert_eq!(tokens_now(&mut selector), [token]);
}

/// The one case in which who watches from outside goes deaf: at the first look at the set's fd there
/// was no fd left for a front, so the set itself was handed out.
#[test]
fn without_an_fd_for_a_front_the_set_itself_is_handed_out() {
    let (a, b) = pair();
    let mut inner = EpollSelector::new().unwrap();
    inner.register(&a, Events::READ, ()).unwrap();
    let mut outer = selector::<AnyKernel, _, _>();
    fault::inject("epoll_create1", libc::EMFILE);
    let own = inner.as_fd().try_clone_to_owned().unwrap();
    let token = outer.register(own, EVENT_READ, ()).unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut outer), [token]);
    assert_eq!(tokens_now(&mut inner).len(), 1);
}

/// Who keeps the old set open (here by a duplicate, else a forked child) does not keep its orphan in
/// the front.
#[test]
fn a_rebuilt_set_is_heard_though_the_old_one_lives_on() {
    let ((a, b), (c, d)) = (pair(), pair());
    let good = Private::new(&c);
    let mut inner = with_orphan(&a, &good);
    fault::inject("epoll_create1", libc::EMFILE);
    let old = inner.as_fd().try_clone_to_owned().unwrap();
    let mut outer = selector::<AnyKernel, _, _>();
    let front = inner.as_fd().try_clone_to_owned().unwrap();
    let token = outer.register(front, EVENT_READ, ()).unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut inner), []);
    assert_eq!(tokens_now(&mut outer), [], "ready for ever");
    send(&d);
    assert_eq!(tokens_now(&mut outer), [token]);
    drop(old);
}

/// A key that cannot be changed because its number was closed is still counted.
#[test]
fn a_failing_modify_of_an_exclusive_key_does_not_lose_count() {
    let (a, _b) = pair();
    let number = Private::new(&a);
    let mut selector = EpollSelector::new().unwrap();
    let interest = Interest::new(EVENT_READ);
    let token = selector
        .register_flags(number.source(), interest, EpollFlags::EXCLUSIVE, ())
        .unwrap();
    number.close();
    for _ in 0..3 {
        let failed = selector.modify(token, EVENT_WRITE).unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(libc::EBADF));
    }
    selector.unregister(token).unwrap();
}

/// Nor if neither the change nor the way back can be made.
#[test]
fn a_failing_way_back_of_an_exclusive_key_does_not_lose_count() {
    let (a, b) = pair();
    let mut selector = EpollSelector::new().unwrap();
    let interest = Interest::new(EVENT_READ);
    let token = selector
        .register_flags(&a, interest, EpollFlags::EXCLUSIVE, ())
        .unwrap();
    fault::inject_after("epoll_ctl", 1, libc::ENOMEM);
    fault::inject_after("epoll_ctl", 1, libc::ENOMEM);
    assert!(selector.modify(token, EVENT_WRITE).is_err());
    selector.unregister(token).unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
}

/// Registers a file and leaves it to its close. How many calls that took, its other end, and a
/// duplicate of it.
fn leave<D: Default>(
    selector: &mut EpollSelector<UnixStream, D>,
) -> (usize, UnixStream, UnixStream) {
    let (a, b) = pair();
    let duplicate = a.try_clone().unwrap();
    let token = selector.register(a, EVENT_READ, D::default()).unwrap();
    let before = fault::count("epoll_ctl");
    drop(selector.unregister_to_close(token).unwrap());
    (fault::count("epoll_ctl") - before, b, duplicate)
}

#[test]
fn files_are_left_to_their_close_until_one_of_them_lives_on() {
    let mut selector = EpollSelector::<_, ()>::new().unwrap();
    let calls = fault::count("dup3");
    let (deleted, ..) = leave(&mut selector);
    assert_eq!((deleted, tokens_now(&mut selector)), (0, vec![]));
    let left: Vec<_> = (0..3).map(|_| leave(&mut selector)).collect();
    // All of them are got rid of at the first event, and nobody is trusted again.
    for (deleted, other, _duplicate) in &left {
        send(other);
        assert_eq!((*deleted, tokens_now(&mut selector)), (0, vec![]));
    }
    assert_eq!(fault::count("dup3"), calls + 1);
    let (deleted, other, _duplicate) = leave(&mut selector);
    send(&other);
    assert_eq!((deleted, tokens_now(&mut selector)), (1, vec![]));
    assert_eq!(fault::count("dup3"), calls + 1);
}

/// No fd is left for the new set: that is no error of whoever waits, and is tried again.
#[test]
fn a_file_that_lives_on_fails_no_wait() {
    let mut selector = EpollSelector::<_, ()>::new().unwrap();
    let calls = fault::count("dup3");
    let (_, other, _duplicate) = leave(&mut selector);
    send(&other);
    fault::inject("epoll_create1", libc::EMFILE);
    assert_eq!(tokens_now(&mut selector), []);
    assert_eq!(fault::count("dup3"), calls);
    assert_eq!(tokens_now(&mut selector), []);
    assert_eq!(fault::count("dup3"), calls + 1);
}

/// It lives on, and comes back under its number: its key is the new one, and nobody is trusted again.
#[test]
fn a_file_that_lives_on_is_registered_again_under_its_number() {
    for mode in [Mode::Level, Mode::Edge] {
        let (a, b) = pair();
        let number = Private::new(&a);
        let mut selector: Inner = EpollSelector::new().unwrap();
        let mut token = selector
            .register_with(number.source(), EVENT_READ, mode, "")
            .unwrap();
        for calls in [0, 1] {
            let before = fault::count("epoll_ctl");
            selector.unregister_to_close(token).unwrap();
            assert_eq!(fault::count("epoll_ctl") - before, calls);
            number.close();
            number.reuse(&a);
            let old = token;
            token = selector
                .register_with(number.source(), EVENT_READ, mode, "")
                .unwrap();
            assert_ne!(token, old);
            send(&b);
            assert_eq!(tokens_now(&mut selector), [token]);
            drain(&a);
            assert_eq!(tokens_now(&mut selector), []);
        }
    }
}
