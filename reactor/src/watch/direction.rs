//! The two directions in which a byte can go.

use selectors_core::Readiness;

/// The direction an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Reading, accepting: anything that needs input.
    Read = 0,
    /// Writing, connecting: anything that needs room for output.
    Write = 1,
}

impl Direction {
    /// Both.
    pub(crate) const BOTH: [Direction; 2] = [Direction::Read, Direction::Write];

    /// What poll(2) calls it.
    pub(crate) const fn readiness(self) -> Readiness {
        match self {
            Direction::Read => Readiness::READABLE,
            Direction::Write => Readiness::WRITABLE,
        }
    }
}
