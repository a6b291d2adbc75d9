//! All that is known about one registered fd.

use crate::Events;
use crate::os::RawFd;

/// The key of a registration, with the four fields of Python's `SelectorKey`.
///
/// It owns the file object, so a registered fd cannot be closed behind the selector's back;
/// `unregister` gives the key with everything in it back.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct SelectorKey<F, D> {
    /// The file object as it was registered.
    pub fileobj: F,
    /// Its number, taken once at register.
    pub fd: RawFd,
    /// The directions that are watched; `None` while the key is parked.
    pub events: Option<Events>,
    /// What the caller attached.
    pub data: D,
}

impl<F, D> SelectorKey<F, D> {
    /// Whether the key is parked: registered, but not watched.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        self.events.is_none()
    }
}
