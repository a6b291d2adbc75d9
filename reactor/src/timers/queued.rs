//! An entry of the heap: a deadline, and whose it was when it was pushed.

use std::cmp::Ordering;

use crate::timers::timer::TimerId;

#[derive(PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) deadline: u64,
    /// Names the entry, and orders those of one deadline.
    pub(super) sequence: u64,
    pub(super) id: TimerId,
}

impl Ord for Queued {
    /// Reversed, because `BinaryHeap` has its greatest entry on top.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.deadline, other.sequence).cmp(&(self.deadline, self.sequence))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
