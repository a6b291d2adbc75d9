//! How foreign code is called where a panic of it would hurt somebody who has not called it; the
//! executor's as well. [`contracts`](crate::contracts#foreign-code) lists every place of this crate.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How often what a panic leaves may leave another one when it is dropped.
const PAYLOADS: usize = 16;

/// Calls `foreign`, whose panic ends here: the panic hook has reported it. `None` if it did.
#[inline]
pub fn contain<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(foreign)) {
        Ok(done) => Some(done),
        Err(payload) => {
            drop_payload(payload, PAYLOADS);
            None
        }
    }
}

/// The destructor of a payload may panic as well, and that one's again. Told not to be inlined,
/// because else each object file of a program has one: ten in an echo server. And no loop, which would be
/// written out sixteen times.
#[cold]
#[inline(never)]
fn drop_payload(payload: Box<dyn Any + Send>, left: usize) {
    if left == 0 {
        mem::forget(payload);
    } else if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        drop_payload(another, left - 1);
    }
}
