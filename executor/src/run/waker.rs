//! The waker: a packed id that fits into the data pointer of a `RawWaker`.
//!
//! ```text
//! 63          42 41        26 25 24 23              0
//! [ generation  ][ runtime   ][ 0  ][ slot          ]
//! ```
//!
//! The slot is lowest, because every wake asks for it; the generation is highest, because the carry
//! out of it says that the slot has no name left. The two bits that are zero are flags of the
//! [marks](crate::ready::marks), which keep each id with what is known of that task in one word.
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
use std::task::Waker;

/// Where the generation begins.
const GENERATION_SHIFT: u32 = 42;
/// Where the runtime begins.
const RUNTIME_SHIFT: u32 = 26;
/// The slot's bits.
const SLOT: u64 = (1 << 24) - 1;

/// Names one task of one runtime in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TaskId(u64);

impl TaskId {
    /// How many tasks a runtime can hold at once.
    pub(crate) const MAX_SLOTS: usize = SLOT as usize;

    /// Bits that no id has.
    pub(crate) const SPARE: [u64; 2] = [1 << 24, 1 << 25];

    /// Nobody's.
    pub(crate) const NOBODY: Self = TaskId(Self::SPARE[0]);

    /// How many generations a slot has.
    pub(crate) const GENERATIONS: u32 = 1 << (u64::BITS - GENERATION_SHIFT);

    #[inline]
    pub(crate) fn new(runtime: u16, slot: u32, generation: u32) -> Self {
        let slot = u64::from(slot) & SLOT;
        let generation = u64::from(generation) << GENERATION_SHIFT;
        TaskId(generation | (u64::from(runtime) << RUNTIME_SHIFT) | slot)
    }

    #[inline]
    pub(crate) fn runtime(self) -> u16 {
        (self.0 >> RUNTIME_SHIFT) as u16
    }

    #[inline]
    pub(crate) fn slot(self) -> u32 {
        (self.0 & SLOT) as u32
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> GENERATION_SHIFT) as u32
    }

    /// The id with this number.
    pub(crate) fn from_bits(bits: u64) -> Self {
        TaskId(bits)
    }

    /// The id that is a waker's data.
    #[cfg(target_pointer_width = "64")]
    #[inline]
    pub(crate) fn unpack(data: *const ()) -> Self {
        TaskId(data.addr() as u64)
    }

    /// The number as a whole.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// The id of the next task in this slot; `None` if this was the last.
    #[inline]
    pub(crate) fn next_generation(self) -> Option<Self> {
        self.0.checked_add(1 << GENERATION_SHIFT).map(TaskId)
    }

    /// The waker of this task.
    #[inline]
    pub(crate) fn waker(self) -> Waker {
        packed::waker(self)
    }

    /// The task that `waker` wakes, if it is one of ours.
    #[inline]
    pub(crate) fn of(waker: &Waker) -> Option<Self> {
        packed::id(waker)
    }

    /// Gets rid of a waker of ours: where nothing is counted, without a call.
    #[inline]
    pub(crate) fn forget(waker: Waker) {
        if cfg!(target_pointer_width = "64") {
            mem::forget(waker);
        }
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

    use super::TaskId;
    use crate::run::current::wake_packed;

    #[inline]
    pub(super) fn waker(id: TaskId) -> Waker {
        let raw = RawWaker::new(ptr::without_provenance(id.0 as usize), &VTABLE);
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

    #[inline]
    pub(super) fn id(waker: &Waker) -> Option<TaskId> {
        ptr::eq(waker.vtable(), &VTABLE).then(|| TaskId::unpack(waker.data()))
    }
}

#[cfg(not(target_pointer_width = "64"))]
mod packed {
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    use super::TaskId;
    use crate::run::current::wake;

    struct Counted(TaskId);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            wake(self.0);
        }

        fn wake_by_ref(self: &Arc<Self>) {
            wake(self.0);
        }
    }

    pub(super) fn waker(id: TaskId) -> Waker {
        Waker::from(Arc::new(Counted(id)))
    }

    /// Cannot be seen from outside; such a waker is woken like anybody's.
    pub(super) fn id(_: &Waker) -> Option<TaskId> {
        None
    }
}
