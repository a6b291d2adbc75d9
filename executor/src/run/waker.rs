//! The waker: an id in the data pointer of a `RawWaker`.
//!
//! Such a waker is not counted: clone copies a number, drop does nothing, and there is nothing to
//! free. A wake finds its task by the slot, knows a task that is gone by its generation, and finds
//! nobody where the runtime is gone. Because nobody knows who still holds such a waker, no id is
//! given twice while the process lives: see [`contracts`](crate::contracts#names).
//!
//! Where a pointer has 32 bits, the id does not fit and an `Arc` carries it.
//!
//! This module holds the only unsafe code of the crate.

use std::mem;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::run::counted::Counted;
use crate::run::current;
use crate::task::foreign::contain;

pub(crate) use packed::{id, waker};

/// Gets rid of a waker of ours: where nothing is counted, without a call.
#[inline]
pub(crate) fn forget(waker: Waker) {
    if cfg!(target_pointer_width = "64") {
        mem::forget(waker);
    }
}

/// The same as its `clone`: where it is one of ours, without a call.
#[inline]
pub(crate) fn clone(waker: &Waker) -> Waker {
    match id(waker) {
        Some(id) => packed::waker(id),
        None => waker.clone(),
    }
}

/// Calls a waker. Ours do not panic, and are called without detour.
#[inline(never)]
pub(crate) fn wake_contained(waker: Waker) {
    match id(&waker) {
        Some(id) => {
            current::wake(id);
            forget(waker);
        }
        None => wake_foreign(waker),
    }
}

#[cold]
fn wake_foreign(waker: Waker) {
    contain(|| waker.wake());
}

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        current::wake(self.0);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        current::wake(self.0);
    }
}

#[cfg(target_pointer_width = "64")]
#[expect(
    unsafe_code,
    reason = "a waker without an allocation needs a vtable of our own"
)]
mod packed {
    use std::ptr;
    use std::task::{RawWaker, RawWakerVTable, Waker};

    use crate::run::current::wake_packed;
    use crate::task::id::Id;

    /// The waker of this task.
    #[inline]
    pub(crate) fn waker(id: Id) -> Waker {
        let raw = RawWaker::new(ptr::without_provenance(id.bits() as usize), &VTABLE);
        // SAFETY: `RawWaker` asks for functions that are thread safe and for data that is valid
        // with them until the last clone is dropped. The data is a number, never dereferenced, so
        // it is valid on every thread and for ever; `wake` may be called from any thread.
        unsafe { Waker::from_raw(raw) }
    }

    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &VTABLE),
        // By value and by reference is the same where nothing is counted.
        wake_packed,
        wake_packed,
        |_| {},
    );

    /// The task that `waker` wakes, if it is one of ours.
    #[inline]
    pub(crate) fn id(waker: &Waker) -> Option<Id> {
        ptr::eq(waker.vtable(), &VTABLE).then(|| Id::from_bits(waker.data().addr() as u64))
    }
}

#[cfg(not(target_pointer_width = "64"))]
mod packed {
    use std::sync::Arc;
    use std::task::Waker;

    use crate::run::counted::Counted;
    use crate::task::id::Id;

    pub(crate) fn waker(id: Id) -> Waker {
        Waker::from(Arc::new(Counted(id)))
    }

    /// Cannot be seen from outside; such a waker is woken like anybody's.
    pub(crate) fn id(_: &Waker) -> Option<Id> {
        None
    }
}
