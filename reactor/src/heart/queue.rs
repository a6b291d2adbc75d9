//! The names of waiters: they ascend, and so a [crowd](crate::heart::crowd) is kept in the order in
//! which it came.

use crate::watch::direction::Direction;

/// Names one waiting operation of one slot, so that a cancelled one removes itself and nobody
/// else. Zero: not waiting yet. No name is given twice: a billion waits in a second use 64 bits up in
/// 292 years.
pub(crate) type WaiterId = u64;

impl Direction {
    /// The waiter of the poll-style operations in this direction, the same for as long as the
    /// slot lives. It is even, all others are odd; see
    /// [`Shared::next_waiter`](crate::heart::shared::Shared).
    pub(crate) const fn standing_waiter(self) -> WaiterId {
        2 + 2 * self as WaiterId
    }
}
