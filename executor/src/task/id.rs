//! The name of a task in handles, traces and dumps.

use std::fmt;

use crate::run::waker::TaskId;

/// Names a task. No other task of this process has the same, before or after.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(TaskId);

impl Id {
    pub(crate) fn new(id: TaskId) -> Self {
        Id(id)
    }

    /// The number that the events of [`reactor::observe`] carry.
    pub fn number(self) -> u64 {
        self.0.bits()
    }
}

impl fmt::Display for Id {
    /// Slot and generation, as in `3.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.slot(), self.0.generation())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}
