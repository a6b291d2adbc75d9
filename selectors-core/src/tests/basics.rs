//! The verbs, once around.

use std::time::{Duration, Instant};

use super::support::*;
use crate::os::AsRawFd;
use crate::{EVENT_READ, EVENT_WRITE, Error, Events, Mode, Notifier};

on_every_backend!(
    r1_register_select_unregister,
    r5_second_key_for_one_number_is_refused_and_handed_back,
    u2_unregister_twice_is_not_registered,
    m6_modify_changes_what_is_watched,
    s2_zero_does_not_wait_and_a_timeout_is_never_early,
    parked_key_is_silent_even_after_hangup,
    oneshot_reports_once_until_modified,
    edge_reports_changes_only,
    a_token_is_stale_after_its_number_is_registered_again,
    select_with_hands_out_keys,
    close_hands_all_keys_back,
    notifier_wakes_a_wait_from_another_thread,
);

fn r1_register_select_unregister<K: TestKernel>() {
    let (reader, writer) = pair();
    let fd = reader.as_raw_fd();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(reader, EVENT_READ, "data").unwrap();
    assert_eq!(token.fd(), fd);
    assert_eq!(tokens_now(&mut selector), []);

    send(&writer);
    let ready = ready_now(&mut selector);
    assert_eq!(ready.len(), 1);
    assert_eq!(ready[0].0, token);
    assert_eq!(ready[0].1.events(), Some(EVENT_READ));

    let key = selector.unregister(token).unwrap();
    assert_eq!(
        (key.fd, key.events, key.data),
        (fd, Some(EVENT_READ), "data")
    );
    assert!(selector.get_map().is_empty());
    assert_eq!(tokens_now(&mut selector), []);
}

fn r5_second_key_for_one_number_is_refused_and_handed_back<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, 1).unwrap();
    let failed = selector.register(&a, EVENT_WRITE, 2).unwrap_err();
    assert!(matches!(failed.error, Error::AlreadyRegistered(fd) if fd == a.as_raw_fd()));
    assert_eq!(failed.data, 2);
    let key = selector.get_key(token).unwrap();
    assert_eq!((key.events, key.data), (Some(EVENT_READ), 1));
}

fn u2_unregister_twice_is_not_registered<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    let _a = fileobj(selector.unregister(token).unwrap());
    assert!(matches!(
        selector.unregister(token),
        Err(Error::NotRegistered(_))
    ));
    assert!(matches!(
        selector.modify(token, EVENT_READ),
        Err(Error::NotRegistered(_))
    ));
    assert!(matches!(selector.park(token), Err(Error::NotRegistered(_))));
}

fn m6_modify_changes_what_is_watched<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
    selector.modify(token, Events::READ_WRITE).unwrap();
    assert_eq!(ready_now(&mut selector)[0].1.events(), Some(EVENT_WRITE));
    selector.modify(token, EVENT_READ).unwrap();
    assert_eq!(tokens_now(&mut selector), []);
}

fn s2_zero_does_not_wait_and_a_timeout_is_never_early<K: TestKernel>() {
    let (a, _b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(a, EVENT_READ, ()).unwrap();
    let mut ready = Vec::new();
    for micros in [1, 999, 1000, 1001, 20_500] {
        let timeout = Duration::from_micros(micros);
        let start = Instant::now();
        assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 0);
        assert!(start.elapsed() >= timeout, "{micros} us");
    }
}

fn parked_key_is_silent_even_after_hangup<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(a, EVENT_READ, ()).unwrap();
    selector.park(token).unwrap();
    selector.park(token).unwrap();
    assert!(selector.get_key(token).unwrap().is_parked());
    drop(b);
    assert_eq!(tokens_now(&mut selector), []);
    selector.modify(token, EVENT_READ).unwrap();
    assert_eq!(tokens_now(&mut selector), [token]);
    selector.park(token).unwrap();
    selector.unregister(token).unwrap();
}

fn oneshot_reports_once_until_modified<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector
        .register_with(a, EVENT_READ, Mode::Oneshot, ())
        .unwrap();
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    selector.modify(token, EVENT_READ).unwrap();
    assert_eq!(tokens_now(&mut selector), [token]);
    assert_eq!(tokens_now(&mut selector), []);
}

fn edge_reports_changes_only<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = match selector.register_with(a, EVENT_READ, Mode::Edge, ()) {
        Ok(token) => token,
        Err(failed) => {
            assert!(!selector.capabilities().edge);
            assert!(matches!(failed.error, Error::Unsupported { .. }));
            return;
        }
    };
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
    assert_eq!(tokens_now(&mut selector), []);
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
}

fn a_token_is_stale_after_its_number_is_registered_again<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let old = selector.register(&a, EVENT_READ, 1).unwrap();
    selector.unregister(old).unwrap();
    let new = selector.register(&a, EVENT_READ, 2).unwrap();
    assert_eq!(old.fd(), new.fd());
    assert_ne!(old, new);
    assert!(selector.get_key(old).is_none());
    assert!(selector.data_mut(old).is_none());
    assert_eq!(tokens_now(&mut selector), [new]);
}

fn select_with_hands_out_keys<K: TestKernel>() {
    let (a, b) = pair();
    send(&b);
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, "a").unwrap();
    selector.register(&b, EVENT_READ, "b").unwrap();
    let mut seen = Vec::new();
    let n = selector
        .select_with(NOW, |token, key, readiness| {
            seen.push((token, key.data, readiness.events()));
        })
        .unwrap();
    assert_eq!(n, 1);
    assert_eq!(seen, [(token, "a", Some(EVENT_READ))]);
}

fn close_hands_all_keys_back<K: TestKernel>() {
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    selector.register(&a, EVENT_READ, 1).unwrap();
    let parked = selector.register(&b, EVENT_READ, 2).unwrap();
    selector.park(parked).unwrap();
    let keys = selector.close();
    assert_eq!(keys.iter().map(|key| key.data).sum::<i32>(), 3);
    assert_eq!(keys.len(), 2);
}

fn notifier_wakes_a_wait_from_another_thread<K: TestKernel>() {
    let notifier = Notifier::new().unwrap();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&notifier, EVENT_READ, ()).unwrap();
    let mut ready = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| notifier.notify().unwrap());
        assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
    });
    assert_eq!(ready[0].token, token);
    assert!(notifier.clear().unwrap());
    assert!(!notifier.clear().unwrap());
    assert_eq!(tokens_now(&mut selector), []);
}
