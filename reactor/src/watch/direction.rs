//! The two directions in which a byte can go.

/// The direction an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Reading, accepting: anything that needs input.
    Read = 0,
    /// Writing, connecting: anything that needs room for output.
    Write = 1,
}
