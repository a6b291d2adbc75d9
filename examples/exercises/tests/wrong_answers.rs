//! What learners write first, and the sentence that each gets: three for each exercise, here or in
//! `near_misses*.rs`.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::RawFd;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use executor::net::UnixStream;
use executor::time::timeout_at;
use exercises::{Judged, e01, e04, e06, e08, e10};
use selectors_core::{Readiness, Script};

#[track_caller]
fn refused(judged: Judged, words: &str) {
    let wrong = judged.expect_err("not good enough").to_string();
    assert!(wrong.contains(words), "{words:?} is not in: {wrong}");
}

const ONE_BY_ONE: [&str; 9] = [
    "accept A", "answer A", "end A", "accept B", "answer B", "end B", "accept C", "answer C",
    "end C",
];
const TOGETHER: [&str; 9] = [
    "accept A", "accept B", "accept C", "answer C", "answer B", "answer A", "end A", "end B",
    "end C",
];

#[test]
fn e01_says_where_a_prediction_leaves_what_happens() {
    assert_eq!(e01::judge(&ONE_BY_ONE, &TOGETHER), Ok(()));
    // A thread for each, from the beginning.
    let words =
        "step 1, one thread, event 2: you say \"accept B\", and the server did \"answer A\"";
    refused(e01::judge(&TOGETHER, &TOGETHER), words);
    // It answers whoever has spoken first, and forgets that A is still there.
    let mut by_words = ONE_BY_ONE;
    by_words.swap(1, 2);
    let words = "event 2: you say \"end A\", and the server did \"answer A\"";
    refused(e01::judge(&by_words, &TOGETHER), words);
    // Threads answer in the order of accept.
    let mut in_order = TOGETHER;
    in_order.swap(3, 5);
    let words = "step 2, a thread for each client, event 4: you say \"answer A\"";
    refused(e01::judge(&ONE_BY_ONE, &in_order), words);
}

#[test]
fn e04_says_what_the_server_did_under_this_kernel() {
    const SECOND: Duration = Duration::from_secs(1);
    fn both_at_once(script: &Script, a: RawFd, b: RawFd) {
        script.ready(&[(b, Readiness::READABLE), (a, Readiness::READABLE)]);
        script.ready(&[(b, Readiness::WRITABLE), (a, Readiness::WRITABLE)]);
    }
    refused(e04::judge(both_at_once), "between them should be 1000 ms");
    fn the_wrong_one_first(script: &Script, a: RawFd, b: RawFd) {
        both_in_a_row(script, a, b);
    }
    fn both_in_a_row(script: &Script, first: RawFd, second: RawFd) {
        script.ready(&[(first, Readiness::READABLE)]);
        script.ready(&[(first, Readiness::WRITABLE)]);
        script.ready_after(SECOND, &[(second, Readiness::READABLE)]);
        script.ready(&[(second, Readiness::WRITABLE)]);
    }
    refused(e04::judge(the_wrong_one_first), "who was reported first?");
    fn no_room_to_write(script: &Script, a: RawFd, b: RawFd) {
        script.ready(&[(b, Readiness::READABLE)]);
        script.ready_after(SECOND, &[(a, Readiness::READABLE)]);
    }
    refused(e04::judge(no_room_to_write), "WRITE on A and WRITE on B");
}

