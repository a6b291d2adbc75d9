//! The readiness table of the contract: what each condition of a file looks like to a key that
//! watches READ, WRITE or both.

use std::net::{Shutdown, TcpListener};
use std::os::fd::{AsFd, OwnedFd};

use super::support::*;
use crate::sys::testing::send_urgent;
use crate::{Backend, EVENT_READ, EVENT_WRITE, Events, Interest, Readiness};

on_every_backend!(
    t1_s13_s14_read_end_of_a_pipe_without_writers,
    t2_write_end_of_a_pipe_without_readers,
    t3_peer_closed,
    t4_peer_has_shut_down_its_write_side,
    t5_connect_refused,
    t6_socket_that_was_never_connected,
    t7_gh75027_only_urgent_data_is_never_readable,
    t8_idle_connected_socket,
    t9_pipe_end_for_the_wrong_direction,
    gh75027_priority_is_reported_apart_when_asked_for,
    conditions_are_reported_apart,
    what_we_shut_down_for_writing_has_not_hung_up,
);

/// The portable mask for interest READ, WRITE and both.
fn masks<K: TestKernel>(fd: impl AsFd) -> [u8; 3] {
    [EVENT_READ, EVENT_WRITE, Events::READ_WRITE].map(|events| {
        let mut selector = selector::<K, _, _>();
        selector.register(fd.as_fd(), events, ()).unwrap();
        masks_now(&mut selector).first().copied().unwrap_or(0)
    })
}

fn backend<K: TestKernel>() -> Backend {
    K::for_a_test().backend()
}

fn t1_s13_s14_read_end_of_a_pipe_without_writers<K: TestKernel>() {
    let (reader, writer) = pipe();
    drop(writer);
    let expected = match backend::<K>() {
        // select has no hang-up to tell a key that waits for WRITE.
        Backend::Select => [1, 0, 1],
        _ => [1, 2, 3],
    };
    assert_eq!(masks::<K>(reader), expected);
}

fn t2_write_end_of_a_pipe_without_readers<K: TestKernel>() {
    let (reader, writer) = pipe();
    drop(reader);
    assert_eq!(masks::<K>(writer), [1, 2, 3]);
}

fn t3_peer_closed<K: TestKernel>() {
    let (a, b) = pair();
    drop(b);
    assert_eq!(masks::<K>(a), [1, 2, 3]);
}

fn t4_peer_has_shut_down_its_write_side<K: TestKernel>() {
    let (a, b) = pair();
    b.shutdown(Shutdown::Write).unwrap();
    assert_eq!(masks::<K>(a), [1, 2, 3]);
}

/// A non-blocking socket whose connect has just been refused.
fn refused() -> OwnedFd {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let socket = crate::sys::testing::tcp_socket();
    crate::sys::testing::connect_nonblocking(socket.as_fd(), address.port());
    socket
}

fn t5_connect_refused<K: TestKernel>() {
    assert_eq!(masks::<K>(refused()), [1, 2, 3]);
}

fn t6_socket_that_was_never_connected<K: TestKernel>() {
    let expected = match backend::<K>() {
        // There is nothing to read, and nothing can be written.
        Backend::Kqueue => [0, 0, 0],
        _ => [1, 2, 3],
    };
    assert_eq!(masks::<K>(crate::sys::testing::tcp_socket()), expected);
}

fn t7_gh75027_only_urgent_data_is_never_readable<K: TestKernel>() {
    let (client, server) = tcp_pair();
    send_urgent(client.as_fd());
    assert_eq!(masks::<K>(server), [0, 2, 2]);
}

fn t8_idle_connected_socket<K: TestKernel>() {
    let (a, _b) = pair();
    assert_eq!(masks::<K>(a), [0, 2, 2]);
    let (client, _server) = tcp_pair();
    assert_eq!(masks::<K>(client), [0, 2, 2]);
}

fn t9_pipe_end_for_the_wrong_direction<K: TestKernel>() {
    let (reader, writer) = pipe();
    assert_eq!(masks::<K>(&reader)[1], 0);
    assert_eq!(masks::<K>(&writer)[0], 0);
}

fn gh75027_priority_is_reported_apart_when_asked_for<K: TestKernel>() {
    let (client, server) = tcp_pair();
    let mut selector = selector::<K, _, _>();
    if !selector.capabilities().priority {
        return;
    }
    let interest = Interest::new(EVENT_READ).priority();
    let token = selector.register_interest(&server, interest, ()).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
    send_urgent(client.as_fd());
    let ready = loop {
        // Loopback delivers at once, but nothing promises it.
        let ready = ready_now(&mut selector);
        if !ready.is_empty() {
            break ready;
        }
    };
    assert_eq!(ready[0].0, token);
    assert!(ready[0].1.is_priority());
    assert!(!ready[0].1.is_readable());
}

fn conditions_are_reported_apart<K: TestKernel>() {
    let see = |fd: OwnedFd, events| {
        let mut selector = selector::<K, _, _>();
        selector.register(fd, events, ()).unwrap();
        ready_now(&mut selector)[0].1
    };
    let (a, b) = pair();
    b.shutdown(Shutdown::Write).unwrap();
    let half_closed = see(a.into(), EVENT_READ);
    let error = see(refused(), EVENT_WRITE);
    let (a, b) = pair();
    drop(b);
    let closed = see(a.into(), Events::READ_WRITE);
    if selector::<K, OwnedFd, ()>().capabilities().conditions {
        let knows_rdhup = backend::<K>() != Backend::Devpoll;
        assert_eq!(half_closed.is_read_closed(), knows_rdhup, "{half_closed:?}");
        assert!(!half_closed.is_hangup() && !half_closed.is_error());
        assert!(error.is_error(), "{error:?}");
        assert!(closed.is_hangup(), "{closed:?}");
    } else {
        assert_eq!(half_closed, Readiness::READABLE);
        assert_eq!(error, Readiness::WRITABLE);
    }
}

fn what_we_shut_down_for_writing_has_not_hung_up<K: TestKernel>() {
    let (a, _b) = pair();
    a.shutdown(Shutdown::Write).unwrap();
    assert_eq!(masks::<K>(a), [0, 2, 2]);
}
