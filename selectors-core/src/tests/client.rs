//! Section 3 of the contract: what event loops, subprocesses and servers do with a selector.

use std::io::{Read, Write};

use super::support::*;
#[cfg(not(winsock))]
use crate::PollSelector;
use crate::os::AsFd;
use crate::sys::fault;
use crate::{EVENT_READ, EVENT_WRITE};

on_every_backend!(
    a1_lookup_or_none_asks_no_kernel,
    a3_a4_one_key_with_two_handlers,
    a10_a_notifier_can_be_written_from_any_thread_and_lost_writes_lose_nothing,
    a12_interest_can_be_paused_and_resumed,
    a13_a_failed_connect_reaches_a_key_that_waits_for_write,
    test_selector_every_message_arrives_once,
    ; but_on_windows:
    a6_a17_handlers_unregister_while_they_loop_over_the_results,
);

fn a1_lookup_or_none_asks_no_kernel<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    let before = fault::total();
    assert!(selector.get_map().get_by_fd(token.fd()).is_some());
    assert!(selector.get_map().get_by_fd(9999).is_none());
    assert_eq!(fault::total(), before);
}

/// The algebra of `add_reader` and `remove_writer`: a bit per handler, parked when none is left.
fn a3_a4_one_key_with_two_handlers<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, (Option<&str>, Option<&str>)>();
    let token = selector
        .register(&a, EVENT_READ, (Some("reader"), None))
        .unwrap();
    selector.data_mut(token).unwrap().1 = Some("writer");
    selector.modify(token, EVENT_READ | EVENT_WRITE).unwrap();
    assert_eq!(masks_now(&mut selector), [3]);
    selector.data_mut(token).unwrap().0.take();
    let left = selector
        .get_key(token)
        .unwrap()
        .events
        .unwrap()
        .without(EVENT_READ);
    selector.modify(token, left.unwrap()).unwrap();
    assert_eq!(masks_now(&mut selector), [2]);
    selector.data_mut(token).unwrap().1.take();
    assert_eq!(
        selector
            .get_key(token)
            .unwrap()
            .events
            .unwrap()
            .without(EVENT_WRITE),
        None
    );
    selector.park(token).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
    assert_eq!(selector.unregister(token).unwrap().data, (None, None));
}

/// The loop of `subprocess.communicate`: while there are keys, read what is ready, and unregister
/// and close at the end of the stream, inside the loop over the results.
#[cfg(not(winsock))]
fn a6_a17_handlers_unregister_while_they_loop_over_the_results<K: TestKernel>() {
    let mut selector = selector::<K, _, Vec<u8>>();
    for text in ["output", "errors"] {
        let (reader, writer) = pipe();
        std::fs::File::from(writer)
            .write_all(text.as_bytes())
            .unwrap();
        selector
            .register(std::fs::File::from(reader), EVENT_READ, Vec::new())
            .unwrap();
    }
    let (mut ready, mut done) = (Vec::new(), Vec::new());
    while !selector.get_map().is_empty() {
        selector.select(&mut ready, None).unwrap();
        for event in &ready {
            let mut buffer = [0; 4];
            let n = (&selector.get_key(event.token).unwrap().fileobj)
                .read(&mut buffer)
                .unwrap();
            if n == 0 {
                let key = selector.unregister(event.token).unwrap();
                drop(key.fileobj);
                done.push(key.data);
            } else {
                selector
                    .data_mut(event.token)
                    .unwrap()
                    .extend_from_slice(&buffer[..n]);
            }
        }
    }
    done.sort();
    assert_eq!(done, [b"errors", b"output"]);
}

