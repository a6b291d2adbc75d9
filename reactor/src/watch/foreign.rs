//! Foreign code where a panic would hurt somebody who has not called it.
//! [`contracts`](crate::contracts#foreign-code) lists every place.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How often what a panic leaves may leave another one when it is dropped.
const PAYLOADS: usize = 16;

/// Calls `foreign`, whose panic ends here: the panic hook has reported it. `None` if it did.
pub(crate) fn contain<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    let mut payload = match catch_unwind(AssertUnwindSafe(foreign)) {
        Ok(done) => return Some(done),
        Err(payload) => payload,
    };
    for _ in 0..PAYLOADS {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return None,
            Err(another) => payload = another,
        }
    }
    mem::forget(payload);
    None
}
