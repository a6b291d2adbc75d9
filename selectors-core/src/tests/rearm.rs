//! What `modify` does beside changing directions: the kernel looks anew, and mode and urgent data
//! change too.

use super::support::*;
use crate::kernel::{AnyKernel, Select};
#[cfg(not(winsock))]
use crate::kernel::{Devpoll, Epoll, Kqueue, Poll};
use crate::sys::fault;
#[cfg(not(winsock))]
use crate::sys::testing::send_urgent;
use crate::{BaseSelector, EVENT_READ, EVENT_WRITE, Error, Interest, Mode};
#[cfg(not(winsock))]
use crate::{EpollFlags, EpollSelector};

use crate::os::AsFd;

on_every_backend!(
    a_oneshot_key_becomes_level_and_back_while_it_is_registered,
    a_mode_that_is_not_offered_is_refused_and_changes_nothing,
    the_mode_of_a_parked_key_can_change,
    through_the_trait_everything_can_be_asked_for,
);

/// On backends with edge mode: `modify` with the same events reports once what is there.
#[cfg(not(winsock))]
fn modify_looks_again_at_an_edge_key<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector
        .register_with(&a, EVENT_READ, Mode::Edge, ())
        .unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
    assert_eq!(tokens_now(&mut selector), []);
    for _ in 0..3 {
        selector.modify(token, EVENT_READ).unwrap();
        assert_eq!(tokens_now(&mut selector), [token]);
        assert_eq!(tokens_now(&mut selector), []);
    }
    // And nothing that is not there.
    drain(&a);
    selector.modify(token, EVENT_READ).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
}

#[cfg(not(winsock))]
#[test]
fn modify_looks_again_at_an_edge_key_on_epoll() {
    modify_looks_again_at_an_edge_key::<Epoll>();
}

#[cfg(uring)]
#[test]
fn modify_looks_again_at_an_edge_key_on_uring() {
    if has_ring() {
        modify_looks_again_at_an_edge_key::<crate::kernel::Uring>();
    }
}

#[cfg(not(winsock))]
#[test]
fn modify_looks_again_at_an_edge_key_on_kqueue() {
    modify_looks_again_at_an_edge_key::<Kqueue>();
}

#[cfg(not(winsock))]
#[test]
fn modify_looks_again_at_an_edge_key_on_the_default() {
    modify_looks_again_at_an_edge_key::<AnyKernel>();
}

#[cfg(not(winsock))]
#[test]
fn modify_of_an_edge_key_to_the_same_costs_one_system_call() {
    fn cost<K: TestKernel>(call: &str) -> usize {
        let (a, _b) = pair();
        let mut selector = selector::<K, _, _>();
        let token = selector
            .register_with(&a, EVENT_READ, Mode::Edge, ())
            .unwrap();
        let before = fault::count(call);
        selector.modify(token, EVENT_READ).unwrap();
        fault::count(call) - before
    }
    assert_eq!(cost::<Epoll>("epoll_ctl"), 1);
    assert_eq!(cost::<Kqueue>("kevent"), 1);
}

/// From every mode to every other one: the key behaves as the new mode says.
#[cfg(not(winsock))]
fn every_mode_follows_every_other<K: TestKernel>(modes: &[Mode]) {
    for from in modes {
        for to in modes {
            let (a, b) = pair();
            let mut selector = selector::<K, _, _>();
            let token = selector.register_with(&a, EVENT_READ, *from, ()).unwrap();
            send(&b);
            assert_eq!(tokens_now(&mut selector), [token]);
            selector
                .modify_interest(token, Interest::new(EVENT_READ).mode(*to))
                .unwrap();
            let reports: Vec<_> = (0..3).map(|_| tokens_now(&mut selector).len()).collect();
            let lasts = usize::from(*to == Mode::Level);
            assert_eq!(reports, [1, lasts, lasts], "{from:?} to {to:?}");
            // What an edge is and a fired oneshot key does not hear.
            send(&b);
            let hears = usize::from(!to.is_oneshot());
            assert_eq!(tokens_now(&mut selector).len(), hears, "{from:?} to {to:?}");
            selector.unregister(token).unwrap();
        }
    }
}

#[cfg(not(winsock))]
#[test]
fn every_mode_follows_every_other_on_every_backend() {
    let all = [Mode::Level, Mode::Edge, Mode::Oneshot, Mode::EdgeOneshot];
    let some = [Mode::Level, Mode::Oneshot];
    every_mode_follows_every_other::<Epoll>(&all);
    every_mode_follows_every_other::<Kqueue>(&all);
    #[cfg(uring)]
    if has_ring() {
        every_mode_follows_every_other::<crate::kernel::Uring>(&all);
    }
    every_mode_follows_every_other::<Select>(&some);
    every_mode_follows_every_other::<Poll>(&some);
    every_mode_follows_every_other::<Devpoll>(&some);
}

