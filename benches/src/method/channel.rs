//! The smallest channel within a thread: a message is that there is one. The same for every
//! runtime, so that only its wakes and polls differ.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

#[derive(Default)]
pub struct Channel {
    full: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Channel {
    /// Leaves a message, and wakes whoever waits for one.
    pub fn send(&self) {
        self.full.set(true);
        // Taken first: waking may run code that sends again.
        let waiting = self.waiting.borrow_mut().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Takes a message, once there is one.
    pub async fn receive(&self) {
        poll_fn(|context| {
            if self.full.replace(false) {
                return Poll::Ready(());
            }
            *self.waiting.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
