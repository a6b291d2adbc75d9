//! How foreign code is called where a panic of it would hurt somebody else: destructors of what users
//! gave us, and [wakers](crate::run::waker::wake_contained). [`contracts`](crate::contracts#foreign-code)
//! lists every place.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic leaves.
pub(crate) type Payload = Box<dyn Any + Send>;

/// How often a payload may leave another one when it is dropped.
const PAYLOADS: usize = 16;

/// Calls `foreign`, whose panic ends here: the panic hook has reported it. `None` if it did.
#[inline]
pub(crate) fn contain<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(foreign)) {
        Ok(done) => Some(done),
        Err(payload) => {
            drop_payload(payload);
            None
        }
    }
}

/// Drops what may have destructors of the user's in it.
pub(crate) fn drop_contained<T>(foreign: T) {
    contain(|| drop(foreign));
}

/// The destructor of a payload may panic as well, and that one's again.
#[cold]
fn drop_payload(mut payload: Payload) {
    for _ in 0..PAYLOADS {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(another) => payload = another,
        }
    }
    mem::forget(payload);
}
