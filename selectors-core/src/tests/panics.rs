//! The places where code of the user runs inside this crate; the table is in the crate's docs,
//! "Code that is not ours".

use std::cell::{Cell, RefCell};
#[cfg(not(winsock))]
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::support::*;
use crate::kernel::Select;
#[cfg(not(winsock))]
use crate::kernel::{Devpoll, Epoll, Kqueue, Poll};
use crate::os::{AsFd, BorrowedFd};
use crate::{EVENT_READ, Error, Mode, Selector};

on_every_backend!(
    a_panic_in_a_destructor_at_drop_drops_all_the_others,
    a_panic_in_a_destructor_after_unregister_is_the_callers_own,
    a_panic_in_a_replaced_datum_leaves_the_key_whole,
    a_panic_in_debug_changes_nothing,
    ; but_on_windows:
    a_panic_in_as_fd_registers_nothing,
);

fn panics<T>(f: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// Sockets with a byte in each, the first of which panics when it is handled; then the rest.
#[cfg(not(winsock))]
fn a_panic_in_on_ready_loses_no_event<K: TestKernel>(mode: Mode) {
    let sockets: Vec<_> = (0..4).map(|_| pair()).collect();
    let mut selector = selector::<K, _, _>();
    for (index, (a, b)) in sockets.iter().enumerate() {
        selector.register_with(a, EVENT_READ, mode, index).unwrap();
        send(b);
    }
    let handled = RefCell::new(Vec::new());
    // Each call hands out one event and panics, until none is left.
    for left in (1..=sockets.len()).rev() {
        let panicked = panics(|| {
            selector.select_with(NOW, |_, key, _| {
                if mode == Mode::Level {
                    drain(key.fileobj);
                }
                handled.borrow_mut().push(key.data);
                resume_unwind(Box::new("in a handler"));
            })
        });
        assert!(panicked, "{left} events are still to be reported");
    }
    let none = selector.select_with(NOW, |_, _, _| {}).unwrap();
    assert_eq!(none, 0);
    let mut handled = handled.into_inner();
    handled.sort_unstable();
    assert_eq!(handled, [0, 1, 2, 3]);
}

#[cfg(not(winsock))]
#[test]
fn a_panic_in_on_ready_loses_no_event_in_any_mode() {
    for mode in [Mode::Level, Mode::Edge, Mode::Oneshot, Mode::EdgeOneshot] {
        a_panic_in_on_ready_loses_no_event::<Epoll>(mode);
        a_panic_in_on_ready_loses_no_event::<Kqueue>(mode);
        #[cfg(uring)]
        if has_ring() {
            a_panic_in_on_ready_loses_no_event::<crate::kernel::Uring>(mode);
        }
    }
    for mode in [Mode::Level, Mode::Oneshot] {
        a_panic_in_on_ready_loses_no_event::<Select>(mode);
        a_panic_in_on_ready_loses_no_event::<Poll>(mode);
        a_panic_in_on_ready_loses_no_event::<Devpoll>(mode);
    }
}

/// What is given back is looked at again: a key that is gone or wants something else hears nothing.
#[cfg(not(winsock))]
#[test]
fn events_that_a_panic_left_follow_the_keys() {
    let sockets: Vec<_> = (0..4).map(|_| pair()).collect();
    let mut selector = selector::<Epoll, _, _>();
    for (a, b) in &sockets {
        selector
            .register_with(a, EVENT_READ, Mode::Edge, ())
            .unwrap();
        send(b);
    }
    let first = Cell::new(None);
    assert!(panics(|| {
        selector.select_with(NOW, |token, _, _| {
            first.set(Some(token));
            resume_unwind(Box::new("in a handler"));
        })
    }));
    let tokens: Vec<_> = selector.get_map().iter().map(|(token, _)| token).collect();
    let rest: Vec<_> = tokens
        .into_iter()
        .filter(|token| Some(*token) != first.get())
        .collect();
    selector.unregister(rest[0]).unwrap();
    selector.modify(rest[1], crate::EVENT_WRITE).unwrap();
    let mut reported = Vec::new();
    let counted = selector
        .select_with(NOW, |token, _, _| reported.push(token))
        .unwrap();
    assert_eq!((counted, reported), (1, vec![rest[2]]));
}

#[cfg(not(winsock))]
fn a_panic_in_as_fd_registers_nothing<K: TestKernel>() {
    struct Fickle(UnixStream, Cell<bool>);
    impl AsFd for Fickle {
        fn as_fd(&self) -> BorrowedFd<'_> {
            if self.1.get() {
                resume_unwind(Box::new("in as_fd"));
            }
            self.0.as_fd()
        }
    }
    let (a, b) = pair();
    let fickle = Fickle(a, Cell::new(true));
    let mut selector: Selector<K, &Fickle, ()> = selector();
    assert!(panics(|| selector.register(&fickle, EVENT_READ, ())));
    assert!(selector.get_map().is_empty());
    send(&b);
    assert_eq!(tokens_now(&mut selector), []);
    fickle.1.set(false);
    let token = selector.register(&fickle, EVENT_READ, ()).unwrap();
    // Asked once: nothing afterwards depends on what it answers.
    fickle.1.set(true);
    assert_eq!(tokens_now(&mut selector), [token]);
    selector.modify(token, EVENT_READ).unwrap();
    selector.park(token).unwrap();
    selector.unregister(token).unwrap();
}

