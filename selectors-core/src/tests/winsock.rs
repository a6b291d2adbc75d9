//! What is particular to `select` of Winsock: how numbers that are no sockets are reported, and how a
//! failed connect and urgent data are told apart. (The rows of the contract that need more than sockets
//! are those that the lists of the other files name as absent here.)

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::support::*;
use crate::os::{AsFd, AsRawFd, errno};
use crate::sys::testing::{connect_nonblocking, raw, send_urgent, tcp_socket};
use crate::{
    Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, Events, Interest, Notifier, Readiness,
    SelectSelector, poll_now,
};

/// A socket of any type.
struct Watched(Box<dyn AsFd>);
crate::has_fd!([] Watched, 0);

fn watched(socket: impl AsFd + 'static) -> Watched {
    Watched(Box::new(socket))
}

/// Waits for what is on its way, which takes real Windows a moment.
fn soon<D>(selector: &mut SelectSelector<Watched, D>) -> Vec<Readiness> {
    let mut ready = Vec::new();
    selector
        .select(&mut ready, Some(Duration::from_secs(5)))
        .unwrap();
    ready.iter().map(|event| event.readiness).collect()
}

#[test]
fn n5_select_is_all_that_there_is() {
    assert_eq!(Backend::available(), [Backend::Select]);
    assert_eq!(Backend::probe().unwrap(), Backend::Select);
    let text = Backend::from_name("poll").unwrap_err().to_string();
    assert!(text.ends_with("valid names: default, select"), "{text}");
}

#[test]
fn r7_f9_a_number_that_is_no_socket_is_refused() {
    let closed = tcp_socket().as_raw_fd();
    for number in [closed, 1, i32::MAX] {
        let mut selector = DefaultSelector::new().unwrap();
        let refused = selector
            .register(raw(number).unwrap(), EVENT_READ, 7)
            .unwrap_err();
        assert_eq!(refused.error.raw_os_error(), Some(errno::EBADF));
        assert_eq!(refused.data, 7);
        assert!(selector.get_map().is_empty());
    }
    assert!(raw(-1).is_err());
}

#[test]
fn r13_there_is_no_highest_number_and_no_most_sockets() {
    let mut selector = SelectSelector::new().unwrap();
    let pairs: Vec<_> = (0..150).map(|_| tcp_pair()).collect();
    for (near, _) in &pairs {
        selector.register(near, Events::READ_WRITE, ()).unwrap();
    }
    assert_eq!(masks_now(&mut selector), [2; 150]);
}

#[test]
fn s20_a_closed_number_is_reported_once_and_disturbs_nobody() {
    let ((near, far), (gone, _far)) = (tcp_pair(), tcp_pair());
    let mut selector = SelectSelector::<Watched, _>::new().unwrap();
    let good = selector.register(watched(near), EVENT_READ, ()).unwrap();
    let number = raw(gone.as_raw_fd()).unwrap();
    let bad = selector.register(watched(number), EVENT_READ, ()).unwrap();
    drop(gone);
    let invalid = Readiness::INVALID | Readiness::READABLE;
    assert_eq!(ready_now(&mut selector), [(bad, invalid)]);
    assert_eq!(ready_now(&mut selector), []);
    send(&far);
    assert_eq!(soon(&mut selector), [Readiness::READABLE]);
    selector.modify(bad, EVENT_WRITE).unwrap();
    assert_eq!(ready_now(&mut selector).len(), 2);
    selector.unregister(bad).unwrap();
    assert_eq!(tokens_now(&mut selector), [good]);
}

/// A port of this machine on which nobody listens.
fn nobody() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn t5_a_refused_connect_is_an_error_in_whatever_is_watched() {
    for events in [EVENT_READ, EVENT_WRITE, Events::READ_WRITE] {
        let socket = tcp_socket();
        connect_nonblocking(socket.as_fd(), nobody());
        let mut selector = SelectSelector::<Watched, _>::new().unwrap();
        selector.register(watched(socket), events, ()).unwrap();
        let expected = Readiness::from(events) | Readiness::ERROR;
        assert_eq!(soon(&mut selector), [expected]);
        // By level, until it is unregistered.
        assert_eq!(soon(&mut selector), [expected]);
    }
}

#[test]
fn a_connect_that_succeeds_is_writable_and_no_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = tcp_socket();
    connect_nonblocking(socket.as_fd(), listener.local_addr().unwrap().port());
    let mut selector = SelectSelector::<Watched, _>::new().unwrap();
    selector
        .register(watched(socket), Events::READ_WRITE, ())
        .unwrap();
    assert_eq!(soon(&mut selector), [Readiness::WRITABLE]);
}

#[test]
fn gh75027_urgent_data_is_reported_to_whom_it_is_wanted_and_ends_no_other_wait() {
    let (near, far) = tcp_pair();
    let mut selector = SelectSelector::<Watched, _>::new().unwrap();
    let urgent = Interest::new(EVENT_READ).priority();
    let near_again = watched(near.try_clone().unwrap());
    selector.register_interest(near_again, urgent, ()).unwrap();
    send_urgent(far.as_fd());
    assert_eq!(soon(&mut selector), [Readiness::PRIORITY]);

    let mut other = SelectSelector::<Watched, _>::new().unwrap();
    other.register(watched(near), EVENT_READ, ()).unwrap();
    let (start, timeout) = (Instant::now(), Duration::from_millis(20));
    // The first wait learns that the socket is connected; no other is ended by it.
    assert_eq!(tokens_now(&mut other), []);
    let waited = other.select_interruptible(&mut Vec::new(), Some(timeout));
    assert_eq!(waited.unwrap(), 0);
    assert!(start.elapsed() >= timeout);
}

#[test]
fn one_look_says_what_a_selector_says() {
    let (near, far) = tcp_pair();
    let both = Readiness::READABLE | Readiness::WRITABLE;
    assert_eq!(poll_now(&near, both).unwrap(), Readiness::WRITABLE);
    assert_eq!(
        poll_now(&near, Readiness::PRIORITY).unwrap(),
        Readiness::EMPTY
    );
    send(&far);
    let mut selector = SelectSelector::<Watched, _>::new().unwrap();
    let near_again = watched(near.try_clone().unwrap());
    selector.register(near_again, EVENT_READ, ()).unwrap();
    assert_eq!(soon(&mut selector), [Readiness::READABLE]);
    assert_eq!(poll_now(&near, both).unwrap(), both);
}

#[test]
fn a_notifier_whose_pair_is_full_is_still_notified() {
    let notifier = Notifier::new().unwrap();
    let handle = notifier.handle();
    let mut selector = SelectSelector::<Watched, _>::new().unwrap();
    for _ in 0..100_000 {
        handle.notify().unwrap();
    }
    assert!(
        poll_now(&notifier, Readiness::READABLE)
            .unwrap()
            .is_readable()
    );
    // What is on its way between the two ends comes after a first clear.
    while poll_now(&notifier, Readiness::READABLE)
        .unwrap()
        .is_readable()
    {
        assert!(notifier.clear().unwrap());
    }
    selector
        .register(watched(notifier), EVENT_READ, ())
        .unwrap();
    assert_eq!(tokens_now(&mut selector), []);
    handle.notify().unwrap();
    assert_eq!(soon(&mut selector), [Readiness::READABLE]);
}
