//! Rows M1 to M14: modify, its data half, and parking.

use std::time::{Duration, Instant};

use super::support::*;
use crate::kernel::Select;
#[cfg(not(winsock))]
use crate::kernel::{Devpoll, Epoll, Kqueue, Poll};
use crate::sys::fault;
#[cfg(not(winsock))]
use crate::sys::testing::Private;
use crate::{EVENT_READ, EVENT_WRITE, Error, Events, Script, ScriptedSelector};

on_every_backend!(
    m1_a_stale_token_is_not_registered,
    m2_m6_interest_that_stays_costs_no_system_call,
    m3_m4_m5_data_changes_alone_in_place_and_by_identity,
    m6_a_dropped_direction_ends_no_wait,
    m6_m7_the_original_file_object_stays,
    m14_modify_is_one_step,
    ; but_on_windows:
    m12_a_closed_number_keeps_its_key,
);

fn m1_a_stale_token_is_not_registered<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    selector.unregister(token).unwrap();
    for answer in [selector.modify(token, EVENT_WRITE), selector.park(token)] {
        assert!(matches!(answer, Err(Error::NotRegistered(fd)) if fd == token.fd()));
    }
}

fn m2_m6_interest_that_stays_costs_no_system_call<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let before = fault::total();
    selector.modify(token, EVENT_READ).unwrap();
    assert_eq!(fault::total(), before);
    assert_eq!(selector.get_key(token).unwrap().events, Some(EVENT_READ));
}

fn m3_m4_m5_data_changes_alone_in_place_and_by_identity<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let data = std::rc::Rc::new(1);
    let token = selector.register(&a, EVENT_READ, data).unwrap();
    let equal = std::rc::Rc::new(1);
    let before = fault::total();
    *selector.data_mut(token).unwrap() = equal.clone();
    assert_eq!(fault::total(), before);
    assert!(std::rc::Rc::ptr_eq(
        &selector.get_key(token).unwrap().data,
        &equal
    ));
    selector.modify(token, EVENT_WRITE).unwrap();
    assert!(
        std::rc::Rc::ptr_eq(&selector.get_key(token).unwrap().data, &equal),
        "kept"
    );
}

fn m6_a_dropped_direction_ends_no_wait<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, Events::READ_WRITE, ()).unwrap();
    assert_eq!(masks_now(&mut selector), [2]);
    selector.modify(token, EVENT_READ).unwrap();
    // Still writable: a kernel that remembers the old direction would come back at once, and the
    // mask would hide it.
    let (start, timeout) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(
        selector
            .select_interruptible(&mut Vec::new(), Some(timeout))
            .unwrap(),
        0
    );
    assert!(start.elapsed() >= timeout);
}

fn m6_m7_the_original_file_object_stays<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    let place: *const _ = &selector.get_key(token).unwrap().fileobj;
    selector.modify(token, Events::READ_WRITE).unwrap();
    assert_eq!(place, &raw const selector.get_key(token).unwrap().fileobj);
    assert_eq!(masks_now(&mut selector), [2]);
}

/// A failing change of the kernel: the key, its interest and what is reported stay as they were.
#[cfg(not(winsock))]
fn change_fails_cleanly<K: TestKernel>(call: &'static str, skip: usize) {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, "data").unwrap();
    assert_eq!(tokens_now(&mut selector), []);
    fault::inject_after(call, skip, libc::ENOMEM);
    let failed = selector.modify(token, Events::READ_WRITE).unwrap_err();
    assert_eq!(failed.raw_os_error(), Some(libc::ENOMEM));
    let key = selector.get_key(token).unwrap();
    assert_eq!((key.events, key.data), (Some(EVENT_READ), "data"));
    assert_eq!(tokens_now(&mut selector), []);
    send(&b);
    assert_eq!(masks_now(&mut selector), [1]);
    selector.modify(token, Events::READ_WRITE).unwrap();
    assert_eq!(masks_now(&mut selector), [3]);
}

#[cfg(not(winsock))]
#[test]
fn m8_a_failing_modify_changes_nothing_on_epoll() {
    change_fails_cleanly::<Epoll>("epoll_ctl", 0);
}

