//! The verbs of every selector, for code that does not care which one it has.

use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use crate::kernel::Kernel;
use crate::{
    Backend, Capabilities, Error, Event, Events, Interest, KeyMap, Mode, RegisterError, Selector,
    SelectorKey, Token,
};

/// Python's `BaseSelector`: what every selector can do. Works as `Box<dyn BaseSelector<F, D>>`.
///
/// | verb | needs | fails with | closed fd (raw sources only) |
/// |---|---|---|---|
/// | `register` | a number without key | `AlreadyRegistered`, `FdTooLarge`, `Unsupported`, the kernel's answer; gives all back | EBADF on every backend |
/// | `modify`, `modify_interest`, `park` | a key | `NotRegistered`, the kernel's answer; nothing changes | epoll, kqueue: EBADF; others: succeeds |
/// | `unregister` | a key | `NotRegistered`, the kernel's answer; the key stays | succeeds |
/// | `select` | nothing | the kernel's answer | one invalid event (poll, select) or silence |
/// | `get_key`, `get_map` | nothing | never | finds the key |
/// | `close` | nothing | never | gives the key back |
pub trait BaseSelector<F: AsFd, D> {
    /// See [`Selector::register`].
    ///
    /// # Errors
    ///
    /// As there.
    fn register(
        &mut self,
        fileobj: F,
        events: Events,
        data: D,
    ) -> Result<Token, RegisterError<F, D>>;

    /// See [`Selector::register_with`].
    ///
    /// # Errors
    ///
    /// As there.
    fn register_with(
        &mut self,
        fileobj: F,
        events: Events,
        mode: Mode,
        data: D,
    ) -> Result<Token, RegisterError<F, D>>;

    /// See [`Selector::register_interest`].
    ///
    /// # Errors
    ///
    /// As there.
    fn register_interest(
        &mut self,
        fileobj: F,
        interest: Interest,
        data: D,
    ) -> Result<Token, RegisterError<F, D>>;

    /// See [`Selector::modify`].
    ///
    /// # Errors
    ///
    /// As there.
    fn modify(&mut self, token: Token, events: Events) -> Result<(), Error>;

    /// See [`Selector::modify_interest`].
    ///
    /// # Errors
    ///
    /// As there.
    fn modify_interest(&mut self, token: Token, interest: Interest) -> Result<(), Error>;

    /// See [`Selector::park`].
    ///
    /// # Errors
    ///
    /// As there.
    fn park(&mut self, token: Token) -> Result<(), Error>;

    /// See [`Selector::unregister`].
    ///
    /// # Errors
    ///
    /// As there.
    fn unregister(&mut self, token: Token) -> Result<SelectorKey<F, D>, Error>;

    /// See [`Selector::select`].
    ///
    /// # Errors
    ///
    /// As there.
    fn select(&mut self, ready: &mut Vec<Event>, timeout: Option<Duration>)
    -> Result<usize, Error>;

    /// See [`Selector::select_interruptible`].
    ///
    /// # Errors
    ///
    /// As there.
    fn select_interruptible(
        &mut self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error>;

    /// See [`Selector::get_key`].
    fn get_key(&self, token: Token) -> Option<&SelectorKey<F, D>>;

    /// See [`Selector::get_key_by_fd`].
    fn get_key_by_fd(&self, fd: RawFd) -> Option<(Token, &SelectorKey<F, D>)>;

    /// See [`Selector::data_mut`].
    fn data_mut(&mut self, token: Token) -> Option<&mut D>;

    /// See [`Selector::get_map`].
    fn get_map(&self) -> &KeyMap<F, D>;

    /// See [`Selector::backend`].
    fn backend(&self) -> Backend;

    /// See [`Selector::capabilities`].
    fn capabilities(&self) -> Capabilities;

    /// See [`Selector::now`].
    fn now(&self) -> Instant;

    /// See [`Selector::fileno`].
    fn fileno(&self) -> Option<BorrowedFd<'_>>;

    /// See [`Selector::close`].
    fn close(self: Box<Self>) -> Vec<SelectorKey<F, D>>;
}

impl<K: Kernel, F: AsFd, D> BaseSelector<F, D> for Selector<K, F, D> {
    fn register(
        &mut self,
        fileobj: F,
        events: Events,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        Selector::register(self, fileobj, events, data)
    }

    fn register_with(
        &mut self,
        fileobj: F,
        events: Events,
        mode: Mode,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        Selector::register_with(self, fileobj, events, mode, data)
    }

    fn register_interest(
        &mut self,
        fileobj: F,
        interest: Interest,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        Selector::register_interest(self, fileobj, interest, data)
    }

    fn modify(&mut self, token: Token, events: Events) -> Result<(), Error> {
        Selector::modify(self, token, events)
    }

    fn modify_interest(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        Selector::modify_interest(self, token, interest)
    }

    fn park(&mut self, token: Token) -> Result<(), Error> {
        Selector::park(self, token)
    }

    fn unregister(&mut self, token: Token) -> Result<SelectorKey<F, D>, Error> {
        Selector::unregister(self, token)
    }

    fn select(
        &mut self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        Selector::select(self, ready, timeout)
    }

    fn select_interruptible(
        &mut self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        Selector::select_interruptible(self, ready, timeout)
    }

    fn get_key(&self, token: Token) -> Option<&SelectorKey<F, D>> {
        Selector::get_key(self, token)
    }

    fn get_key_by_fd(&self, fd: RawFd) -> Option<(Token, &SelectorKey<F, D>)> {
        Selector::get_key_by_fd(self, fd)
    }

    fn data_mut(&mut self, token: Token) -> Option<&mut D> {
        Selector::data_mut(self, token)
    }

    fn get_map(&self) -> &KeyMap<F, D> {
        Selector::get_map(self)
    }

    fn backend(&self) -> Backend {
        Selector::backend(self)
    }

    fn capabilities(&self) -> Capabilities {
        Selector::capabilities(self)
    }

    fn now(&self) -> Instant {
        Selector::now(self)
    }

    fn fileno(&self) -> Option<BorrowedFd<'_>> {
        Selector::fileno(self)
    }

    fn close(self: Box<Self>) -> Vec<SelectorKey<F, D>> {
        Selector::close(*self)
    }
}
