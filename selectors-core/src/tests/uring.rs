//! What only a ring can get wrong: requests that hold files, answers that come late, queues that
//! are too small, threads that end, and kernels that make none.

use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use super::support::*;
use crate::kernel::{Open, Uring};
use crate::sys::fault;
use crate::{
    Backend, EVENT_READ, EVENT_WRITE, Error, Events, Interest, Mode, Refusal, Selector, Token,
    UringSelector,
};

const MODES: [Mode; 4] = [Mode::Level, Mode::Edge, Mode::Oneshot, Mode::EdgeOneshot];

/// The peer hears the end at this moment, without anybody's wait.
fn hears_the_end(mut peer: &UnixStream) {
    assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the file is held open");
}

/// A selector with a key whose request waits in the kernel.
fn waiting(mode: Mode) -> (UringSelector<UnixStream, ()>, Token, UnixStream) {
    let (a, b) = pair();
    let mut selector = selector::<Uring, _, _>();
    let token = selector.register_with(a, EVENT_READ, mode, ()).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
    (selector, token, b)
}

#[test]
fn a_file_that_was_registered_is_closed_at_once_for_its_peer() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (mut selector, token, peer) = waiting(mode);
        drop(selector.unregister(token).unwrap());
        hears_the_end(&peer);

        let (mut selector, token, peer) = waiting(mode);
        selector.modify(token, Events::READ_WRITE).unwrap();
        drop(selector.unregister(token).unwrap());
        hears_the_end(&peer);

        let (mut selector, token, peer) = waiting(mode);
        selector.park(token).unwrap();
        drop(selector.unregister(token).unwrap());
        hears_the_end(&peer);

        let (selector, _, peer) = waiting(mode);
        drop(selector.close());
        hears_the_end(&peer);

        let (selector, _, peer) = waiting(mode);
        drop(selector);
        hears_the_end(&peer);

        // Reported, and not asked for again.
        let (mut selector, token, peer) = waiting(mode);
        send(&peer);
        assert_eq!(tokens_now(&mut selector), [token]);
        drain(&selector.get_key(token).unwrap().fileobj);
        drop(selector.unregister(token).unwrap());
        hears_the_end(&peer);
    }
}

/// What a key hears that becomes another when news has already come: then, and of the next byte, and
/// of the end. Reading and the number of events, since a waker says less than a look.
fn heard<K: TestKernel>(from: Interest, to: Interest, another_goes: bool) -> [(usize, bool); 3] {
    let (a, b) = pair();
    let (other, _other) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register_interest(&a, from, ()).unwrap();
    let goes = selector.register(&other, EVENT_READ, ()).unwrap();
    ready_now(&mut selector);
    send(&b);
    if another_goes {
        selector.unregister(goes).unwrap();
    }
    selector.modify_interest(token, to).unwrap();
    let mut hears = || {
        let ready = ready_now(&mut selector);
        let readable = ready.iter().any(|(_, readiness)| readiness.is_readable());
        drain(&a);
        (ready.len(), readable)
    };
    let at_once = hears();
    send(&b);
    let next_byte = hears();
    drop(b);
    [at_once, next_byte, hears()]
}

#[test]
fn a_key_that_changes_when_news_has_come_hears_what_epoll_tells() {
    if !has_ring() {
        return;
    }
    let interests = || {
        MODES.into_iter().flat_map(|mode| {
            let events = [EVENT_READ, EVENT_WRITE, Events::READ_WRITE];
            events.map(|events| Interest::new(events).mode(mode))
        })
    };
    for (from, to) in interests().flat_map(|from| interests().map(move |to| (from, to))) {
        for another_goes in [false, true] {
            let told = heard::<crate::kernel::Epoll>(from, to, another_goes);
            let heard = heard::<Uring>(from, to, another_goes);
            assert_eq!(heard, told, "{from:?} to {to:?}, {another_goes}");
        }
    }
}