fn a10_a_notifier_can_be_written_from_any_thread_and_lost_writes_lose_nothing<K: TestKernel>() {
    let notifier = crate::Notifier::new().unwrap();
    let mut selector = selector::<K, _, _>();
    selector.register(&notifier, EVENT_READ, ()).unwrap();
    let done = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    notifier.notify().unwrap();
                }
            });
        }
        // Work is announced before the notification, so whoever clears first and looks then sees
        // all work that will not be announced again.
        let mut ready = Vec::new();
        let mut seen = 0;
        while seen < 4000 {
            assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
            notifier.clear().unwrap();
            seen = done.load(std::sync::atomic::Ordering::SeqCst);
        }
    });
}

fn a12_interest_can_be_paused_and_resumed<K: TestKernel>() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(listener, EVENT_READ, ()).unwrap();
    let _waiting = std::net::TcpStream::connect(address).unwrap();
    assert_eq!(tokens_now(&mut selector), [token]);
    // Out of fds: without a pause, level triggering would spin.
    selector.park(token).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
    selector.modify(token, EVENT_READ).unwrap();
    assert_eq!(tokens_now(&mut selector), [token]);
}

fn a13_a_failed_connect_reaches_a_key_that_waits_for_write<K: TestKernel>() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let socket = crate::sys::testing::tcp_socket();
    crate::sys::testing::connect_nonblocking(socket.as_fd(), port);
    let mut selector = selector::<K, _, _>();
    selector.register(&socket, EVENT_WRITE, ()).unwrap();
    assert_eq!(masks_now(&mut selector), [2]);
}

#[cfg(not(winsock))]
#[test]
fn a18_a_poll_selector_costs_no_fd_and_one_call_a_wait() {
    let (a, b) = pair();
    send(&b);
    let before = fault::total();
    let mut selector = PollSelector::new().unwrap();
    assert_eq!(fault::total(), before);
    selector.register(&a, EVENT_READ, ()).unwrap();
    let before = fault::total();
    assert_eq!(selector.select(&mut Vec::new(), None).unwrap(), 1);
    assert_eq!((fault::total() - before, fault::count("poll")), (1, 1));
    drop(selector);
}

#[cfg(not(winsock))]
#[test]
fn registering_costs_one_system_call_on_epoll() {
    let (a, _b) = pair();
    let mut selector = crate::EpollSelector::new().unwrap();
    let before = fault::total();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    assert_eq!(fault::total() - before, 1);
    selector.unregister(token).unwrap();
    assert_eq!(fault::total() - before, 2);
}

/// Section 2's `test_selector`: pairs, a random writer, exactly its reader turns ready, to the end.
fn test_selector_every_message_arrives_once<K: TestKernel>() {
    let mut selector = selector::<K, _, usize>();
    let (mut writers, mut readers) = (Vec::new(), Vec::new());
    for index in 0..12 {
        let (reader, writer) = pair();
        readers.push(selector.register(reader, EVENT_READ, index).unwrap());
        writers.push(Some(selector.register(writer, EVENT_WRITE, index).unwrap()));
    }
    let mut ready = Vec::new();
    // A fixed scramble of 0..12 does for random.
    for round in 0..12 {
        let chosen = (round * 7 + 5) % 12;
        selector.select(&mut ready, NOW).unwrap();
        let writer = writers[chosen].take().unwrap();
        assert!(ready.iter().any(|event| event.token == writer));
        assert!(ready.iter().all(|event| !event.readiness.is_readable()));
        (&selector.get_key(writer).unwrap().fileobj)
            .write_all(b"message")
            .unwrap();
        selector.select(&mut ready, NOW).unwrap();
        let readable: Vec<_> = ready
            .iter()
            .filter(|event| event.readiness.is_readable())
            .collect();
        assert_eq!(readable.len(), 1);
        let reader = readable[0].token;
        assert_eq!(reader, readers[chosen]);
        let mut message = [0; 7];
        (&selector.get_key(reader).unwrap().fileobj)
            .read_exact(&mut message)
            .unwrap();
        assert_eq!(&message, b"message");
        selector.unregister(reader).unwrap();
        selector.unregister(writer).unwrap();
    }
    assert!(selector.get_map().is_empty());
}
