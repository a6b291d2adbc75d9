//! Reactors entered one inside of another, and guards that are dropped in the wrong order or
//! forgotten: a panic says so, nothing stays current, and no fd is kept.
#![cfg(unix)]

use std::cell::RefCell;
use std::fs;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;

use reactor::{EnterGuard, Reactor, Trigger};
use selectors_core::Backend;

fn open_fds() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

fn reactor(backend: Backend) -> Reactor {
    let builder = Reactor::builder().backend(backend).trigger(Trigger::Level);
    builder.build().expect("a reactor")
}

fn current() -> Option<Backend> {
    Reactor::try_current().map(|current| current.backend())
}

fn complaint(guard: EnterGuard) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(guard)));
    let payload = panic.expect_err("it says so");
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .expect("a sentence")
}

/// One test, because it counts the fds of the process.
#[test]
fn guards_that_are_dropped_in_any_order_or_forgotten_leave_nothing() -> io::Result<()> {
    for case in [
        one_inside_of_another,
        the_outer_one_first,
        the_outer_one_first_and_the_inner_one_never,
        one_forgotten_below,
        one_forgotten_alone,
        three_and_the_middle_one_first,
        entered_while_the_thread_ends,
    ] {
        let before = open_fds()?;
        thread::spawn(case).join().expect("no panic");
        assert_eq!(open_fds()?, before, "fds are left");
    }
    Ok(())
}

fn one_inside_of_another() {
    let (one, two) = (reactor(Backend::Poll), reactor(Backend::Select));
    assert_eq!(current(), None);
    let outer = one.enter();
    let inner = two.enter();
    assert_eq!(current(), Some(Backend::Select));
    drop(inner);
    assert_eq!(current(), Some(Backend::Poll));
    // The same one twice.
    drop((one.enter(), one.enter()).1);
    drop(outer);
    assert_eq!(current(), None);
}

fn the_outer_one_first() {
    let (one, two) = (reactor(Backend::Poll), reactor(Backend::Select));
    let outer = one.enter();
    let inner = two.enter();
    let complaint = complaint(outer);
    assert!(complaint.contains("reverse order"));
    assert!(complaint.contains(file!()), "which one? {complaint}");
    assert_eq!(current(), None);
    drop(inner);
    assert_eq!(current(), None);
    // And all is well again.
    let _again = one.enter();
    assert_eq!(current(), Some(Backend::Poll));
}

fn the_outer_one_first_and_the_inner_one_never() {
    let (one, two) = (reactor(Backend::Poll), reactor(Backend::Select));
    let outer = one.enter();
    mem::forget(two.enter());
    drop((one, two));
    assert!(complaint(outer).contains("forgotten"));
    assert_eq!(current(), None);
}

fn one_forgotten_below() {
    let (one, two) = (reactor(Backend::Poll), reactor(Backend::Select));
    mem::forget(one.enter());
    let inner = two.enter();
    drop(inner);
    assert_eq!(current(), Some(Backend::Poll));
}

fn one_forgotten_alone() {
    mem::forget(reactor(Backend::Select).enter());
    assert_eq!(current(), Some(Backend::Select));
}

fn three_and_the_middle_one_first() {
    let all = [Backend::Poll, Backend::Select, Backend::Poll].map(reactor);
    let [first, second, third] = all.each_ref().map(Reactor::enter);
    assert!(complaint(second).contains("reverse order"));
    assert_eq!(current(), Some(Backend::Poll));
    drop(third);
    assert_eq!(current(), Some(Backend::Poll));
    drop(first);
    assert_eq!(current(), None);
}

/// A thread-local that was made before the first reactor was entered goes after the stack did.
fn entered_while_the_thread_ends() {
    struct Late(RefCell<Option<Rc<Reactor>>>);

    impl Drop for Late {
        fn drop(&mut self) {
            let reactor = self.0.take().expect("it was put in");
            let _guard = reactor.enter();
            assert_eq!(current(), Some(Backend::Poll));
        }
    }

    thread_local! {
        static LATE: Late = const { Late(RefCell::new(None)) };
    }
    LATE.with(|late| *late.0.borrow_mut() = Some(Rc::new(reactor(Backend::Poll))));
    mem::forget(reactor(Backend::Select).enter());
}