/// What edge keys were told while another key left: not twice, and not when it has been read.
#[test]
fn a_key_that_is_parked_or_modified_leaves_no_event_behind() {
    if !has_ring() {
        return;
    }
    let sockets: Vec<_> = (0..4).map(|_| pair()).collect();
    let mut selector = selector::<Uring, _, _>();
    let mut watch = |(a, _): &(UnixStream, UnixStream)| {
        let a = a.try_clone().unwrap();
        selector
            .register_with(a, EVENT_READ, Mode::Edge, ())
            .unwrap()
    };
    let keys: Vec<_> = sockets.iter().map(&mut watch).collect();
    assert_eq!(tokens_now(&mut selector), []);
    for (_, peer) in &sockets {
        send(peer);
    }
    selector.park(keys[0]).unwrap();
    assert_eq!(selector.kernel.events.len(), 3);
    selector.modify(keys[0], EVENT_READ).unwrap();
    drain(&sockets[3].0);
    selector.modify(keys[3], EVENT_READ).unwrap();
    selector.park(keys[1]).unwrap();
    let mut told = tokens_now(&mut selector);
    told.sort();
    assert_eq!(told, [keys[0], keys[2]]);
    assert_eq!(tokens_now(&mut selector), []);
}

#[test]
fn what_has_been_read_meanwhile_is_not_reported() {
    if !has_ring() {
        return;
    }
    for mode in [Mode::Level, Mode::Oneshot, Mode::EdgeOneshot] {
        let (mut selector, token, peer) = waiting(mode);
        for _ in 0..3 {
            send(&peer);
            drain(&selector.get_key(token).unwrap().fileobj);
            assert_eq!(tokens_now(&mut selector), []);
        }
        send(&peer);
        assert_eq!(tokens_now(&mut selector), [token]);
    }
}

/// The kernel tells unasked that the peer writes no more, again and again to whoever asks.
#[test]
fn a_writer_whose_peer_writes_no_more_waits_in_peace_for_room() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (a, b) = pair();
        fill(&a);
        b.shutdown(std::net::Shutdown::Write).unwrap();
        let mut selector = selector::<Uring, _, _>();
        let token = selector.register_with(&a, EVENT_WRITE, mode, ()).unwrap();
        for _ in 0..3 {
            let (start, timeout) = (Instant::now(), Duration::from_millis(10));
            let before = fault::count("io_uring_enter");
            let mut ready = Vec::new();
            selector.select(&mut ready, Some(timeout)).unwrap();
            assert!(ready.is_empty() && start.elapsed() >= timeout);
            assert!(fault::count("io_uring_enter") - before <= 6, "it spins");
        }
        thread::scope(|scope| {
            scope.spawn(|| drain(&b));
            let mut ready = Vec::new();
            selector.select(&mut ready, None).unwrap();
            assert_eq!(ready[0].token, token);
            assert!(ready[0].readiness.is_writable());
        });
        drain(&b);
        let lasts = usize::from(mode == Mode::Level);
        let mut reports = || tokens_now(&mut selector).len();
        // An edge key may have been told of more room.
        reports();
        assert_eq!((reports(), reports()), (lasts, lasts), "{mode:?}");
    }
}

/// Requests belong to the thread that made them, and end with it.
#[test]
fn a_selector_goes_on_when_the_thread_that_waited_is_gone() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (mut selector, token, peer) = thread::spawn(move || waiting(mode)).join().unwrap();
        assert_eq!(tokens_now(&mut selector), [], "{mode:?}");
        send(&peer);
        assert_eq!(tokens_now(&mut selector), [token], "{mode:?}");
        drop(selector);
        hears_the_end_after_data(&peer);
    }
}

fn hears_the_end_after_data(mut peer: &UnixStream) {
    // Bytes that nobody read make it a reset.
    assert!(!matches!(peer.read(&mut [0]), Ok(1..)));
    let blocked = peer.read(&mut [0]).map_err(|error| error.kind());
    assert_ne!(blocked, Err(std::io::ErrorKind::WouldBlock));
}

#[test]
fn a_selector_moves_to_another_thread_while_its_requests_wait() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (mut selector, token, peer) = waiting(mode);
        thread::spawn(move || {
            let mut ready = Vec::new();
            send(&peer);
            selector.select(&mut ready, None).unwrap();
            assert_eq!(ready[0].token, token);
            drain(&selector.get_key(token).unwrap().fileobj);
            drop(selector.unregister(token).unwrap());
            hears_the_end(&peer);
        })
        .join()
        .unwrap();
    }
}

