//! What a key owns: whatever has an fd, shared with the I/O type that waits for it.

use std::rc::Rc;

use selectors_core::os::AsFd;

/// A source of any type.
#[derive(Clone)]
pub(crate) struct Pollable(Rc<dyn AsFd>);

impl Pollable {
    /// Shares it with a key.
    pub(crate) fn of<T: AsFd + 'static>(source: &Rc<T>) -> Pollable {
        Pollable(Rc::<T>::clone(source))
    }
}

selectors_core::has_fd!([] Pollable, 0);
