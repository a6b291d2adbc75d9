//! Rows S1 and S12 to S26: what select reports, in which order, and how much.

use std::collections::HashSet;
use std::io::Read;

use super::support::*;
use crate::kernel::{AsRawEvent, Kernel, Open, Select};
#[cfg(not(winsock))]
use crate::kernel::{Devpoll, Epoll, Kqueue, Poll};
use crate::sys::fault;
#[cfg(not(winsock))]
use crate::sys::testing::Private;
use crate::{EVENT_READ, EVENT_WRITE, Events, Interest, Mode, Readiness, Token};

on_every_backend!(
    s1_level_is_reported_again_and_a_batch_is_a_snapshot,
    s12_only_what_the_key_watches_is_reported,
    s15_gh110038_both_directions_are_one_event,
    s17_s22_s23_the_buffer_outlives_its_keys,
    s19_everything_ready_is_in_one_call,
    s26_steady_selects_do_not_allocate_events_anew,
    ; but_on_windows:
    s16_an_event_is_never_empty,
    s20_a_closed_number_is_bounded_and_disturbs_nobody,
);

fn s1_level_is_reported_again_and_a_batch_is_a_snapshot<K: TestKernel>() {
    let ((a, b), (c, d)) = (pair(), pair());
    send(&b);
    send(&d);
    let mut selector = selector::<K, _, _>();
    let one = selector.register(&a, EVENT_READ, ()).unwrap();
    let two = selector.register(&c, EVENT_READ, ()).unwrap();
    let mut expected = [one, two];
    expected.sort_unstable();
    assert_eq!(tokens_now(&mut selector), expected);
    assert_eq!(tokens_now(&mut selector), expected);
    let mut ready = Vec::new();
    selector.select(&mut ready, None).unwrap();
    // The first handler unregisters everything; the second event of the batch is still there and
    // its token tells that it is stale.
    selector.unregister(one).unwrap();
    selector.unregister(two).unwrap();
    assert_eq!(ready.len(), 2);
    assert!(
        ready
            .iter()
            .all(|event| selector.get_key(event.token).is_none())
    );
}

fn s12_only_what_the_key_watches_is_reported<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_WRITE, ()).unwrap();
    assert_eq!(masks_now(&mut selector), [2]);
    selector.modify(token, EVENT_READ).unwrap();
    assert_eq!(masks_now(&mut selector), [1]);
    selector.modify(token, Events::READ_WRITE).unwrap();
    assert_eq!(masks_now(&mut selector), [3]);
}

fn s15_gh110038_both_directions_are_one_event<K: TestKernel>() {
    let sockets: Vec<_> = (0..20).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    for (a, b) in &sockets {
        send(b);
        selector.register(a, Events::READ_WRITE, ()).unwrap();
    }
    // Twice as many filters as keys, and each key once, whole.
    assert_eq!(masks_now(&mut selector), [3; 20]);
}

#[cfg(not(winsock))]
fn s16_an_event_is_never_empty<K: TestKernel>() {
    let (reader, writer) = pipe();
    let mut selector = selector::<K, _, _>();
    selector.register(&reader, EVENT_WRITE, ()).unwrap();
    drop(writer);
    let mut ready = Vec::new();
    selector.select_interruptible(&mut ready, NOW).unwrap();
    assert!(ready.iter().all(|event| event.readiness.events().is_some()));
}

fn s17_s22_s23_the_buffer_outlives_its_keys<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut ready = Vec::new();
    {
        let mut selector = selector::<K, _, _>();
        selector.register(&a, EVENT_READ, ()).unwrap();
        selector.select(&mut ready, None).unwrap();
    }
    // The events borrow nothing, so the selector may be gone.
    assert_eq!(ready.len(), 1);
}

#[cfg(not(winsock))]
#[test]
fn s18_order_of_results_select_and_poll_are_predictable() {
    fn order<K: TestKernel>() -> (Vec<i32>, Vec<i32>) {
        let sockets: Vec<_> = (0..6).map(|_| pair()).collect();
        let mut selector = selector::<K, _, _>();
        let mut registered = Vec::new();
        // From the highest number to the lowest.
        for (a, _) in sockets.iter().rev() {
            registered.push(selector.register(a, EVENT_WRITE, ()).unwrap().fd());
        }
        let mut ready = Vec::new();
        selector.select(&mut ready, NOW).unwrap();
        (
            registered,
            ready.iter().map(|event| event.token.fd()).collect(),
        )
    }
    let (registered, ready) = order::<Poll>();
    assert_eq!(
        ready, registered,
        "poll: order of registration, while nothing is removed"
    );
    // Sorted, because the numbers come as other tests leave them free.
    let (mut registered, ready) = order::<Select>();
    registered.sort_unstable();
    assert_eq!(ready, registered, "select: order of numbers");
    let (registered, ready) = order::<Epoll>();
    let as_set = |fds: Vec<i32>| fds.into_iter().collect::<HashSet<_>>();
    assert_eq!(
        as_set(ready),
        as_set(registered),
        "epoll: the kernel's order"
    );
}

fn s19_everything_ready_is_in_one_call<K: TestKernel>() {
    let sockets: Vec<_> = (0..100).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    for (a, _) in &sockets {
        selector.register(a, EVENT_WRITE, ()).unwrap();
    }
    let mut ready = Vec::new();
    assert_eq!(selector.select_interruptible(&mut ready, NOW).unwrap(), 100);
    let distinct: HashSet<Token> = ready.iter().map(|event| event.token).collect();
    assert_eq!(distinct.len(), 100);
}