/// What one thread was told and has not read is no answer to the other, who takes its requests back.
/// Waiting for more answers than come would last for a minute, in these tests.
#[test]
fn a_thread_that_takes_over_waits_for_no_answer_that_has_come() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        for takes_all in [false, true] {
            let (mut selector, idle, peer) = waiting(mode);
            let mut woken = |()| {
                let (a, b) = pair();
                let token = selector.register_with(a, EVENT_READ, mode, ()).unwrap();
                (token, b)
            };
            let others = [(), ()].map(&mut woken);
            assert_eq!(tokens_now(&mut selector), []);
            let taker = thread::spawn(move || {
                others.iter().for_each(|(_, peer)| send(peer));
                // By then, most likely, a tick of the clock has let the other thread answer.
                thread::sleep(Duration::from_millis(10));
                let start = Instant::now();
                if takes_all {
                    let mut ready = Vec::new();
                    selector.select(&mut ready, None).unwrap();
                    assert!(others.iter().any(|(token, _)| *token == ready[0].token));
                }
                drop(selector.unregister(idle).unwrap());
                hears_the_end(&peer);
                assert!(start.elapsed() < Duration::from_secs(30), "{mode:?}");
            });
            // Who made the requests stays out of the kernel, so that what is taken back comes late.
            while !taker.is_finished() {
                std::hint::spin_loop();
            }
            taker.join().unwrap();
        }
    }
}

/// What holds of all rings, for one that stays in its thread.
#[test]
fn a_ring_that_stays_in_its_thread_keeps_the_same_promises() {
    staying(|| {
        a_file_that_was_registered_is_closed_at_once_for_its_peer();
        a_key_that_changes_when_news_has_come_hears_what_epoll_tells();
        what_has_been_read_meanwhile_is_not_reported();
        a_writer_whose_peer_writes_no_more_waits_in_peace_for_room();
        changes_ride_with_the_wait();
        neither_ordinary_bytes_nor_urgent_ones_pass_for_the_others();
        urgent_bytes_end_a_wait();
        a_closed_number_is_told_once();
        a_file_that_is_always_ready_is_told_in_each_wait_to_an_edge_key_too();
        a_number_that_is_closed_after_a_wait_is_held_open_until_it_is_unregistered();
        a_forked_child_neither_asks_nor_takes_back();
    });
}

/// Keys that there are when it is promised are asked for anew, and what they were told is not lost.
#[test]
fn a_selector_that_promises_to_stay_goes_on_with_its_keys() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (mut selector, token, peer) = waiting(mode);
        send(&peer);
        selector.stay_in_this_thread().unwrap();
        assert_eq!(tokens_now(&mut selector), [token], "{mode:?}");
        selector.unregister(token).unwrap();

        let (mut selector, token, peer) = waiting(mode);
        selector.stay_in_this_thread().unwrap();
        assert_eq!(tokens_now(&mut selector), []);
        send(&peer);
        assert_eq!(tokens_now(&mut selector), [token], "{mode:?}");
        drop(selector);
        hears_the_end_after_data(&peer);
    }
}

#[test]
fn a_ring_that_stays_in_its_thread_refuses_another_one_and_goes_on_at_home() {
    if !has_ring() {
        return;
    }
    for (mode, sent_before) in MODES
        .into_iter()
        .flat_map(|mode| [(mode, false), (mode, true)])
    {
        let (mut selector, token, peer) = staying(|| waiting(mode));
        if sent_before {
            send(&peer);
        }
        let mut selector = thread::scope(|scope| {
            let elsewhere = scope.spawn(move || {
                let waited = selector.select(&mut Vec::new(), None).unwrap_err();
                let left = selector.unregister(token).unwrap_err();
                for refused in [waited, left] {
                    let why = Refusal::OtherThread;
                    assert!(matches!(refused, Error::Refused { why: said, .. } if said == why));
                }
                selector
            });
            elsewhere.join().unwrap()
        });
        if !sent_before {
            assert_eq!(tokens_now(&mut selector), [], "{mode:?}");
            send(&peer);
        }
        assert_eq!(tokens_now(&mut selector), [token], "{mode:?}");
        let again = tokens_now(&mut selector).len();
        assert_eq!(again, usize::from(mode == Mode::Level), "{mode:?}");
        // Dropped elsewhere, it is ended by the kernel: who listens hears it.
        peer.set_nonblocking(false).unwrap();
        thread::spawn(|| drop(selector)).join().unwrap();
        hears_the_end_after_data(&peer);
    }
}

