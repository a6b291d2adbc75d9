//! Rows N1 to N8 (names) and F1 to F9 (from a file object to its number).

use super::support::*;
#[cfg(not(winsock))]
use crate::PollSelector;
use crate::os::{AsFd, AsRawFd, RawFd};
use crate::sys::fault;
#[cfg(not(winsock))]
use crate::sys::testing::Private;
use crate::sys::testing::raw;
use crate::{
    Backend, BaseSelector, DefaultSelector, EVENT_READ, EVENT_WRITE, Error, Events, Readiness,
    SelectSelector, SelectorKey,
};

on_every_backend!(
    n3_every_verb_works_through_the_trait_object,
    n8_the_map_is_the_single_source_of_truth,
    ; but_on_windows:
    f1_a_number_is_taken_without_owning_it,
    f5_f6_f7_a_token_finds_the_key_of_a_closed_number,
    f8_a_key_is_found_by_number_and_a_reused_number_finds_the_old_key,
    f9_a_made_up_number_is_refused_and_leaves_nothing,
);

#[test]
fn n1_r2_m10_legal_masks_are_one_two_three() {
    assert_eq!((EVENT_READ.bits(), EVENT_WRITE.bits()), (1, 2));
    for bits in 0..=u8::MAX {
        assert_eq!(
            Events::from_bits(bits).is_some(),
            (1..=3).contains(&bits),
            "{bits}"
        );
    }
    assert_eq!(EVENT_READ | EVENT_WRITE, Events::READ_WRITE);
    assert_eq!(EVENT_READ.without(EVENT_READ), None);
    assert_eq!(format!("{:?}", Events::READ_WRITE), "READ | WRITE");
}

#[test]
fn n2_a_key_compares_by_all_four_fields() {
    let key = SelectorKey {
        fileobj: "f",
        fd: 3,
        events: Some(EVENT_READ),
        data: 1,
    };
    assert_eq!(key, key.clone());
    assert_ne!(
        key,
        SelectorKey {
            fileobj: "g",
            ..key.clone()
        }
    );
    assert_ne!(
        key,
        SelectorKey {
            fd: 4,
            ..key.clone()
        }
    );
    assert_ne!(
        key,
        SelectorKey {
            events: None,
            ..key.clone()
        }
    );
    assert_ne!(
        key,
        SelectorKey {
            data: 2,
            ..key.clone()
        }
    );
}

fn n3_every_verb_works_through_the_trait_object<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector: Box<BaseSelector<_, u8>> = Box::new(selector::<K, _, _>());
    let token = selector.register(a, EVENT_READ, 1).unwrap();
    selector.modify(token, Events::READ_WRITE).unwrap();
    selector.park(token).unwrap();
    selector.modify(token, EVENT_READ).unwrap();
    *selector.data_mut(token).unwrap() += 1;
    assert_eq!(selector.get_key(token).unwrap().data, 2);
    assert_eq!(selector.get_key_by_fd(token.fd()).unwrap().0, token);
    assert_eq!(selector.get_map().len(), 1);
    send(&b);
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
    assert_eq!(selector.select_interruptible(&mut ready, NOW).unwrap(), 1);
    assert_eq!(ready[0].readiness.events(), Some(EVENT_READ));
    let key = selector.unregister(token).unwrap();
    assert_eq!(key.data, 2);
    assert!(selector.close().is_empty());
}

#[cfg(not(winsock))]
#[test]
fn n4_selectors_take_no_arguments() {
    SelectSelector::<std::fs::File, ()>::new().unwrap();
    PollSelector::<std::fs::File, ()>::new().unwrap();
    #[cfg(epoll)]
    crate::EpollSelector::<std::fs::File, ()>::new().unwrap();
    DefaultSelector::<std::fs::File, ()>::new().unwrap();
}

#[cfg(epoll)]
#[test]
fn n5_the_default_is_the_first_in_pythons_order() {
    let (epoll, poll, select) = (Backend::Epoll, Backend::Poll, Backend::Select);
    assert!(Backend::available().starts_with(&[epoll, poll, select]));
    let selector = DefaultSelector::<std::fs::File, ()>::new().unwrap();
    assert_eq!(selector.backend(), Backend::Epoll);
}

#[cfg(epoll)]
#[test]
fn n6_the_probe_passes_over_a_backend_that_the_kernel_refuses() {
    fault::inject("epoll_create1", libc::ENOSYS);
    assert_eq!(Backend::probe().unwrap(), Backend::Poll);
    fault::inject("epoll_create1", libc::ENOSYS);
    fault::inject("poll", libc::EPERM);
    assert_eq!(Backend::from_name("default").unwrap(), Backend::Select);
}

