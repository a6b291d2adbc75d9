//! Rows G1 to G7 and C1 to C6: lookups, the map, and the end of a selector.

use std::io::Read;

use super::support::*;
#[cfg(not(winsock))]
use crate::kernel::{Devpoll, Epoll, Kqueue};
use crate::os::{AsFd, AsRawFd};
use crate::{EVENT_READ, EVENT_WRITE, Token};

on_every_backend!(
    g1_get_key_finds_what_was_registered,
    g2_g5_the_map_is_a_live_read_only_view,
    g3_g4_the_map_answers_by_token_and_by_number,
    c1_close_gives_the_file_objects_back_open,
    c4_drop_closes_the_file_objects,
);

fn g1_get_key_finds_what_was_registered<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, "data").unwrap();
    assert_eq!(selector.get_key(token).unwrap().data, "data");
    for stranger in [
        Token::new(token.fd, token.generation() + 1),
        // The same lower half, which is all that a kernel carries.
        Token::new(token.fd, token.generation() + (1 << 32)),
        Token::new(token.fd + 1, token.generation()),
        Token::new(-1, token.generation()),
        Token::new(i32::MAX, token.generation()),
    ] {
        assert!(selector.get_key(stranger).is_none());
    }
}

fn g2_g5_the_map_is_a_live_read_only_view<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let map: *const _ = selector.get_map();
    assert!(selector.get_map().is_empty());
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    selector.register(&b, EVENT_READ, ()).unwrap();
    assert_eq!(selector.get_map().len(), 2);
    selector.unregister(token).unwrap();
    assert_eq!(selector.get_map().len(), 1);
    assert_eq!(map, selector.get_map(), "the same one each time");
}

fn g3_g4_the_map_answers_by_token_and_by_number<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, 1).unwrap();
    selector.register(&b, EVENT_WRITE, 2).unwrap();
    let map = selector.get_map();
    assert!(map.contains(token));
    assert_eq!(map.get(token).unwrap().data, 1);
    assert_eq!(map.get_by_fd(a.as_raw_fd()).unwrap().0, token);
    assert!(map.get_by_fd(-1).is_none());
    assert!(map.get_by_fd(i32::MAX).is_none());
    let mut numbers = [a.as_raw_fd(), b.as_raw_fd()];
    numbers.sort_unstable();
    assert_eq!(map.fds().collect::<Vec<_>>(), numbers);
    assert_eq!(map.iter().map(|(_, key)| key.data).sum::<i32>(), 3);
    let stale = token;
    selector.unregister(token).unwrap();
    assert!(!selector.get_map().contains(stale));
    assert!(selector.get_map().get(stale).is_none());
}

fn c1_close_gives_the_file_objects_back_open<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(a, EVENT_READ, "data").unwrap();
    let mut keys = selector.close();
    let key = keys.pop().unwrap();
    send(&b);
    assert_eq!((&key.fileobj).read(&mut [0; 8]).unwrap(), 1, "not closed");
    assert_eq!((key.data, keys.len()), ("data", 0));
}

fn c4_drop_closes_the_file_objects<K: TestKernel>() {
    let (a, mut b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(a, EVENT_READ, ()).unwrap();
    drop(selector);
    assert_eq!(b.read(&mut [0; 8]).unwrap(), 0, "the peer sees the end");
}

#[cfg(not(winsock))]
#[test]
fn c1_u9_dropping_sends_no_deletes() {
    let sockets: Vec<_> = (0..10).map(|_| pair()).collect();
    let mut selector = selector::<Epoll, _, _>();
    for (a, _) in &sockets {
        selector.register(a.as_fd(), EVENT_READ, ()).unwrap();
    }
    let before = crate::sys::fault::count("epoll_ctl");
    drop(selector);
    assert_eq!(crate::sys::fault::count("epoll_ctl"), before);
}

#[cfg(not(winsock))]
#[test]
fn selectors_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<crate::SelectSelector<std::fs::File, u8>>();
    is_send::<crate::PollSelector<std::fs::File, u8>>();
    is_send::<crate::EpollSelector<std::fs::File, u8>>();
    is_send::<crate::DefaultSelector<std::fs::File, u8>>();
    is_send::<crate::Selector<Kqueue, std::fs::File, u8>>();
    is_send::<crate::Selector<Devpoll, std::fs::File, u8>>();
    is_send::<crate::Notifier>();
}