#[cfg(not(winsock))]
#[test]
fn m8_a_failing_modify_changes_nothing_on_kqueue() {
    change_fails_cleanly::<Kqueue>("kevent", 0);
    // The read filter is updated first (by the double: an add that finds it there, then a change),
    // the write filter is refused.
    change_fails_cleanly::<Kqueue>("epoll_ctl", 2);
}

#[cfg(not(winsock))]
#[test]
fn m8_a_kernel_that_refuses_a_change_keeps_the_key() {
    let (a, _b) = pair();
    let script = Script::new();
    let mut selector = ScriptedSelector::play(script.clone());
    let token = selector.register(&a, EVENT_READ, 1).unwrap();
    for attempt in [
        |s: &mut ScriptedSelector<_, _>, token| s.modify(token, EVENT_WRITE),
        |s: &mut ScriptedSelector<_, _>, token| s.park(token),
        |s: &mut ScriptedSelector<_, _>, token| s.unregister(token).map(drop),
    ] {
        script.refuse(libc::ENOMEM);
        assert_eq!(
            attempt(&mut selector, token).unwrap_err().raw_os_error(),
            Some(libc::ENOMEM)
        );
        let key = selector.get_key(token).unwrap();
        assert_eq!((key.events, key.data), (Some(EVENT_READ), 1));
    }
    script.refuse(libc::ENOMEM);
    let (c, _d) = pair();
    assert!(selector.register(&c, EVENT_READ, 2).is_err());
    assert_eq!(selector.get_map().len(), 1);
}

#[test]
fn m9_m10_m11_an_illegal_mask_is_no_value() {
    assert_eq!(Events::from_bits(0), None);
    assert_eq!(Events::from_bits(4), None);
}

#[cfg(not(winsock))]
fn m12_a_closed_number_keeps_its_key<K: TestKernel>() {
    let (a, _b) = pair();
    let number = Private::new(&a);
    drop(a);
    let mut selector = selector::<K, _, _>();
    let token = selector
        .register(number.source(), EVENT_READ, "data")
        .unwrap();
    number.close();
    if let Err(failed) = selector.modify(token, EVENT_WRITE) {
        assert_eq!(failed.raw_os_error(), Some(libc::EBADF));
        assert_eq!(selector.get_key(token).unwrap().events, Some(EVENT_READ));
    }
    assert_eq!(selector.unregister(token).unwrap().data, "data");
}

#[cfg(not(winsock))]
#[test]
fn m13_a_panic_in_the_data_cannot_split_map_and_kernel() {
    // Nothing of the user's runs between the kernel's change and the map's: `D` is not compared.
    struct Unequal;
    impl PartialEq for Unequal {
        fn eq(&self, _: &Unequal) -> bool {
            panic!("compared")
        }
    }
    let (a, _b) = pair();
    let mut selector = selector::<Poll, _, _>();
    let token = selector.register(&a, EVENT_READ, Unequal).unwrap();
    selector.modify(token, EVENT_WRITE).unwrap();
    assert_eq!(masks_now(&mut selector), [2]);
}

fn m14_modify_is_one_step<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    selector.modify(token, EVENT_WRITE).unwrap();
    assert!(
        selector.get_key(token).is_some(),
        "the token is still the key's"
    );
}

#[cfg(not(winsock))]
#[test]
fn m6_modify_costs_one_system_call_on_epoll_and_kqueue_and_none_elsewhere() {
    fn cost<K: TestKernel>(call: &str) -> usize {
        let (a, _b) = pair();
        let mut selector = selector::<K, _, _>();
        let token = selector.register(&a, EVENT_READ, ()).unwrap();
        let before = fault::count(call);
        selector.modify(token, Events::READ_WRITE).unwrap();
        fault::count(call) - before
    }
    assert_eq!(cost::<Epoll>("epoll_ctl"), 1);
    assert_eq!(cost::<Kqueue>("kevent"), 1);
    assert_eq!(cost::<Devpoll>("write"), 0);
    let (a, _b) = pair();
    for selector in [
        &mut selector::<Poll, _, ()>().into_default(),
        &mut selector::<Select, _, ()>().into_default(),
    ] {
        let token = selector.register(&a, EVENT_READ, ()).unwrap();
        let before = fault::total();
        selector.modify(token, EVENT_WRITE).unwrap();
        assert_eq!(fault::total(), before);
    }
}
