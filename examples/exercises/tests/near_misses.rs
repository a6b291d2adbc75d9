//! Answers that come near and are wrong: a judge must not be content with them.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use std::io;
use std::time::Duration;

use executor::net::UnixStream;
use executor::time::timeout;
use exercises::{Judged, e06, e08, e10};

#[track_caller]
fn refused(judged: Judged, words: &str) {
    let wrong = judged.expect_err("not good enough").to_string();
    assert!(wrong.contains(words), "{words:?} is not in: {wrong}");
}

/// A future of a key, from a closure that polls it.
fn future<F>(key: Rc<e06::Key>, mut poll: F) -> Pin<Box<dyn Future<Output = u8>>>
where
    F: FnMut(&e06::Key, &Context<'_>) -> Poll<u8> + 'static,
{
    Box::pin(poll_fn(move |cx| poll(&key, cx)))
}

fn wait(key: &e06::Key, cx: &Context<'_>) -> Poll<u8> {
    key.store(cx.waker().clone());
    key.arm();
    Poll::Pending
}

#[test]
fn e06_must_not_wait_before_it_has_tried() {
    let waits_first = |key| {
        let mut waited = false;
        future(key, move |key, cx| {
            if !waited {
                waited = true;
                return wait(key, cx);
            }
            key.read().map_or_else(|| wait(key, cx), Poll::Ready)
        })
    };
    refused(e06::judge(waits_first), "Try first");
}

#[test]
fn e06_must_arm_again_after_a_wake_in_vain() {
    let once = |key| {
        let mut waited = false;
        future(key, move |key, cx| match key.read() {
            Some(byte) => Poll::Ready(byte),
            None if waited => Poll::Pending,
            None => {
                waited = true;
                wait(key, cx)
            }
        })
    };
    refused(e06::judge(once), "A report is a hint");
}

#[test]
fn e06_must_keep_the_last_waker() {
    let first_waker = |key| {
        let mut kept = None;
        future(key, move |key, cx| match key.read() {
            Some(byte) => Poll::Ready(byte),
            None => {
                let kept = kept.get_or_insert_with(|| cx.waker().clone());
                key.store(kept.clone());
                key.arm();
                Poll::Pending
            }
        })
    };
    refused(e06::judge(first_waker), "last poll is the one that counts");
}

mod e07 {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::{Wake, Waker};

    use exercises::e07::{Queue, judge};

    /// When the flag is cleared: 0 never, 1 after the poll.
    #[derive(Default)]
    struct Wrong<const CLEARS: usize>(Arc<Mutex<VecDeque<Arc<Task>>>>);

    struct Task(usize, AtomicBool, Arc<Mutex<VecDeque<Arc<Task>>>>);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            if !self.1.swap(true, Ordering::SeqCst) {
                let queue = Arc::clone(&self.2);
                queue.lock().expect("nobody panics with it").push_back(self);
            }
        }
    }

    impl<const CLEARS: usize> Queue for Wrong<CLEARS> {
        fn task(&self, number: usize) -> Waker {
            let queue = Arc::clone(&self.0);
            Waker::from(Arc::new(Task(number, AtomicBool::new(false), queue)))
        }

        fn run_one(&self, poll: impl FnOnce(usize)) -> bool {
            let next = self.0.lock().expect("nobody panics with it").pop_front();
            let Some(task) = next else { return false };
            poll(task.0);
            if CLEARS == 1 {
                task.1.store(false, Ordering::SeqCst);
            }
            true
        }
    }

    #[test]
    fn must_clear_the_flag_and_before_the_poll() {
        super::refused(judge::<Wrong<0>>(), "who clears the flag?");
        super::refused(judge::<Wrong<1>>(), "while it was being polled");
    }
}