/// A kernel that knows no ring of one thread, and one that makes none: the selector is as it was.
#[test]
fn a_promise_that_the_kernel_does_not_know_changes_nothing() {
    if !has_ring() {
        return;
    }
    for (errno, is_refused) in [(libc::EINVAL, false), (libc::ENOMEM, true)] {
        let (mut selector, token, peer) = waiting(Mode::Level);
        fault::inject("io_uring_setup", errno);
        assert_eq!(selector.stay_in_this_thread().is_err(), is_refused);
        send(&peer);
        thread::spawn(move || assert_eq!(tokens_now(&mut selector), [token]))
            .join()
            .unwrap();
    }
}

/// Whose news has come while the program ran: by edge one call brings it.
#[test]
fn by_edge_news_that_waits_costs_one_call() {
    if !has_ring() {
        return;
    }
    let (mut selector, token, peer) = staying(|| waiting(Mode::Edge));
    for _ in 0..5 {
        send(&peer);
        let before = fault::count("io_uring_enter");
        assert_eq!(tokens_now(&mut selector), [token]);
        assert_eq!(fault::count("io_uring_enter") - before, 1);
    }
}

#[test]
fn changes_ride_with_the_wait() {
    if !has_ring() {
        return;
    }
    let (a, _b) = pair();
    let mut selector = selector::<Uring, _, _>();
    let calls = || fault::count("io_uring_enter");
    let before = calls();
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    selector.modify(token, EVENT_WRITE).unwrap();
    assert_eq!(calls() - before, 0);
    // A level key that was reported has no request: it asks again with the next wait.
    for _ in 0..5 {
        let before = calls();
        assert_eq!(tokens_now(&mut selector), [token]);
        assert_eq!(calls() - before, 1);
    }
    let before = calls();
    selector.park(token).unwrap();
    selector.modify(token, EVENT_WRITE).unwrap();
    selector.unregister(token).unwrap();
    assert_eq!(calls() - before, 0);
}

/// Whose requests wait costs a call to give up, and no look without new requests costs one.
#[test]
fn only_a_request_that_waits_costs_a_call_to_end() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (mut selector, token, _peer) = waiting(mode);
        let before = fault::count("io_uring_enter");
        assert_eq!(tokens_now(&mut selector), []);
        assert_eq!(fault::count("io_uring_enter") - before, 0);
        selector.unregister(token).unwrap();
        assert_eq!(fault::count("io_uring_enter") - before, 1, "{mode:?}");
    }
}

#[test]
fn neither_ordinary_bytes_nor_urgent_ones_pass_for_the_others() {
    if !has_ring() {
        return;
    }
    for (mode, urgent) in MODES
        .into_iter()
        .flat_map(|mode| [(mode, false), (mode, true)])
    {
        let (client, server) = tcp_pair();
        let mut selector = selector::<Uring, _, _>();
        let interest = Interest::new(EVENT_READ).priority().mode(mode);
        selector.register_interest(&server, interest, ()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(5));
                match urgent {
                    false => std::io::Write::write_all(&mut &client, b"x").unwrap(),
                    true => crate::sys::testing::send_urgent(std::os::fd::AsFd::as_fd(&client)),
                }
            });
            let mut ready = Vec::new();
            selector.select(&mut ready, None).unwrap();
            let told = ready[0].readiness;
            assert_eq!(told.is_readable(), !urgent, "{mode:?}");
            assert_eq!(told.is_priority(), urgent, "{mode:?}");
        });
    }
}

