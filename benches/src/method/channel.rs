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

/// Opens when so many have counted down.
pub struct Latch {
    left: Cell<usize>,
    open: Channel,
}

impl Latch {
    /// Closed until then.
    pub fn of(count: usize) -> Self {
        Self { left: Cell::new(count), open: Channel::default() }
    }

    pub fn count_down(&self) {
        self.left.set(self.left.get().wrapping_sub(1));
        if self.left.get() == 0 {
            self.open.send();
        }
    }

    /// Waits until it opens, and closes it again, for as many as at first.
    pub async fn opened(&self, again: usize) {
        self.open.receive().await;
        self.left.set(again);
    }
}