#[test]
fn e08_must_poll_each_that_is_left_and_no_other() {
    // Polls the second one only once the first is ready, but begins both.
    async fn begins_both<A, B>(a: A, b: B) -> (A::Output, B::Output)
    where
        A: Future,
        B: Future,
    {
        let (mut a, mut b) = (pin!(a), pin!(b));
        let begun = poll_fn(|cx| Poll::Ready(b.as_mut().poll(cx))).await;
        let first = a.as_mut().await;
        match begun {
            Poll::Ready(second) => (first, second),
            Poll::Pending => (first, b.await),
        }
    }
    // The waker that b keeps is good, so this one is only slow, never wrong: it is accepted.
    assert_eq!(e08::judge(begins_both), Ok(()));

    async fn forgets<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
        let (mut a, mut b) = (pin!(a), pin!(b));
        poll_fn(|cx| match (a.as_mut().poll(cx), b.as_mut().poll(cx)) {
            (Poll::Ready(first), Poll::Ready(second)) => Poll::Ready((first, second)),
            _ => Poll::Pending,
        })
        .await
    }
    let words = "the first future was polled again after it had said Ready";
    refused(e08::judge(forgets), words);
    async fn asks_again<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
        let (mut a, mut b) = (pin!(a), pin!(b));
        let (mut first, mut second) = (None, None);
        poll_fn(|cx| {
            if first.is_none() {
                first = ready(a.as_mut().poll(cx));
            }
            if second.is_none() {
                second = ready(b.as_mut().poll(cx));
            }
            if first.is_some() && second.is_some() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        (first.expect("both"), second.expect("both"))
    }
    refused(e08::judge(asks_again), "a loop that never sleeps");
    // The waker of each is one that nobody calls.
    async fn keeps_the_waker<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
        let (mut a, mut b) = (pin!(a), pin!(b));
        let (mut first, mut second) = (None, None);
        poll_fn(|_| {
            let mut cx = Context::from_waker(Waker::noop());
            if first.is_none() {
                first = ready(a.as_mut().poll(&mut cx));
            }
            if second.is_none() {
                second = ready(b.as_mut().poll(&mut cx));
            }
            match first.is_some() && second.is_some() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        (first.expect("both"), second.expect("both"))
    }
    refused(e08::judge(keeps_the_waker), "its waker was lost");
}

fn ready<T>(polled: Poll<T>) -> Option<T> {
    match polled {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

mod e09 {
    use exercises::e09::{LoopStep as L, WakerStep as W, judge};

    #[test]
    fn one_side_in_order_is_not_enough() {
        let right_loop = [L::SayAsleep, L::LookIntoQueue, L::Sleep];
        let right_waker = [W::Push, W::NotifyIfAsleep];
        for (looping, waker, words) in [
            (
                &[L::LookIntoQueue, L::SayAsleep, L::Sleep][..],
                &right_waker[..],
                "lost",
            ),
            (&right_loop, &[W::NotifyIfAsleep, W::Push], "lost"),
            (&right_loop, &[W::Push], "lost"),
            (&[L::LookIntoQueue, L::Sleep], &right_waker, "lost"),
            (
                &right_loop,
                &[W::Push, W::Notify],
                "a system call for each wake",
            ),
            (
                &[L::SayAsleep, L::LookIntoQueue],
                &right_waker,
                "burns a CPU",
            ),
        ] {
            super::refused(judge(looping, waker), words);
        }
    }
}

/// Loses nothing, and is patient with each read and not with the message.
struct EachRead {
    stream: UnixStream,
    message: [u8; 4],
    come: usize,
}

impl e10::Patient for EachRead {
    fn new(stream: UnixStream) -> Self {
        EachRead {
            stream,
            message: [0; 4],
            come: 0,
        }
    }

    async fn next(&mut self, patience: Duration) -> io::Result<Option<[u8; 4]>> {
        while self.come < 4 {
            let rest = &mut self.message[self.come..];
            match timeout(patience, self.stream.read(rest)).await {
                Err(_late) => return Ok(None),
                Ok(read) => self.come += read?,
            }
        }
        self.come = 0;
        Ok(Some(self.message))
    }
}

#[test]
fn e10_must_be_patient_with_the_message() {
    refused(e10::judge::<EachRead>(), "For what is the caller patient?");
}

#[test]
fn e06_must_not_wake_its_own_task() {
    let busy = |key| {
        future(key, |key, cx| {
            if let Some(byte) = key.read() {
                return Poll::Ready(byte);
            }
            cx.waker().wake_by_ref();
            wait(key, cx)
        })
    };
    refused(e06::judge(busy), "never sleeps");
}

/// Reads on behind the end, or takes it for patience that is over.
struct Deaf<const GIVES_UP: bool> {
    stream: UnixStream,
    part: Vec<u8>,
}

impl<const GIVES_UP: bool> e10::Patient for Deaf<GIVES_UP> {
    fn new(stream: UnixStream) -> Self {
        let part = Vec::new();
        Deaf { stream, part }
    }

    async fn next(&mut self, patience: Duration) -> io::Result<Option<[u8; 4]>> {
        let end = std::time::Instant::now() + patience;
        while self.part.len() < 4 {
            let mut bytes = [0; 64];
            match executor::time::timeout_at(end, self.stream.read(&mut bytes)).await {
                Err(_late) => return Ok(None),
                Ok(Ok(0)) if GIVES_UP => return Ok(None),
                Ok(read) => self.part.extend_from_slice(&bytes[..read?]),
            }
        }
        let message: Vec<u8> = self.part.drain(..4).collect();
        Ok(Some(message.try_into().expect("four of them")))
    }
}

#[test]
fn e10_must_not_read_behind_the_end() {
    refused(e10::judge::<Deaf<false>>(), "never sleeps");
}

#[test]
fn e10_must_not_take_the_end_for_lateness() {
    refused(e10::judge::<Deaf<true>>(), "hear that as an error");
}
