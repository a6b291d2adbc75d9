//! Every solution satisfies its judge; every start does not, and is told so in words that help.

use exercises::{Exercise, Version, e05};
use selectors_core::Events;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

#[track_caller]
fn judged(name: &str, words: &[&str]) {
    let exercise = Exercise::named(name).expect("it is in the table");
    if let Err(wrong) = exercise.check(Version::Solution) {
        panic!("the solution of {name} is wrong: {wrong}");
    }
    let Err(wrong) = exercise.check(Version::Start) else {
        panic!(
            "{name} is solved. Well done! The project keeps its starts unsolved, so this test fails"
        );
    };
    for words in words {
        assert!(
            wrong.to_string().contains(words),
            "{words:?} is not in: {wrong}"
        );
    }
}

#[test]
fn e01_names_the_first_event_that_is_off() {
    judged(
        "e01",
        &[
            "step 1",
            "event 2",
            "you say \"accept B\"",
            "did \"answer A\"",
        ],
    );
}

#[test]
fn e02_says_what_was_in_the_trace() {
    judged(
        "e02",
        &["three WouldBlock, then four bytes in", "Some(0.75)"],
    );
}

#[test]
fn e03_says_what_the_kernel_would_miss() {
    judged("e03", &["an empty set", "not at 64"]);
}

#[test]
fn e04_tells_whom_the_server_answered() {
    judged("e04", &["A at 0 ms, B at 0 ms", "who was reported first?"]);
}

#[test]
fn e05_describes_the_situation() {
    judged(
        "e05",
        &["bytes have come, and somebody asks for READ", "reports []"],
    );
}

#[test]
fn e06_shows_the_order_that_loses_the_edge() {
    judged(
        "e06",
        &[
            "sleeps for ever",
            "arm\n      ... bytes come",
            "nobody is stored\n    store the waker",
        ],
    );
}

#[test]
fn e07_says_who_was_polled() {
    judged("e07", &["woken twice", "[1, 1]"]);
}

#[test]
fn e08_says_who_has_not_begun() {
    judged(
        "e08",
        &["polled 1 times", "second 0 times", "has not even begun"],
    );
}

#[test]
fn e09_shows_the_steps_that_lose_a_wake() {
    judged(
        "e09",
        &[
            "a wake is lost",
            "finds the loop awake, and does not notify",
            "sleeps in select",
        ],
    );
}

#[test]
fn e10_shows_which_bytes_came() {
    judged(
        "e10",
        &["\"cdef\"", "bytes are lost", "where were the bytes"],
    );
}

/// The selector of `selectors-core`, in three verbs: the suite asks nothing that it does not do.
#[derive(Default)]
struct Ours<'fd>(Option<selectors_core::PollSelector<BorrowedFd<'fd>, ()>>);

impl<'fd> e05::Waits<'fd> for Ours<'fd> {
    fn register(&mut self, fd: BorrowedFd<'fd>, events: Events) {
        let selector = selectors_core::PollSelector::new().expect("poll needs no fd");
        let selector = self.0.get_or_insert(selector);
        selector
            .register(fd, events, ())
            .expect("it is open and new");
    }

    fn unregister(&mut self, fd: RawFd) {
        let selector = self.0.as_mut().expect("something is registered");
        let (token, _) = selector.get_key_by_fd(fd).expect("this, too");
        selector.unregister(token).expect("it was registered");
    }

    fn select(&mut self, timeout: Option<Duration>) -> io::Result<Vec<(RawFd, Events)>> {
        let selector = self.0.as_mut().expect("something is registered");
        let mut ready = Vec::new();
        selector.select(&mut ready, timeout)?;
        let events = |event: &selectors_core::Event| event.readiness.events();
        let ready = ready
            .iter()
            .filter_map(|event| Some((event.token.fd(), events(event)?)));
        Ok(ready.collect())
    }
}

#[test]
fn the_suite_of_e05_holds_for_the_selector_of_the_library() {
    e05::judge::<Ours<'_>>().expect("the library conforms");
}
