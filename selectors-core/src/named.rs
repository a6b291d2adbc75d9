//! The selectors by their names in Python, and how each is made.

use crate::kernel;
use crate::{Error, Selector};

/// A selector on select(2).
pub type SelectSelector<F, D> = Selector<kernel::Select, F, D>;

/// A selector on poll(2). Needs no fd of its own and is cheap to make.
pub type PollSelector<F, D> = Selector<kernel::Poll, F, D>;

/// A selector on epoll(7).
#[cfg(epoll)]
pub type EpollSelector<F, D> = Selector<kernel::Epoll, F, D>;

/// A selector on /dev/poll.
#[cfg(devpoll)]
pub type DevpollSelector<F, D> = Selector<kernel::Devpoll, F, D>;

/// A selector on kqueue(2).
#[cfg(kqueue)]
pub type KqueueSelector<F, D> = Selector<kernel::Kqueue, F, D>;

/// The best selector that works on this machine, or the one of a given
/// [`Backend`](crate::Backend).
pub type DefaultSelector<F, D> = Selector<kernel::AnyKernel, F, D>;

impl<F, D> SelectSelector<F, D> {
    /// A new selector.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn new() -> Result<Self, Error> {
        Ok(Selector::from_kernel(kernel::Select::new()?))
    }
}

impl<F, D> PollSelector<F, D> {
    /// A new selector.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn new() -> Result<Self, Error> {
        Ok(Selector::from_kernel(kernel::Poll::new()?))
    }
}

#[cfg(epoll)]
impl<F, D> EpollSelector<F, D> {
    /// A new selector, with a new epoll set.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyFiles`](crate::Refusal::TooManyFiles) at the limit of open files.
    pub fn new() -> Result<Self, Error> {
        Ok(Selector::from_kernel(kernel::Epoll::new()?))
    }
}

#[cfg(devpoll)]
impl<F, D> DevpollSelector<F, D> {
    /// A new selector, with a new set of /dev/poll.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyFiles`](crate::Refusal::TooManyFiles) at the limit of open files.
    pub fn new() -> Result<Self, Error> {
        Ok(Selector::from_kernel(kernel::Devpoll::new()?))
    }
}

#[cfg(kqueue)]
impl<F, D> KqueueSelector<F, D> {
    /// A new selector, with a new kqueue.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyFiles`](crate::Refusal::TooManyFiles) at the limit of open files.
    pub fn new() -> Result<Self, Error> {
        Ok(Selector::from_kernel(kernel::Kqueue::new()?))
    }
}

impl<F, D> DefaultSelector<F, D> {
    /// The first of [`Backend::available`](crate::Backend::available) that works here.
    ///
    /// # Errors
    ///
    /// Those of [`Backend::probe`](crate::Backend::probe).
    pub fn new() -> Result<Self, Error> {
        Ok(Selector::from_kernel(kernel::AnyKernel(kernel::probe()?)))
    }
}
