//! Museum, b01: a future returns Pending and stores its waker nowhere.
//!
//! ```text
//! REACTOR_TRACE=b01.trace cargo run --example b01_no_waker
//! cargo run -p trace -- lint b01.trace
//! cargo run --example b01_no_waker -- fixed
//! ```
//!
//! Symptom: the task hangs, though what it waits for has long happened. Polled again for any other
//! reason, it would see it at once. Lint: `lost-task`.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use examples::command_line::fixed;
use examples::console::all_said;
use examples::say;
use executor::time::{sleep, timeout};

fn main() -> io::Result<()> {
    let fixed = fixed();
    executor::block_on(async {
        let open = Rc::new(Cell::new(false));
        let waiter = Rc::new(RefCell::new(None::<Waker>));
        let (seen, slot) = (Rc::clone(&open), Rc::clone(&waiter));
        let task = executor::spawn(poll_fn(move |cx| {
            if seen.get() {
                return Poll::Ready(());
            }
            if fixed {
                // The fix: whoever opens the door must know whom to wake.
                *slot.borrow_mut() = Some(cx.waker().clone());
            }
            Poll::Pending
        }));
        sleep(Duration::from_millis(5)).await;
        open.set(true);
        let waker = waiter.take();
        waker.into_iter().for_each(Waker::wake);
        match timeout(Duration::from_millis(50), task).await {
            Ok(_) => say!("the task has passed the door"),
            Err(_) => say!("the task hangs: the door is open, and nobody told it"),
        }
    })?;
    all_said()
}