fn a_oneshot_key_becomes_level_and_back_while_it_is_registered<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let interest = Interest::new(EVENT_READ);
    let token = selector.register_interest(&a, interest, "data").unwrap();
    for _ in 0..2 {
        selector
            .modify_interest(token, interest.mode(Mode::Oneshot))
            .unwrap();
        assert_eq!(tokens_now(&mut selector), [token]);
        assert_eq!(tokens_now(&mut selector), []);
        selector.modify_interest(token, interest).unwrap();
        assert_eq!(tokens_now(&mut selector), [token]);
        assert_eq!(tokens_now(&mut selector), [token]);
    }
    assert_eq!(selector.unregister(token).unwrap().data, "data");
}

fn a_mode_that_is_not_offered_is_refused_and_changes_nothing<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let offered = selector.capabilities();
    let edge = Interest::new(EVENT_WRITE).mode(Mode::Edge);
    let urgent = Interest::new(EVENT_WRITE).priority();
    for (interest, offered) in [(edge, offered.edge), (urgent, offered.priority)] {
        let before = fault::total();
        match selector.modify_interest(token, interest) {
            Ok(()) => assert!(offered),
            Err(Error::Unsupported { .. }) => {
                assert!(!offered);
                assert_eq!(fault::total(), before);
                assert_eq!(selector.get_key(token).unwrap().events, Some(EVENT_READ));
                assert_eq!(masks_now(&mut selector), [1]);
            }
            other => panic!("{other:?}"),
        }
        selector
            .modify_interest(token, Interest::new(EVENT_READ))
            .unwrap();
    }
}

fn the_mode_of_a_parked_key_can_change<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    selector.park(token).unwrap();
    selector
        .modify_interest(token, Interest::new(EVENT_READ).mode(Mode::Oneshot))
        .unwrap();
    assert_eq!(tokens_now(&mut selector), [token]);
    assert_eq!(tokens_now(&mut selector), []);
}

fn through_the_trait_everything_can_be_asked_for<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector: Box<BaseSelector<_, _>> = Box::new(selector::<K, _, _>());
    let once = Interest::new(EVENT_READ).mode(Mode::Oneshot);
    let token = selector.register_interest(a, once, ()).unwrap();
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 1);
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 0);
    selector
        .modify_interest(token, Interest::new(EVENT_READ))
        .unwrap();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 1);
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 1);
}

#[cfg(not(winsock))]
#[test]
fn urgent_data_can_be_asked_for_later_and_no_more() {
    fn asked_for_later<K: TestKernel>() {
        let (client, server) = tcp_pair();
        let mut selector = selector::<K, _, _>();
        let interest = Interest::new(EVENT_READ).without_directions();
        let token = selector.register_interest(&server, interest, ()).unwrap();
        send_urgent(client.as_fd());
        assert_eq!(tokens_now(&mut selector), []);
        selector
            .modify_interest(token, interest.priority())
            .unwrap();
        let mut ready = Vec::new();
        selector.select(&mut ready, None).unwrap();
        assert!(ready[0].readiness.is_priority());
        selector.modify_interest(token, interest).unwrap();
        assert_eq!(tokens_now(&mut selector), []);
    }
    asked_for_later::<Epoll>();
    #[cfg(uring)]
    if has_ring() {
        asked_for_later::<crate::kernel::Uring>();
    }
    asked_for_later::<Poll>();
    asked_for_later::<Select>();
    asked_for_later::<Devpoll>();
}

#[cfg(not(winsock))]
#[test]
fn the_flags_of_an_epoll_key_stay_with_it() {
    let (a, b) = pair();
    let mut selector = EpollSelector::new().unwrap();
    let interest = Interest::new(EVENT_READ);
    let token = selector
        .register_flags(&a, interest, EpollFlags::EXCLUSIVE, ())
        .unwrap();
    // An exclusive registration cannot be oneshot: the kernel's EINVAL shows that the flag is there.
    let refused = selector
        .modify_interest(token, interest.mode(Mode::Oneshot))
        .unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    send(&b);
    assert_eq!(masks_now(&mut selector), [1]);
    selector
        .modify_interest(token, interest.mode(Mode::Edge))
        .unwrap();
    assert_eq!(masks_now(&mut selector), [1]);
    assert_eq!(masks_now(&mut selector), []);
}