/// Counts when it is dropped, and panics if it is told to.
struct Bomb<'a>(&'a Cell<usize>, bool);

impl Drop for Bomb<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        if self.1 {
            resume_unwind(Box::new("in a destructor"));
        }
    }
}

fn a_panic_in_a_destructor_at_drop_drops_all_the_others<K: TestKernel>() {
    let sockets: Vec<_> = (0..3).map(|_| pair()).collect();
    for bad in 0..3 {
        let dropped = Cell::new(0);
        let mut selector = selector::<K, _, _>();
        for (index, (a, _)) in sockets.iter().enumerate() {
            let data = Bomb(&dropped, index == bad);
            selector.register(a, EVENT_READ, data).unwrap();
        }
        assert!(panics(move || drop(selector)));
        assert_eq!(dropped.get(), 3);
    }
}

fn a_panic_in_a_destructor_after_unregister_is_the_callers_own<K: TestKernel>() {
    let ((a, b), (c, d)) = (pair(), pair());
    let dropped = Cell::new(0);
    let mut selector = selector::<K, _, _>();
    let bad = selector
        .register(&a, EVENT_READ, Bomb(&dropped, true))
        .unwrap();
    let good = selector
        .register(&c, EVENT_READ, Bomb(&dropped, false))
        .unwrap();
    // A register that fails gives back what it was given, and drops nothing by itself.
    let failed = selector.register(&a, EVENT_READ, Bomb(&dropped, true));
    assert_eq!(dropped.get(), 0);
    assert!(panics(|| Error::from(failed.unwrap_err())));
    assert!(panics(|| drop(selector.unregister(bad))));
    assert_eq!(dropped.get(), 2);
    assert!(selector.get_key(bad).is_none());
    send(&b);
    send(&d);
    assert_eq!(tokens_now(&mut selector), [good]);
}

fn a_panic_in_a_replaced_datum_leaves_the_key_whole<K: TestKernel>() {
    let (a, b) = pair();
    let dropped = Cell::new(0);
    let mut selector = selector::<K, _, _>();
    let token = selector
        .register(&a, EVENT_READ, Bomb(&dropped, true))
        .unwrap();
    let new = Bomb(&dropped, false);
    assert!(panics(|| *selector.data_mut(token).unwrap() = new));
    assert!(
        !selector.get_key(token).unwrap().data.1,
        "the new one is in"
    );
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
    drop(selector);
    assert_eq!(dropped.get(), 2);
}

fn a_panic_in_debug_changes_nothing<K: TestKernel>() {
    struct Shy;
    impl std::fmt::Debug for Shy {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            resume_unwind(Box::new("in Debug"))
        }
    }
    let (a, b) = pair();
    let mut selector = selector::<K, _, _>();
    let token = selector.register(&a, EVENT_READ, Shy).unwrap();
    assert!(panics(|| format!("{selector:?}")));
    send(&b);
    assert_eq!(tokens_now(&mut selector), [token]);
}
