//! An [`Async`] without the type of its source: what is written for this is in a program once, and not
//! once for each type.

use std::rc::Rc;

use selectors_core::os::{AsFd, BorrowedFd};

use crate::fd::async_fd::Async;
use crate::heart::pollable::{Pollable, owns_its_fd};
use crate::heart::shared::Shared;
use crate::heart::slot::Slot;

/// What an [`Async`] has.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) slot: &'a Rc<Slot>,
    pub(super) reactor: &'a Shared,
}

/// A shared source, whatever it is.
pub(super) trait Source {
    fn fd(&self) -> BorrowedFd<'_>;

    /// A share of it.
    fn for_a_key(&self) -> Pollable;

    /// See [`owns_its_fd`].
    fn owns_its_fd(&self) -> bool;

    /// Has nobody else a share of it but its key?
    fn is_only_its_keys(&self) -> bool;
}

impl<T: AsFd + 'static> Source for Rc<T> {
    fn fd(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }

    fn for_a_key(&self) -> Pollable {
        Pollable::of(self)
    }

    fn owns_its_fd(&self) -> bool {
        owns_its_fd::<T>()
    }

    fn is_only_its_keys(&self) -> bool {
        // Ours, and the key's.
        Rc::strong_count(self) == 2
    }
}

impl<T: AsFd + 'static> Async<T> {
    #[inline]
    pub(super) fn plain(&self) -> Plain<'_> {
        Plain {
            source: &self.source,
            slot: &self.slot,
            reactor: &self.reactor,
        }
    }
}