/// One look at all of a wait says who has urgent bytes.
#[test]
fn whether_bytes_are_urgent_costs_a_call_a_wait_and_not_a_call_a_key() {
    if !has_ring() {
        return;
    }
    let sockets: Vec<_> = (0..60).map(|_| tcp_pair()).collect();
    let mut selector = selector::<Uring, _, _>();
    let interest = Interest::new(EVENT_READ).priority().mode(Mode::Edge);
    for (index, (_, server)) in sockets.iter().enumerate() {
        selector.register_interest(server, interest, index).unwrap();
    }
    assert_eq!(ready_now(&mut selector), []);
    for (index, (client, _)) in sockets.iter().enumerate() {
        match index % 2 {
            0 => std::io::Write::write_all(&mut &*client, b"x").unwrap(),
            _ => crate::sys::testing::send_urgent(std::os::fd::AsFd::as_fd(client)),
        }
    }
    let mut told = std::collections::HashSet::new();
    let (mut waits, before) = (0, fault::count("poll"));
    while told.len() < sockets.len() {
        let mut ready = Vec::new();
        selector.select(&mut ready, None).unwrap();
        waits += 1;
        for event in ready {
            let index = selector.get_key(event.token).unwrap().data;
            assert_eq!(event.readiness.is_priority(), index % 2 == 1, "{event:?}");
            told.insert(index);
        }
    }
    assert!(fault::count("poll") - before <= waits);
}

/// Asked for alone, and with ordinary bytes unread.
#[test]
fn urgent_bytes_end_a_wait() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (client, server) = tcp_pair();
        std::io::Write::write_all(&mut &client, b"ordinary").unwrap();
        let mut selector = selector::<Uring, _, _>();
        let interest = Interest::new(EVENT_READ)
            .without_directions()
            .priority()
            .mode(mode);
        selector.register_interest(&server, interest, ()).unwrap();
        let mut ready = Vec::new();
        let timeout = Some(Duration::from_millis(2));
        assert_eq!(selector.select(&mut ready, timeout).unwrap(), 0);
        std::io::Write::write_all(&mut &client, b"ordinary").unwrap();
        assert_eq!(selector.select(&mut ready, timeout).unwrap(), 0);
        crate::sys::testing::send_urgent(std::os::fd::AsFd::as_fd(&client));
        selector.select(&mut ready, None).unwrap();
        assert!(ready[0].readiness.is_priority(), "{mode:?}");
    }
}

#[test]
fn a_closed_number_is_told_once() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (a, _b) = pair();
        let number = crate::sys::testing::Private::new(&a);
        let mut selector = selector::<Uring, _, _>();
        let token = selector
            .register_with(number.source(), EVENT_READ, mode, ())
            .unwrap();
        number.close();
        let ready = ready_now(&mut selector);
        assert!(ready.len() == 1 && ready[0].0 == token && ready[0].1.is_invalid());
        assert_eq!(ready_now(&mut selector), []);
        selector.unregister(token).unwrap();
    }
}

/// Nothing ever wakes it, and so its request ends with each answer.
#[test]
fn a_file_that_is_always_ready_is_told_in_each_wait_to_an_edge_key_too() {
    if !has_ring() {
        return;
    }
    let file = File::open("/proc/self/exe").unwrap();
    for (mode, told) in MODES
        .into_iter()
        .zip([[1, 1, 1], [1, 1, 1], [1, 0, 0], [1, 0, 0]])
    {
        let mut selector = selector::<Uring, _, _>();
        selector.register_with(&file, EVENT_READ, mode, ()).unwrap();
        let tells = [(); 3].map(|()| tokens_now(&mut selector).len());
        assert_eq!(tells, told, "{mode:?}");
    }
}

