//! Museum, b04: a waker is called while a lock is held, and what the waker does needs that lock.
//!
//! ```text
//! REACTOR_TRACE=b04.trace cargo run --example b04_wake_under_lock
//! cargo run -p trace -- lint b04.trace
//! cargo run --example b04_wake_under_lock -- fixed
//! ```
//!
//! Symptom: the program stops, in the loop itself, as soon as somebody is woken; with a `RefCell`
//! in the place of the lock it panics. A waker may do anything, and most of them queue something.
//! Lint: `ready-but-asleep`.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use examples::command_line::fixed;
use examples::console::all_said;
use examples::{say, told};
use selectors_core::{EVENT_READ, PollSelector};

/// One lock for all that loop and wakers share.
#[derive(Default)]
struct Shared {
    waiter: Option<Waker>,
    queue: VecDeque<usize>,
}

fn main() -> io::Result<()> {
    let fixed = fixed();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _from) = listener.accept()?;
    let mut selector = PollSelector::new()?;
    told::begin("poll");
    let shared = Arc::<Mutex<Shared>>::default();
    let theirs = Arc::clone(&shared);
    let waker = waker_fn::waker_fn(move || match theirs.try_lock() {
        Ok(mut shared) => {
            shared.queue.push_back(0);
            told::woken(0, shared.queue.len());
        }
        // With lock() in the place of try_lock(), the thread would wait for itself from here on.
        Err(_) => say!("the waker needs the lock that its caller holds"),
    });
    let mut waited = false;
    let mut task = pin!(poll_fn(|cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        told::waits(&far, EVENT_READ);
        shared.lock().unwrap().waiter = Some(cx.waker().clone());
        Poll::Pending
    }));
    let mut cx = Context::from_waker(&waker);
    let mut poll = || told::polled(0, || task.as_mut().poll(&mut cx));

    told::watched(&far, EVENT_READ);
    let token = selector.register(&far, EVENT_READ, ())?;
    assert!(poll().is_pending(), "nothing was said yet");
    near.write_all(b"hello")?;
    let (mut ready, pause) = (Vec::new(), Some(Duration::from_millis(50)));
    told::asleep(1, pause);
    selector.select(&mut ready, pause)?;
    told::ready(&ready);
    selector.unregister(token)?;
    told::changed(token.fd(), None);

    let mut locked = shared.lock().unwrap();
    let waiter = locked.waiter.take();
    if fixed {
        // The fix: take the waker out, give the lock back, and only then call it.
        drop(locked);
        waiter.into_iter().for_each(Waker::wake);
    } else {
        waiter.into_iter().for_each(Waker::wake);
        drop(locked);
    }
    let next = shared.lock().unwrap().queue.pop_front();
    match next {
        Some(_) if poll().is_ready() => say!("the task was woken"),
        _ => say!("the task hangs: its waker was called, and could do nothing"),
    }
    told::asleep(0, pause);
    selector.select(&mut ready, pause)?;
    told::end();
    all_said()
}
