//! The key of an [`Async`]: made when an operation first has to wait, gone before the fd is closed.

use std::io;
use std::rc::Rc;

use selectors_core::os::{AsFd, BorrowedFd};
use selectors_core::{Error, Events, Interest, Mode, Token, act};

use crate::errno::of_selector;
use crate::fd::async_fd::Async;
use crate::fd::plain::Plain;
use crate::heart::shared::Selector;
use crate::heart::slot::Key;
use crate::watch::acts::{self, Act};
use crate::watch::direction::Direction;
use crate::watch::events::Event;

impl<T: AsFd + 'static> Async<T> {
    pub(super) fn unregister(&self) -> io::Result<()> {
        self.plain().take_out(Selector::unregister)
    }
}

impl Plain<'_> {
    /// The token of its key. The source is not asked: it may say another number than before, and it
    /// may do anything.
    fn token(&self) -> Option<Token> {
        if !self.slot.is_registered() {
            return None;
        }
        let selector = self.reactor.selector.borrow();
        let (token, key) = selector.get_map().get_by_fd(self.slot.fd())?;
        Rc::ptr_eq(&key.data, self.slot).then_some(token)
    }

    /// Before it is dropped. Where that closes the source, no more need be said: nobody shares it, and
    /// its type is one that owns its fd. A duplicate is the selector's to deal with.
    pub(super) fn unregister_to_drop(&self) -> io::Result<()> {
        match self.source.owns_its_fd() && self.source.is_only_its_keys() {
            true => self.take_out(Selector::unregister_to_close),
            false => self.take_out(Selector::unregister),
        }
    }

    fn take_out(
        &self,
        unregister: fn(&mut Selector, Token) -> Result<Key, Error>,
    ) -> io::Result<()> {
        let Some(token) = self.token() else {
            return Ok(());
        };
        self.slot.unregistered();
        if self.reactor.attention.is_observed() {
            let told = Event::Unregister { fd: token.fd() };
            self.reactor.hook.emit(told, acts::Unregistered::AT);
        }
        let mut selector = self.reactor.selector.borrow_mut();
        let key = act!(acts::Unregistered, unregister(&mut selector, token));
        drop(selector);
        // The key is dropped here, after the borrow.
        key.map(drop).map_err(of_selector)
    }

    /// `fd` is what the source has said.
    #[cold]
    pub(super) fn register(&self, fd: BorrowedFd<'_>, direction: Direction) -> io::Result<()> {
        let edge = !self.reactor.looks_after(self.slot);
        let events = match direction {
            _ if edge => Events::READ_WRITE,
            Direction::Read => Events::READ,
            Direction::Write => Events::WRITE,
        };
        let mut interest = Interest::new(events);
        if edge && self.reactor.selector.borrow().capabilities().priority {
            // A read stops short before an urgent byte, and no edge follows for what is behind it.
            interest = interest.priority();
        }
        self.register_for(fd, interest)?;
        if self.reactor.attention.is_observed() {
            let fd = self.slot.fd();
            let told = Event::Register { fd, events };
            self.reactor.hook.emit(told, acts::Registered::AT);
        }
        Ok(())
    }

    /// The same with all that can be asked for, but the mode, which is the reactor's.
    pub(super) fn register_for(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        let mode = match self.reactor.looks_after(self.slot) {
            true => Mode::Level,
            false => Mode::Edge,
        };
        let source = self.source.for_a_key();
        let slot = Rc::clone(self.slot);
        let register = match self.source.owns_its_fd() {
            true => Selector::register_open,
            false => Selector::register_fd,
        };
        let mut selector = self.reactor.selector.borrow_mut();
        let interest = interest.mode(mode);
        let registered = act!(
            acts::Registered,
            register(&mut selector, fd, source, interest, slot)
        );
        drop(selector);
        let token = registered.map_err(|refused| of_selector(refused.error))?;
        self.slot.registered(token.fd(), interest.events(), mode);
        let looks_after = interest.events().is_writable() && !self.reactor.edge;
        if looks_after && self.reactor.resting.borrow().is_busy && self.slot.mark_dirty() {
            self.reactor.dirty.borrow_mut().push(token.fd());
        }
        Ok(())
    }
}
