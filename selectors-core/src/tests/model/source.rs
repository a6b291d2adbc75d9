//! The files that scripts play with, and what a model knows about them.

use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use crate::sys;
use crate::{Backend, Events, Readiness};

/// The bits of directions in which something has come.
pub(super) type News = u8;
pub(super) const NONE: News = 0;
pub(super) const READ: News = Events::READ.bits();
pub(super) const WRITE: News = Events::WRITE.bits();
pub(super) const BOTH: News = READ | WRITE;

/// What kind of file our end is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kind {
    Socket,
    PipeReader,
    PipeWriter,
    Counter,
}

/// A file, its other end, and the model of both.
pub(super) struct Source {
    kind: Kind,
    pub(super) ours: Rc<OwnedFd>,
    /// `None` when it is closed, and for a counter.
    theirs: Option<OwnedFd>,
    /// There is something to read.
    has_data: bool,
    /// There is no room to write.
    is_full: bool,
    peer_shut_down: bool,
    peer_closed: bool,
}

impl Source {
    pub(super) fn new(kind: Kind) -> Source {
        let (ours, theirs) = match kind {
            Kind::Socket => {
                let (a, b) = super::super::support::pair();
                (a.into(), Some(b.into()))
            }
            Kind::PipeReader => {
                let (reader, writer) = sys::pipe::pipe().unwrap();
                (reader, Some(writer))
            }
            Kind::PipeWriter => {
                let (reader, writer) = sys::pipe::pipe().unwrap();
                (writer, Some(reader))
            }
            Kind::Counter => (sys::eventfd::eventfd().unwrap(), None),
        };
        Source {
            kind,
            ours: Rc::new(ours),
            theirs,
            has_data: false,
            is_full: false,
            peer_shut_down: false,
            peer_closed: false,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// What the contract's table says about our end, as the kernel would report it.
    fn conditions(&self) -> Readiness {
        let mut conditions = Readiness::EMPTY;
        let mut add = |holds: bool, condition| {
            if holds {
                conditions = conditions | condition;
            }
        };
        let ended = self.peer_closed || self.peer_shut_down;
        match self.kind {
            Kind::Socket => {
                add(self.has_data || ended, Readiness::READABLE);
                add(!self.is_full, Readiness::WRITABLE);
                add(self.peer_closed, Readiness::HANGUP);
            }
            Kind::PipeReader => {
                add(self.has_data, Readiness::READABLE);
                add(self.peer_closed, Readiness::HANGUP);
            }
            Kind::PipeWriter => {
                add(!self.is_full, Readiness::WRITABLE);
                add(self.peer_closed, Readiness::ERROR);
            }
            Kind::Counter => {
                add(self.has_data, Readiness::READABLE);
                add(!self.is_full, Readiness::WRITABLE);
            }
        }
        conditions
    }

    /// The portable mask that this backend should report to a key with this interest.
    pub(super) fn expected(&self, backend: Backend, interest: Events) -> Option<Events> {
        let conditions = self.conditions();
        let ended = conditions.is_hangup() || conditions.is_error();
        let (mut read, mut write) = (conditions.is_readable(), conditions.is_writable());
        if backend == Backend::Select && self.kind == Kind::PipeReader {
            // The one difference of the table: a hang-up is the end of reading only.
            read |= ended;
        } else {
            read |= ended;
            write |= ended;
        }
        let bits = u8::from(read) | u8::from(write) << 1;
        Events::from_bits(bits & interest.bits())
    }

    pub(super) fn peer_writes(&mut self) -> News {
        let done = match (self.kind, &self.theirs) {
            (Kind::Counter, _) if !self.is_full => {
                sys::fd::write(self.ours.as_fd(), &1u64.to_ne_bytes()).is_ok()
            }
            (Kind::Socket | Kind::PipeReader, Some(theirs)) if !self.peer_shut_down => {
                sys::fd::write(theirs.as_fd(), b"x").is_ok()
            }
            _ => false,
        };
        self.has_data |= done;
        if done { READ } else { NONE }
    }

    pub(super) fn peer_drains(&mut self) -> News {
        let was_full = self.is_full;
        if let (Kind::Socket | Kind::PipeWriter, Some(theirs)) = (self.kind, &self.theirs) {
            while matches!(sys::fd::read(theirs.as_fd(), &mut [0; 65536]), Ok(1..)) {}
            self.is_full = false;
        }
        if was_full && !self.is_full {
            WRITE
        } else {
            NONE
        }
    }

    pub(super) fn peer_shuts_down(&mut self) -> News {
        if let (Kind::Socket, Some(theirs)) = (self.kind, &self.theirs) {
            let theirs = UnixStream::from(theirs.try_clone().unwrap());
            theirs.shutdown(Shutdown::Write).unwrap();
            let first = !std::mem::replace(&mut self.peer_shut_down, true);
            return if first { READ } else { NONE };
        }
        NONE
    }

    pub(super) fn peer_closes(&mut self) -> News {
        let closes = self.theirs.take().is_some();
        self.peer_closed |= closes;
        if closes { BOTH } else { NONE }
    }

    pub(super) fn drain(&mut self) -> News {
        let was_full = self.is_full;
        if self.kind != Kind::PipeWriter {
            // Past an error that is waiting, too.
            let mut errors = 0;
            while errors < 2 {
                match sys::fd::read(self.ours.as_fd(), &mut [0; 4096]) {
                    Ok(1..) => {}
                    Ok(0) => break,
                    Err(_) => errors += 1,
                }
            }
            self.has_data = false;
            if self.kind == Kind::Counter {
                self.is_full = false;
            }
        }
        if was_full && !self.is_full {
            WRITE
        } else {
            NONE
        }
    }

    pub(super) fn fill(&mut self) -> News {
        match self.kind {
            Kind::PipeReader => NONE,
            Kind::Counter => {
                self.drain();
                sys::fd::write(self.ours.as_fd(), &(u64::MAX - 1).to_ne_bytes()).unwrap();
                self.has_data = true;
                self.is_full = true;
                BOTH
            }
            Kind::Socket | Kind::PipeWriter => {
                if !self.peer_closed {
                    while sys::fd::write(self.ours.as_fd(), &[0; 65536]).is_ok() {}
                    while sys::fd::write(self.ours.as_fd(), &[0; 64]).is_ok() {}
                    self.is_full = true;
                }
                NONE
            }
        }
    }
}
