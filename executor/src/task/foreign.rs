//! How foreign code is called where a panic of it would hurt somebody else: destructors of what users
//! gave us, and [wakers](crate::run::waker::wake_contained). [`contracts`](crate::contracts#foreign-code)
//! lists every place.

use std::any::Any;

pub(crate) use reactor::contain;

/// What a panic leaves.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Drops what may have destructors of the user's in it.
pub(crate) fn drop_contained<T>(foreign: T) {
    contain(|| drop(foreign));
}
