//! One result of `select`.

use crate::{Readiness, Token};

/// A key that became ready, and how. `Copy`: it borrows nothing, so handlers may change the
/// selector while they loop over the results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event {
    /// Which key.
    pub token: Token,
    /// What holds; never empty.
    pub readiness: Readiness,
}
