//! A selector that other threads change while one waits. The waits have no end but an event, or one
//! far beyond what a loaded machine needs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::support::*;
use crate::{Backend, EVENT_READ, EVENT_WRITE, Error, Events, Interest, Mode, SharedSelector};

/// What another thread's `select` reports after `change`, which begins while that thread waits.
fn reported_after<F: crate::os::AsFd + Sync + Send, D: Send>(
    selector: &SharedSelector<F, D>,
    change: impl FnOnce() -> crate::Token,
) {
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut ready = Vec::new();
            let hopeless = Some(Duration::from_secs(60));
            selector.select(&mut ready, hopeless).unwrap();
            ready
        });
        // Most likely it waits by then; it must not matter.
        thread::sleep(Duration::from_millis(5));
        let token = change();
        let ready = waiter.join().unwrap();
        assert_eq!(ready.len(), 1);
        assert_eq!(ready[0].token, token);
    });
}

#[test]
fn others_register_modify_park_and_unregister_while_one_waits() {
    for backend in Backend::available() {
        let ((a, b), (c, _d)) = (pair(), pair());
        let selector = SharedSelector::on(*backend).unwrap();
        assert_eq!(selector.backend(), *backend);
        // A key that is not ready is no reason to return, whatever becomes of it.
        let idle = selector.register(&a, EVENT_READ, 1).unwrap();
        reported_after(&selector, || {
            selector.park(idle).unwrap();
            selector.modify(idle, EVENT_READ).unwrap();
            let interest = Interest::new(EVENT_READ).mode(Mode::Oneshot);
            selector.modify_interest(idle, interest).unwrap();
            assert_eq!(selector.with(idle, |_, data| *data), Some(1));
            selector.register(&c, EVENT_WRITE, 2).unwrap()
        });
        let mut ready = Vec::new();
        selector.select(&mut ready, None).unwrap();
        selector.unregister(ready[0].token).unwrap();

        reported_after(&selector, || {
            selector.modify(idle, Events::READ_WRITE).unwrap();
            idle
        });
        // Unregistered while one waits for it: its bytes end no wait any more.
        selector.modify(idle, EVENT_READ).unwrap();
        reported_after(&selector, || {
            assert_eq!(selector.unregister(idle).unwrap().data, 1);
            send(&b);
            selector.register(&c, EVENT_WRITE, 3).unwrap()
        });
    }
}

#[test]
fn a_shared_select_is_not_early_however_often_others_change_something() {
    for backend in Backend::available() {
        let ((a, _b), (c, _d)) = (pair(), pair());
        let selector = SharedSelector::on(*backend).unwrap();
        selector.register(&a, EVENT_READ, ()).unwrap();
        let (done, changes) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for file in [&c, &c] {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        if let Ok(token) = selector.register(file, EVENT_READ, ()) {
                            selector.modify(token, EVENT_READ).unwrap();
                            selector.unregister(token).unwrap();
                        }
                        changes.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let mut ready = Vec::new();
            for _ in 0..3 {
                let (start, timeout) = (Instant::now(), Duration::from_millis(10));
                assert_eq!(selector.select(&mut ready, Some(timeout)).unwrap(), 0);
                assert!(start.elapsed() >= timeout);
            }
            // The others come in while one waits again and again.
            let before = changes.load(Ordering::Relaxed);
            while changes.load(Ordering::Relaxed) < before + 20 {
                assert_eq!(selector.select(&mut ready, NOW).unwrap(), 0);
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn a_panic_under_the_lock_of_a_shared_selector_stops_nobody() {
    let (a, _b) = pair();
    let selector = SharedSelector::new().unwrap();
    let token = selector.register(&a, EVENT_WRITE, ()).unwrap();
    let panics = || {
        selector.with(token, |_, ()| {
            std::panic::resume_unwind(Box::new("in `with`"))
        })
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
    selector.unregister(token).unwrap();
}

/// A panic that says so, and no thread that waits for itself; then the selector goes on.
#[test]
fn a_closure_that_calls_the_selector_that_calls_it_is_told_so() {
    let (a, _b) = pair();
    let selector = SharedSelector::new().unwrap();
    let token = selector.register(&a, EVENT_WRITE, ()).unwrap();
    let backend = selector.backend();
    let calls: [&dyn Fn(); 4] = [
        &|| drop(selector.unregister(token)),
        &|| drop(selector.select(&mut Vec::new(), NOW)),
        &|| assert_eq!(selector.backend(), backend),
        &|| assert_eq!(selector.with(token, |_, _| ()), None),
    ];
    for call in calls {
        let inside = || selector.with(token, |_, ()| call());
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(inside)).unwrap_err();
        let says = panic.downcast_ref::<&str>().unwrap();
        assert!(says.contains("its own `with`"), "{says}");
    }
    // Another selector is none of its business, and another thread waits.
    let other = SharedSelector::<crate::RawSource, ()>::new().unwrap();
    let (another, started) = (&selector, std::sync::Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            started.wait();
            another.backend()
        });
        let look = |_: &_, (): &mut _| {
            started.wait();
            thread::sleep(Duration::from_millis(2));
            other.backend()
        };
        assert_eq!(selector.with(token, look), Some(other.backend()));
    });
    let mut ready = Vec::new();
    assert_eq!(selector.select(&mut ready, NOW).unwrap(), 1);
}

/// A file object that asks the selector for something when it is asked for its fd.
#[cfg(not(winsock))]
#[test]
fn a_file_is_asked_for_its_fd_before_the_lock_is_taken() {
    use std::os::unix::net::UnixStream;

    struct Asks<'a>(
        UnixStream,
        &'a std::sync::OnceLock<SharedSelector<Asks<'a>, ()>>,
    );

    impl crate::os::AsFd for Asks<'_> {
        fn as_fd(&self) -> crate::os::BorrowedFd<'_> {
            assert!(self.1.get().unwrap().backend() != Backend::Devpoll);
            self.0.as_fd()
        }
    }

    let selector = std::sync::OnceLock::new();
    let shared = selector.get_or_init(|| SharedSelector::new().unwrap());
    let (a, _b) = pair();
    shared
        .register(Asks(a, &selector), EVENT_WRITE, ())
        .unwrap();
    assert_eq!(shared.select(&mut Vec::new(), NOW).unwrap(), 1);
}

#[test]
fn what_a_shared_selector_refuses_comes_back() {
    let (a, _b) = pair();
    let selector = SharedSelector::new().unwrap();
    let token = selector.register(&a, EVENT_READ, 1).unwrap();
    let failed = selector.register(&a, EVENT_READ, 2).unwrap_err();
    assert_eq!(failed.data, 2);
    selector.unregister(token).unwrap();
    let gone = selector.unregister(token).unwrap_err();
    assert!(matches!(gone, Error::NotRegistered(_)));
    assert_eq!(selector.with(token, |_, _| ()), None);
}