/// A future of a key, from a closure that polls it.
fn future<F>(key: Rc<e06::Key>, mut poll: F) -> Pin<Box<dyn Future<Output = u8>>>
where
    F: FnMut(&e06::Key, &Context<'_>) -> Poll<u8> + 'static,
{
    Box::pin(poll_fn(move |cx| poll(&key, cx)))
}

#[test]
fn e06_takes_no_loop_for_a_wait() {
    // Arms, stores nobody, and wakes itself in place of it.
    let wakes_itself = |key| {
        future(key, |key, cx| {
            if let Some(byte) = key.read() {
                return Poll::Ready(byte);
            }
            key.arm();
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    };
    refused(e06::judge(wakes_itself), "a loop that never sleeps");
    // Stores, and asks nobody to report.
    let never_arms = |key| {
        future(key, |key, cx| {
            if let Some(byte) = key.read() {
                return Poll::Ready(byte);
            }
            key.store(cx.waker().clone());
            Poll::Pending
        })
    };
    refused(e06::judge(never_arms), "sleeps for ever");
    // Looks again after it has armed, as careful people do: that is right.
    let looks_twice = |key| {
        future(key, |key, cx| {
            if let Some(byte) = key.read() {
                return Poll::Ready(byte);
            }
            key.store(cx.waker().clone());
            key.arm();
            key.read().map_or(Poll::Pending, Poll::Ready)
        })
    };
    assert_eq!(e06::judge(looks_twice), Ok(()));
}

mod e07 {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::task::{Wake, Waker};

    use exercises::e07::{Queue, judge};

    type Places = Arc<Mutex<VecDeque<usize>>>;

    /// A queue without flags; `LAST` takes the one that was woken last.
    #[derive(Default)]
    struct Plain<const LAST: bool>(Places);

    struct Task(usize, Places);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            let mut places = self.1.lock().expect("nobody panics with it");
            places.push_back(self.0);
        }
    }

    impl<const LAST: bool> Queue for Plain<LAST> {
        fn task(&self, number: usize) -> Waker {
            Waker::from(Arc::new(Task(number, Arc::clone(&self.0))))
        }

        fn run_one(&self, poll: impl FnOnce(usize)) -> bool {
            let mut places = self.0.lock().expect("nobody panics with it");
            let next = if LAST {
                places.pop_back()
            } else {
                places.pop_front()
            };
            drop(places);
            next.map(poll).is_some()
        }
    }

    #[test]
    fn must_have_a_flag_and_keep_the_order() {
        super::refused(judge::<Plain<false>>(), "woken twice before it ran");
        super::refused(
            judge::<Plain<true>>(),
            "in this order, and polled were [1, 0, 2]",
        );
    }
}

#[test]
fn e08_needs_both_from_the_beginning_to_the_end() {
    async fn one_after_the_other<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
        (a.await, b.await)
    }
    refused(e08::judge(one_after_the_other), "has not even begun");
    /// Forgets the first one as soon as it has begun the second.
    async fn only_the_second<A, B>(a: A, b: B) -> (A::Output, B::Output)
    where
        A: Future<Output = u8>,
        B: Future<Output = u8>,
    {
        let (mut a, mut b) = (pin!(a), pin!(b));
        let begun = poll_fn(|cx| Poll::Ready(a.as_mut().poll(cx))).await;
        let second = b.as_mut().await;
        match begun {
            Poll::Ready(first) => (first, second),
            Poll::Pending => (0, second),
        }
    }
    refused(e08::judge(only_the_second), "join2 says Ready((0, 2))");
    /// Keeps both in a task that nobody polls again when the first of them is ready.
    async fn stops_at_the_first<A, B>(a: A, b: B) -> (A::Output, B::Output)
    where
        A: Future<Output = u8>,
        B: Future<Output = u8>,
    {
        let (mut a, mut b) = (pin!(a), pin!(b));
        let (mut first, mut second) = (None, None);
        poll_fn(|cx| {
            if let Poll::Ready(ready) = a.as_mut().poll(cx) {
                first = Some(ready);
            } else if let Poll::Ready(ready) = b.as_mut().poll(cx) {
                second = Some(ready);
            }
            if first.is_some() || second.is_some() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
        (first.unwrap_or_default(), second.unwrap_or_default())
    }
    refused(e08::judge(stops_at_the_first), "join2 says Ready(");
}

/// Reads into a buffer of its own, and takes 0 for nothing yet.
struct IgnoresZero {
    stream: UnixStream,
    part: Vec<u8>,
}

impl e10::Patient for IgnoresZero {
    fn new(stream: UnixStream) -> Self {
        let part = Vec::new();
        IgnoresZero { stream, part }
    }

    async fn next(&mut self, patience: Duration) -> io::Result<Option<[u8; 4]>> {
        let end = Instant::now() + patience;
        while self.part.len() < 4 {
            let mut bytes = [0; 64];
            match timeout_at(end, self.stream.read(&mut bytes)).await {
                Err(_late) => return Ok(None),
                Ok(read) => self.part.extend_from_slice(&bytes[..read?]),
            }
        }
        let message: Vec<u8> = self.part.drain(..4).collect();
        Ok(Some(message.try_into().expect("four of them")))
    }
}

/// Reads in one go what may be cut anywhere.
struct ReadsExactly(UnixStream);

impl e10::Patient for ReadsExactly {
    fn new(stream: UnixStream) -> Self {
        ReadsExactly(stream)
    }

    async fn next(&mut self, patience: Duration) -> io::Result<Option<[u8; 4]>> {
        let mut message = [0; 4];
        match timeout_at(Instant::now() + patience, self.0.read_exact(&mut message)).await {
            Err(_late) => Ok(None),
            Ok(read) => read.map(|()| Some(message)),
        }
    }
}

#[test]
fn e10_hears_the_end_and_loses_nothing() {
    refused(
        e10::judge::<IgnoresZero>(),
        "A read that returns 0 is the end",
    );
    refused(e10::judge::<ReadsExactly>(), "bytes are lost");
}
