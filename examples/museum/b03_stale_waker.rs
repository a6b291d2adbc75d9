//! Museum, b03: a future keeps the waker of its first poll, and is then polled by another task.
//!
//! ```text
//! REACTOR_TRACE=b03.trace cargo run --example b03_stale_waker
//! cargo run -p trace -- lint b03.trace
//! cargo run --example b03_stale_waker -- fixed
//! ```
//!
//! Symptom: a task hangs after a future was moved into it, though the future was woken: the wake
//! went to the task that polled it before. Lint: `lost-task`.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use examples::command_line::fixed;
use examples::console::all_said;
use examples::say;
use executor::time::{sleep, timeout};

#[derive(Default)]
struct Shared {
    open: bool,
    waker: Option<Waker>,
}

struct Door {
    shared: Rc<RefCell<Shared>>,
    fixed: bool,
}

impl Future for Door {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut shared = self.shared.borrow_mut();
        if shared.open {
            return Poll::Ready(());
        }
        // The fix: the waker of the *last* poll is the one that counts.
        if self.fixed || shared.waker.is_none() {
            shared.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

fn main() -> io::Result<()> {
    let fixed = fixed();
    executor::block_on(async {
        let shared = Rc::<RefCell<Shared>>::default();
        let mut door = Door {
            shared: Rc::clone(&shared),
            fixed,
        };
        // The first poll is in this task, the next one in another.
        let looked = timeout(Duration::ZERO, &mut door).await;
        assert!(looked.is_err(), "it is not open yet");
        let task = executor::spawn(door);
        sleep(Duration::from_millis(5)).await;
        let waker = {
            let mut shared = shared.borrow_mut();
            shared.open = true;
            shared.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        match timeout(Duration::from_millis(50), task).await {
            Ok(_) => say!("the task has passed the door"),
            Err(_) => say!("the task hangs: somebody else was woken in its place"),
        }
    })?;
    all_said()
}
