//! polling in its level mode: its default, oneshot, needs a system call more for each event.

use std::io;
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use polling::PollMode;

use super::{Dispatcher, Kind};

pub(super) const KINDS: &[Kind] = &[Kind::new("polling", "polling's Poller, level", open)];

const EVENTS: NonZero<usize> = NonZero::new(1024).unwrap();

struct Polling {
    poller: polling::Poller,
    events: polling::Events,
    /// What `add` promised to outlive the poller.
    kept: Vec<Rc<OwnedFd>>,
}

fn open() -> io::Result<Box<dyn Dispatcher>> {
    let (poller, events) = (polling::Poller::new()?, polling::Events::with_capacity(EVENTS));
    Ok(Box::new(Polling { poller, events, kept: Vec::new() }))
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
        self.poller.modify_with_mode(&**fd, interest, PollMode::Level)
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