#[cfg(not(winsock))]
#[test]
fn s19_a_full_event_buffer_of_devpoll_leaves_the_rest_for_the_next_wait() {
    // What does not fit is still ready; the double reports the lowest numbers first.
    let sockets: Vec<_> = (0..3).map(|_| pair()).collect();
    let mut kernel = Devpoll::open().unwrap();
    for (index, (a, _)) in (0..).zip(&sockets) {
        let fd = crate::os::AsRawFd::as_raw_fd(a);
        let token = Token::new(fd, index);
        kernel
            .add(token, Interest::new(EVENT_WRITE).mode(Mode::Oneshot))
            .unwrap();
    }
    kernel.buffer.truncate(1);
    let mut seen = HashSet::new();
    for _ in 0..3 {
        seen.extend(
            kernel
                .wait(NOW)
                .unwrap()
                .iter()
                .map(|record| record.tag().fd),
        );
    }
    assert_eq!(seen.len(), 3);
}

#[cfg(not(winsock))]
fn s20_a_closed_number_is_bounded_and_disturbs_nobody<K: TestKernel>() {
    let ((a, _b), (c, d)) = (pair(), pair());
    let number = Private::new(&a);
    drop(a);
    let mut selector = selector::<K, Box<dyn crate::os::AsFd>, _>();
    let good = selector.register(Box::new(c), EVENT_READ, "good").unwrap();
    let bad = selector
        .register(Box::new(number.source()), EVENT_READ, "bad")
        .unwrap();
    number.close();
    let first = ready_now(&mut selector);
    for (token, readiness) in &first {
        assert_eq!((*token, readiness.is_invalid()), (bad, true));
        assert_eq!(
            readiness.events(),
            Some(EVENT_READ),
            "counts as ready, so that it is noticed"
        );
    }
    assert!(first.len() <= 1);
    assert_eq!(tokens_now(&mut selector), [], "reported once, then silent");
    send(&d);
    assert_eq!(tokens_now(&mut selector), [good]);
    // Watching anew says it anew, where anybody says it.
    if selector.modify(bad, EVENT_WRITE).is_ok() {
        assert_eq!(ready_now(&mut selector).len(), first.len() + 1);
    }
    selector.unregister(bad).unwrap();
    assert_eq!(tokens_now(&mut selector), [good]);
}

#[cfg(not(winsock))]
#[test]
fn s20_select_names_the_culprit_of_ebadf() {
    let (a, _b) = pair();
    let number = Private::new(&a);
    let mut selector = selector::<Select, _, _>();
    let bad = selector.register(number.source(), EVENT_READ, ()).unwrap();
    number.close();
    assert_eq!(
        ready_now(&mut selector),
        [(bad, Readiness::INVALID | Readiness::READABLE)]
    );
}

#[cfg(not(winsock))]
#[test]
fn s24_a_second_select_at_the_same_time_is_no_program() {
    // `select` takes `&mut self`; see the compile_fail test on `BaseSelector`.
    fn needs_exclusive<K: Kernel>(selector: &mut crate::Selector<K, std::fs::File, ()>) {
        let _ = selector.select(&mut Vec::new(), NOW);
    }
    needs_exclusive(&mut selector::<Poll, _, _>());
}

#[cfg(not(winsock))]
#[test]
fn s25_poll_with_more_than_the_limit_reports_einval() {
    fault::inject("poll", libc::EINVAL);
    let mut selector = selector::<Poll, std::fs::File, ()>();
    let failed = selector.select(&mut Vec::new(), NOW).unwrap_err();
    assert_eq!(failed.raw_os_error(), Some(libc::EINVAL));
    assert!(failed.to_string().starts_with("poll: "), "{failed}");
}

fn s26_steady_selects_do_not_allocate_events_anew<K: TestKernel>() {
    let (a, mut b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(&a, Events::READ_WRITE, ()).unwrap();
    let mut ready = Vec::with_capacity(4);
    let place = ready.as_ptr();
    for _ in 0..10 {
        send(&b);
        selector.select(&mut ready, None).unwrap();
        assert_eq!((ready.as_ptr(), ready.capacity()), (place, 4));
    }
    let _ = b.read(&mut [0; 1]);
}

#[cfg(not(winsock))]
#[test]
fn gh102494_the_buffers_of_devpoll_are_bounded() {
    let sockets: Vec<_> = (0..150).map(|_| pair()).collect();
    let mut selector = selector::<Devpoll, _, _>();
    let mut tokens = Vec::new();
    for (a, b) in &sockets {
        tokens.push(selector.register(a, EVENT_WRITE, ()).unwrap());
        tokens.push(selector.register(b, EVENT_WRITE, ()).unwrap());
    }
    // More changes than the buffer holds were written early, in order.
    assert!(fault::count("write") >= 1);
    assert_eq!(tokens_now(&mut selector).len(), tokens.len());
    for token in &tokens {
        selector.modify(*token, EVENT_READ).unwrap();
    }
    assert_eq!(
        tokens_now(&mut selector),
        [],
        "removal before re-adding: no bit is left over"
    );
}

#[cfg(not(winsock))]
#[test]
fn s15_a_kqueue_key_with_two_filters_and_oneshot_falls_silent_whole() {
    let (a, b) = pair();
    fill(&a);
    send(&b);
    let mut selector = selector::<Kqueue, _, _>();
    selector
        .register_with(&a, Events::READ_WRITE, Mode::Oneshot, ())
        .unwrap();
    assert_eq!(masks_now(&mut selector), [1]);
    drain(&b);
    assert_eq!(
        masks_now(&mut selector),
        [],
        "the other filter has been taken out"
    );
}
