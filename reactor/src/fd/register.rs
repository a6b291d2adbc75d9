//! The key of an [`Async`]: made when an operation first has to wait, gone before the fd is closed.

use std::io;
use std::rc::Rc;

use selectors_core::os::{AsFd, AsRawFd};
use selectors_core::{Events, Interest, Mode, Token};

use crate::fd::async_fd::Async;
use crate::heart::slot::Key;
use crate::heart::source::Source;
use crate::watch::direction::Direction;
use crate::watch::events::Event;

impl<T: AsFd + 'static> Async<T> {
    /// The token of its key.
    pub(crate) fn token(&self) -> Option<Token> {
        if !self.slot.is_registered() {
            return None;
        }
        let selector = self.reactor.selector.borrow();
        let map = selector.get_map();
        let fd = self.source.as_fd().as_raw_fd();
        let ours = |(token, key): (Token, &Key)| Rc::ptr_eq(&key.data, &self.slot).then_some(token);
        // The second for an `AsFd` that gives another number than before.
        let found = map.get_by_fd(fd).and_then(ours);
        found.or_else(|| map.iter().find_map(ours))
    }

    pub(super) fn unregister(&self) -> io::Result<()> {
        let Some(token) = self.token() else {
            return Ok(());
        };
        self.slot.unregistered();
        if self.reactor.abandoned.get() {
            // The key stays in the map, and goes with the reactor.
            return Ok(());
        }
        if self.reactor.attention.is_observed() {
            self.reactor.hook.emit(Event::Unregister { fd: token.fd() });
        }
        let key = self.reactor.selector.borrow_mut().unregister(token);
        // The key is dropped here, after the borrow.
        key.map(drop).map_err(io::Error::from)
    }

    #[cold]
    pub(super) fn register(&self, direction: Direction) -> io::Result<()> {
        let (events, mode) = match direction {
            _ if self.reactor.edge => (Events::READ_WRITE, Mode::Edge),
            Direction::Read => (Events::READ, Mode::Level),
            Direction::Write => (Events::WRITE, Mode::Level),
        };
        let mut selector = self.reactor.selector.borrow_mut();
        let mut interest = Interest::new(events).mode(mode);
        if self.reactor.edge && selector.capabilities().priority {
            // A read stops short before an urgent byte, and no edge follows for what is behind it.
            interest = interest.priority();
        }
        let token = selector.register_interest(
            Source::of(&self.source),
            interest,
            Rc::clone(&self.slot),
        )?;
        drop(selector);
        self.slot.registered(events, mode);
        if self.reactor.attention.is_observed() {
            self.reactor.hook.emit(Event::Register {
                fd: token.fd(),
                events,
            });
        }
        Ok(())
    }
}
