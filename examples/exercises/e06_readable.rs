//! Exercise 6: the future that waits until a key is readable, and reads a byte.
//!
//! The selector runs on another thread, and the key is watched by edge: once it is armed, the
//! kernel reports it a single time, and that can be at any moment. The report wakes whoever is
//! stored.
//!
//! ```text
//! cargo run -p exercises -- check e06
//! ```

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use exercises::e06::Key;

/// Reads one byte, as soon as there is one.
pub struct Readable {
    key: Rc<Key>,
    armed: bool,
}

impl Readable {
    /// A byte of this key.
    pub fn new(key: Rc<Key>) -> Readable {
        Readable { key, armed: false }
    }
}

impl Future for Readable {
    type Output = u8;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
        // To be changed.
        if !self.armed {
            self.armed = true;
            self.key.arm();
            self.key.store(cx.waker().clone());
            return Poll::Pending;
        }
        match self.key.read() {
            Some(byte) => Poll::Ready(byte),
            None => Poll::Pending,
        }
    }
}
