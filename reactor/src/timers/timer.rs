//! One timer, as it stands in its place.

use std::task::Waker;

/// Names a timer while its owner holds it.
pub(crate) type TimerId = u32;

/// Where a timer is queued that has no entry: later than any deadline.
pub(super) const NO_ENTRY: u64 = u64::MAX;

/// A place, and the timer that has it.
pub(super) struct Timer {
    /// When it is really due.
    pub(super) deadline: u64,
    /// The number of that deadline among all that were ever set.
    pub(super) sequence: u64,
    /// The deadline of its entry, the same or earlier; [`NO_ENTRY`] if it has none.
    pub(super) queued_at: u64,
    /// The sequence number of its entry; entries with any other are stale.
    pub(super) entry: u64,
    /// Who waits; nobody if it has fired, or if the place is unused.
    pub(super) waker: Option<Waker>,
    /// The place that is free after this one, while this one is unused.
    pub(super) next_free: TimerId,
}

impl Timer {
    pub(super) fn unused(next_free: TimerId) -> Self {
        Timer {
            deadline: 0,
            sequence: 0,
            queued_at: NO_ENTRY,
            entry: 0,
            waker: None,
            next_free,
        }
    }
}
