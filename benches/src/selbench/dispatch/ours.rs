//! selectors-core on each backend and in each mode, with `select_with`: the form that the reactor
//! uses.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use selectors_core::{Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, Mode, Token};

use super::Dispatcher;

struct Ours {
    selector: DefaultSelector<Rc<OwnedFd>, usize>,
    tokens: Vec<Option<Token>>,
    mode: Mode,
    changes: u64,
}

pub(super) fn open(backend: Backend, mode: Mode) -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Ours {
        selector: backend.selector().map_err(io::Error::other)?,
        tokens: Vec::new(),
        mode,
        changes: 0,
    }))
}

impl Ours {
    fn token(&self, index: usize) -> io::Result<Token> {
        let token = self.tokens.get(index).copied().flatten();
        token.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Dispatcher for Ours {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let token = self
            .selector
            .register_with(fd.clone(), EVENT_READ, self.mode, index)
            .map_err(|refused| io::Error::other(refused.error))?;
        if self.tokens.len() <= index {
            self.tokens.resize(index + 1, None);
        }
        self.tokens[index] = Some(token);
        Ok(())
    }

    fn change(&mut self, index: usize, _fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let events = if write {
            EVENT_READ | EVENT_WRITE
        } else {
            EVENT_READ
        };
        let token = self.token(index)?;
        self.selector
            .modify(token, events)
            .map_err(io::Error::other)
    }

    fn remove(&mut self, index: usize, _fd: &Rc<OwnedFd>) -> io::Result<()> {
        let token = self.token(index)?;
        self.tokens[index] = None;
        let key = self.selector.unregister(token).map_err(io::Error::other)?;
        drop(key);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        self.selector
            .select_with(None, |_, key, _| ready.push(key.data))
            .map_err(io::Error::other)?;
        Ok(())
    }

    fn rearm(&mut self, index: usize, _fd: &Rc<OwnedFd>) -> io::Result<()> {
        if self.mode.is_oneshot() {
            self.changes += 1;
            let token = self.token(index)?;
            self.selector
                .modify(token, EVENT_READ)
                .map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn changes(&self) -> u64 {
        self.changes
    }
}
