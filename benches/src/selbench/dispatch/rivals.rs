//! mio and polling, with event buffers as large as everyone's.

use std::io;
use std::num::NonZero;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use mio::unix::SourceFd;
use mio::{Interest, Token};
use polling::PollMode;

use super::Dispatcher;

const EVENTS: usize = 1024;

struct Mio {
    poll: mio::Poll,
    events: mio::Events,
}

/// mio, which is edge-triggered.
pub(super) fn mio() -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Mio {
        poll: mio::Poll::new()?,
        events: mio::Events::with_capacity(EVENTS),
    }))
}

impl Dispatcher for Mio {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        let registry = self.poll.registry();
        registry.register(&mut SourceFd(&fd), Token(index), Interest::READABLE)
    }

    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let interest = if write {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let fd = fd.as_raw_fd();
        let registry = self.poll.registry();
        registry.reregister(&mut SourceFd(&fd), Token(index), interest)
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        self.poll.registry().deregister(&mut SourceFd(&fd))
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        self.poll.poll(&mut self.events, None)?;
        ready.extend(self.events.iter().map(|event| event.token().0));
        Ok(())
    }
}

struct Polling {
    poller: polling::Poller,
    events: polling::Events,
    /// What `add` promised to outlive the poller.
    kept: Vec<Rc<OwnedFd>>,
}

/// polling in its level mode: its default, oneshot, needs a system call more for each event.
pub(super) fn polling() -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Polling {
        poller: polling::Poller::new()?,
        events: polling::Events::with_capacity(
            NonZero::new(EVENTS).unwrap_or(NonZero::<usize>::MIN),
        ),
        kept: Vec::new(),
    }))
}

impl Dispatcher for Polling {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let interest = polling::Event::readable(index);
        self.kept.push(fd.clone());
        // SAFETY: `add` asks that the source be deleted from the poller before it is dropped; the
        // poller is declared, and so dropped, before `kept`, which keeps the source open.
        unsafe { self.poller.add_with_mode(&**fd, interest, PollMode::Level) }
    }

    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let interest = polling::Event::new(index, true, write);
        self.poller
            .modify_with_mode(&**fd, interest, PollMode::Level)
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        self.poller.delete(&**fd)
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        self.events.clear();
        self.poller.wait(&mut self.events, None)?;
        ready.extend(self.events.iter().map(|event| event.key));
        Ok(())
    }
}