/// The request that waits is for the file, not for the number.
#[test]
fn a_number_that_is_closed_after_a_wait_is_held_open_until_it_is_unregistered() {
    if !has_ring() {
        return;
    }
    for mode in MODES {
        let (a, mut peer) = pair();
        let (other, other_peer) = pair();
        let number = crate::sys::testing::Private::new(&a);
        drop(a);
        let mut selector = selector::<Uring, _, _>();
        let token = selector
            .register_with(number.source(), EVENT_READ, mode, ())
            .unwrap();
        assert_eq!(ready_now(&mut selector), []);
        number.reuse(&other);
        send(&other_peer);
        assert_eq!(ready_now(&mut selector), [], "{mode:?}");
        let blocked = peer.read(&mut [0]).unwrap_err().kind();
        assert_eq!(blocked, std::io::ErrorKind::WouldBlock, "{mode:?}");
        // A change is for what the number means now.
        selector.modify(token, Events::READ_WRITE).unwrap();
        assert_eq!(tokens_now(&mut selector), [token], "{mode:?}");
        hears_the_end(&peer);
        selector.unregister(token).unwrap();
    }
}

#[test]
fn a_forked_child_neither_asks_nor_takes_back() {
    if !has_ring() {
        return;
    }
    let (mut selector, token, _peer) = waiting(Mode::Level);
    selector.kernel.ring.maker.in_a_child_for_tests();
    let before = fault::count("io_uring_enter");
    let answer = selector.select(&mut Vec::new(), NOW);
    assert!(matches!(answer, Err(Error::Forked)));
    let answer = selector.modify(token, EVENT_WRITE);
    assert!(matches!(answer, Err(Error::Forked)));
    selector.unregister(token).unwrap();
    drop(selector);
    assert_eq!(fault::count("io_uring_enter"), before);
}

/// Each reason has its name and its words, wherever the backend is asked for.
#[test]
fn a_ring_that_may_not_be_made_says_why() {
    for (errno, why, words) in [
        (libc::ENOSYS, Refusal::NoRing, "has no io_uring"),
        (libc::EPERM, Refusal::RingForbidden, "sandbox"),
        (libc::EINVAL, Refusal::RingTooOld, "5.19"),
        (libc::ENOMEM, Refusal::NoMemoryForRing, "RLIMIT_MEMLOCK"),
        (libc::EMFILE, Refusal::TooManyFiles, "open files"),
    ] {
        let ask: [fn() -> Result<(), Error>; 2] = [
            || Selector::<Uring, File, ()>::new().map(drop),
            || Backend::Uring.selector::<File, ()>().map(drop),
        ];
        for ask in ask {
            fault::inject("io_uring_setup", errno);
            let refused = ask().unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(errno));
            assert!(refused.to_string().contains(words), "{refused}");
            assert!(matches!(refused, Error::Refused { why: said, .. } if said == why));
        }
    }
}

#[test]
fn the_default_is_never_a_ring() {
    for call in ["epoll_create1", "poll"] {
        fault::inject(call, libc::ENOSYS);
    }
    assert_eq!(Backend::probe().unwrap(), Backend::Select);
}

#[test]
fn requests_are_counted_over_the_end() {
    if !has_ring() {
        return;
    }
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<Uring, _, _>();
    selector.kernel.serial = u32::MAX - 2;
    let token = selector.register(&a, EVENT_READ, ()).unwrap();
    for _ in 0..6 {
        assert_eq!(tokens_now(&mut selector), [token]);
    }
}

/// A request that the kernel had no memory for is made by the next wait.
#[test]
fn a_failed_call_loses_no_request() {
    if !has_ring() {
        return;
    }
    let (a, b) = pair();
    send(&b);
    for errno in [libc::EAGAIN, libc::ENOMEM] {
        let mut selector = Selector::<Uring, _, _>::from_kernel(Uring::open().unwrap());
        let token = selector.register(&a, EVENT_READ, ()).unwrap();
        fault::inject("io_uring_enter", errno);
        let failed = selector.select(&mut Vec::new(), NOW).unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(errno));
        assert_eq!(tokens_now(&mut selector), [token]);
        // Nor does a request that could not be taken back end: the key stays.
        drain(&a);
        assert_eq!(tokens_now(&mut selector), []);
        fault::inject("io_uring_enter", libc::EBADF);
        selector.unregister(token).unwrap_err();
        send(&b);
        assert_eq!(tokens_now(&mut selector), [token]);
        selector.unregister(token).unwrap();
    }
}
