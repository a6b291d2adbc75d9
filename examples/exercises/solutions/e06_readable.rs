//! Exercise 6, solved.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use exercises::e06::Key;

/// Reads one byte, as soon as there is one.
pub struct Readable {
    key: Rc<Key>,
}

impl Readable {
    /// A byte of this key.
    pub fn new(key: Rc<Key>) -> Readable {
        Readable { key }
    }
}

impl Future for Readable {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
        // Bytes that are there already need no report at all.
        if let Some(byte) = self.key.read() {
            return Poll::Ready(byte);
        }
        // Stored first: a report between the two finds the waker. And in every poll, because the
        // waker of the last one counts.
        self.key.store(cx.waker().clone());
        self.key.arm();
        Poll::Pending
    }
}
