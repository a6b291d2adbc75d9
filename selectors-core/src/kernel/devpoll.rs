//! /dev/poll: the kernel keeps the set; changes are written to it, an ioctl waits.
//!
//! **Facts.** Writing a number that is in the set ORs the events; POLLREMOVE takes the number out,
//! if it is the whole mask. A number that is not open is not refused by the write but comes back
//! as POLLNVAL. A number that was closed stays in the set. Nothing is edge-triggered, and the
//! device itself cannot be watched. A forked child gets EACCES.
//!
//! **Decisions.** Additions are collected and written just before a wait, a change as removal and
//! addition in one write, in order. A deletion is written at once, with everything before it,
//! because its number may be closed and reused the moment after. Changes and results have buffers
//! of their own, both bounded. POLLNVAL is reported once, then the number is taken out.
//!
//! **Proof.** Compiled and linted for illumos and Solaris; run against the double in
//! `sys/double/devpoll.rs`; never run on the real kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use libc::pollfd;

use super::{AsRawEvent, Kernel, Open, OwnFd, RawEvent, must_be_open, timeout};
use crate::sys;
use crate::sys::devpoll::POLLREMOVE;
use crate::sys::poll::record;
use crate::table::{Table, give_back};
use crate::{Backend, Capabilities, Error, Interest, Readiness, Token};

/// The kernel half of `DevpollSelector`.
pub struct Devpoll {
    /// The set.
    devpoll: OwnedFd,
    /// Changes that are not written yet, in order; at most `BATCH` and one change more.
    changes: Vec<pollfd>,
    /// Where the kernel writes; one record per registration, at most `RESULTS`.
    pub(crate) buffer: Vec<pollfd>,
    /// By number; `None` is not in the set.
    keys: Table<(Token, Interest)>,
    /// How many numbers are in the set.
    pub(crate) len: usize,
    /// The answers of the last wait.
    events: Vec<RawEvent>,
}

/// Changes are written at the latest when so many have come together.
const BATCH: usize = 256;

/// At most so many results a wait. What does not fit is still ready in the next one.
const RESULTS: usize = 4096;

impl Devpoll {
    /// Collects a removal.
    fn remove(&mut self, fd: i32) {
        self.changes.push(record(fd, POLLREMOVE as u16));
    }

    /// Collects an addition, of a number that is not in the set.
    fn insert(&mut self, fd: i32, interest: Interest) {
        // There is no POLLRDHUP here; its bit means something else.
        let bits = interest.poll_bits() & !Readiness::READ_CLOSED.bits();
        self.changes.push(record(fd, bits));
    }

    fn write_if_full(&mut self) -> Result<(), Error> {
        if self.changes.len() >= BATCH {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Writes what has been collected, in order.
    fn write(&mut self) -> Result<(), Error> {
        let mut written = 0;
        let outcome = loop {
            let rest = &self.changes[written..];
            if rest.is_empty() {
                break Ok(());
            }
            match sys::uninterrupted(|| sys::devpoll::write(self.devpoll.as_fd(), rest)) {
                Ok(0) => break Err(io::Error::from(io::ErrorKind::WriteZero)),
                Ok(bytes) => written += bytes / size_of::<pollfd>(),
                Err(error) => break Err(error),
            }
        };
        let refused = self.changes.get(written).map(|change| change.fd);
        self.changes.clear();
        outcome.map_err(|error| Error::os("write /dev/poll", refused, error))
    }
}

const VACANT: pollfd = record(-1, 0);

impl Open for Devpoll {
    fn open() -> Result<Devpoll, Error> {
        let devpoll = sys::uninterrupted(sys::devpoll::open)
            .map_err(|error| Error::os("open /dev/poll", None, error))?;
        Ok(Devpoll {
            devpoll,
            changes: Vec::new(),
            buffer: vec![VACANT; 1],
            keys: Table::default(),
            len: 0,
            events: Vec::new(),
        })
    }
}

impl Kernel for Devpoll {
    fn backend(&self) -> Backend {
        Backend::Devpoll
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            edge: false,
            oneshot: true,
            nanosecond_timeouts: false,
            priority: true,
            conditions: true,
            fileno: true,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        must_be_open(token.fd)?;
        self.add_open(token, interest)
    }

    fn add_open(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.write_if_full()?;
        self.insert(token.fd, interest);
        self.keys.insert(token.fd, (token, interest));
        self.len += 1;
        if self.len > self.buffer.len() && self.len <= RESULTS {
            self.buffer.resize((self.len * 2).min(RESULTS), VACANT);
        }
        Ok(())
    }

    fn modify(&mut self, token: Token, _from: Interest, to: Interest) -> Result<(), Error> {
        self.write_if_full()?;
        self.remove(token.fd);
        self.insert(token.fd, to);
        self.keys.insert(token.fd, (token, to));
        Ok(())
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        self.remove(token.fd);
        self.write()?;
        self.keys.remove(token.fd);
        self.len -= 1;
        give_back(&mut self.buffer, self.len);
        give_back(&mut self.events, self.len);
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.write()?;
        self.events.clear();
        let millis = timeout::millis(timeout);
        let reported = sys::devpoll::ioctl_dp_poll(self.devpoll.as_fd(), &mut self.buffer, millis)
            .map_err(|error| Error::os("ioctl DP_POLL", None, error))?;
        for index in 0..reported {
            let pollfd { fd, revents, .. } = self.buffer[index];
            let Some((token, interest)) = self.keys.get(fd).copied() else {
                self.remove(fd);
                continue;
            };
            let readiness = Readiness::from_kernel(revents as u16);
            if readiness.is_invalid() || interest.mode.is_oneshot() {
                self.remove(fd);
            }
            self.events.push(RawEvent::new(token, readiness));
        }
        Ok(&self.events)
    }

    fn fileno(&self) -> Option<BorrowedFd<'_>> {
        Some(self.devpoll.as_fd())
    }
}

impl OwnFd for Devpoll {
    fn own_fd(&self) -> BorrowedFd<'_> {
        self.devpoll.as_fd()
    }
}