#[test]
fn n5_a_backend_is_chosen_by_name() {
    for backend in Backend::available() {
        let chosen: Backend = backend.name().parse().unwrap();
        assert_eq!(chosen, *backend);
        assert_eq!(
            chosen.selector::<std::fs::File, ()>().unwrap().backend(),
            *backend
        );
    }
    let text = Backend::from_name("iocp").unwrap_err().to_string();
    for backend in Backend::available() {
        assert!(text.contains(backend.name()), "{text}");
    }
    assert!(text.contains("default"));
}

#[cfg(epoll)]
#[test]
fn n7_only_a_kernel_object_has_a_number() {
    let epoll = crate::EpollSelector::<std::fs::File, ()>::new().unwrap();
    assert_eq!(
        epoll.fileno().unwrap().as_raw_fd(),
        epoll.as_fd().as_raw_fd()
    );
    let flags = crate::sys::fd::fcntl_getfd(epoll.as_fd().as_raw_fd()).unwrap();
    assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    assert!(
        PollSelector::<std::fs::File, ()>::new()
            .unwrap()
            .fileno()
            .is_none()
    );
    assert!(
        SelectSelector::<std::fs::File, ()>::new()
            .unwrap()
            .fileno()
            .is_none()
    );
}

fn n8_the_map_is_the_single_source_of_truth<K: TestKernel>() {
    let sockets = [pair(), pair(), pair()];
    let mut selector = selector::<K, _, _>();
    for (a, b) in &sockets {
        selector.register(a, EVENT_READ, "a").unwrap();
        let b = selector.register(b, EVENT_READ, "b").unwrap();
        selector.unregister(b).unwrap();
    }
    let mut expected: Vec<RawFd> = sockets.iter().map(|(a, _)| a.as_raw_fd()).collect();
    expected.sort_unstable();
    assert_eq!(selector.get_map().fds().collect::<Vec<_>>(), expected);
}

#[cfg(not(winsock))]
fn f1_a_number_is_taken_without_owning_it<K: TestKernel>() {
    let (a, b) = pair();
    let number = Private::new(&a);
    let mut selector = selector::<K, _, _>();
    let token = selector.register(number.source(), EVENT_READ, ()).unwrap();
    assert_eq!(token.fd(), number.number());
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
    drop(selector);
    assert!(crate::sys::fd::fcntl_getfd(number.number()).is_ok());
}

#[cfg(not(winsock))]
fn f5_f6_f7_a_token_finds_the_key_of_a_closed_number<K: TestKernel>() {
    assert!(matches!(raw(-1), Err(Error::InvalidFd(-1))));
    let (a, _b) = pair();
    let number = Private::new(&a);
    let mut selector = selector::<K, _, _>();
    assert!(selector.get_key_by_fd(-10).is_none());
    let token = selector
        .register(number.source(), EVENT_READ, "data")
        .unwrap();
    number.close();
    assert_eq!(selector.get_key(token).unwrap().data, "data");
    assert!(selector.get_key_by_fd(number.number()).is_some());
    assert_eq!(selector.unregister(token).unwrap().data, "data");
}

#[cfg(not(winsock))]
fn f8_a_key_is_found_by_number_and_a_reused_number_finds_the_old_key<K: TestKernel>() {
    let (a, b) = pair();
    let number = Private::new(&a);
    let mut selector = selector::<K, _, _>();
    let token = selector
        .register(number.source(), EVENT_READ, "old")
        .unwrap();
    number.reuse(&b);
    let (found, key) = selector.get_key_by_fd(number.number()).unwrap();
    assert_eq!((found, key.data), (token, "old"));
    let failed = selector
        .register(number.source(), EVENT_READ, "new")
        .unwrap_err();
    assert!(matches!(failed.error, Error::AlreadyRegistered(_)));
    selector.unregister(token).unwrap();
}

#[cfg(not(winsock))]
fn f9_a_made_up_number_is_refused_and_leaves_nothing<K: TestKernel>() {
    let mut selector = selector::<K, _, _>();
    let failed = selector
        .register(raw(RawFd::MAX).unwrap(), EVENT_READ, ())
        .unwrap_err();
    assert_eq!(failed.error.raw_os_error(), Some(libc::EBADF));
    assert!(selector.get_map().is_empty());
    assert_eq!(tokens_now(&mut selector), []);
}

#[test]
fn readiness_speaks_the_portable_mask() {
    let hangup = Readiness::HANGUP | Readiness::READABLE;
    assert_eq!(hangup.events(), Some(EVENT_READ));
    assert_eq!(Readiness::PRIORITY.events(), None);
    assert_eq!(
        Readiness::from(Events::READ_WRITE).events(),
        Some(Events::READ_WRITE)
    );
    assert_eq!(Readiness::from_bits(0xffff).bits(), 0x203f);
    assert_eq!(format!("{hangup:?}"), "READABLE | HANGUP");
    assert_eq!(format!("{:?}", Readiness::EMPTY), "EMPTY");
}
