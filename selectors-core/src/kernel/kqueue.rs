//! kqueue(2): the kernel keeps the set, and one call changes it and waits.
//!
//! **Facts.** A registration (a knote) is keyed by the pair (number, filter), and READ and WRITE
//! are two filters, so a key may have two knotes and come back twice. A knote dies with its number,
//! whatever duplicates live. Errors of changes come back as entries marked EV_ERROR, before and
//! instead of events. A changed knote takes effect before the same call waits. A kqueue is not
//! inherited by a fork: in the child its number is free, or somebody else's.
//!
//! **Decisions.** New and changed keys ask for a receipt, because the caller wants the answer now;
//! a filter that was accepted before another was refused is taken out again. Deletions travel
//! with the next call. Both filters are merged into one event. The buffer holds
//! every knote. The process id is kept, so that a forked child neither uses nor closes a number
//! that is not its own.
//!
//! **Proof.** Compiled and linted for FreeBSD, NetBSD, OpenBSD and macOS; run against two doubles
//! that were written apart and agree (`sys/double/kqueue.rs`, `second_kqueue.rs`); never run on the real
//! kernel.

use std::iter;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::{AsRawEvent, Kernel, Open, OwnFd, RawEvent, timeout};
use crate::sys::kqueue::{self as sys, Filter, Kevent, NO_WAIT, ProcessFd};
use crate::sys::uninterrupted;
use crate::table::{Table, give_back};
use crate::words::masked;
use crate::{Backend, Capabilities, Error, Interest, Mode, Readiness, Token};

/// The kernel half of `KqueueSelector`.
pub struct Kqueue {
    /// The queue, in the process that made it.
    pub(crate) kqueue: ProcessFd,
    /// Changes that wait for the next call.
    changes: Vec<Kevent>,
    /// Where the kernel writes receipts and events.
    buffer: Vec<Kevent>,
    /// By number: the key that the knotes belong to, and where in `events` it is being merged.
    keys: Table<Watched>,
    /// How many knotes the kernel may hold.
    knotes: usize,
    /// The answers of the last wait.
    events: Vec<RawEvent>,
    /// Changes of earlier calls that were refused by the way; the next wait reports them.
    refused: Vec<Kevent>,
}

#[derive(Clone, Copy)]
struct Watched {
    token: Token,
    interest: Interest,
    /// One more than its index in `events` during a wait, else 0.
    merged: usize,
    /// Which directions have ended: a file whose both ends are over has hung up.
    read_ended: bool,
    write_ended: bool,
}

/// Changes are sent at the latest when so many have come together.
const BATCH: usize = 256;

impl Kqueue {
    /// Takes note of what a key watches now, and gives the buffer room for it.
    fn keep(&mut self, token: Token, interest: Option<Interest>) {
        let kept = interest.map(|interest| Watched {
            token,
            interest,
            merged: 0,
            read_ended: false,
            write_ended: false,
        });
        let was = match kept {
            Some(kept) => self.keys.insert(token.fd, kept),
            None => self.keys.remove(token.fd),
        };
        let knotes = |kept: Option<Watched>| {
            kept.map_or(0, |kept| {
                kept.interest.events().bits().count_ones() as usize
            })
        };
        self.knotes = self.knotes + knotes(kept) - knotes(was);
        give_back(&mut self.buffer, self.knotes);
        give_back(&mut self.events, self.knotes);
    }

    /// Sends the waiting changes and these, all with a receipt, so that no event is fetched by the
    /// way. The first refusal among these is the answer; others are for the next wait.
    fn send(&mut self, now: impl Iterator<Item = Kevent>) -> Result<(), Error> {
        let queue = self.kqueue.get()?;
        let waiting = self.changes.len();
        self.changes.extend(now);
        self.changes.iter_mut().for_each(Kevent::ask_for_receipt);
        room(&mut self.buffer, self.changes.len());
        // After a signal the changes were made, but their receipts are lost. Made once more they say
        // the same.
        let sent = uninterrupted(|| sys::kevent(queue, &self.changes, &mut self.buffer, NO_WAIT));
        let fd = self.changes.get(waiting).map(Kevent::ident);
        self.changes.clear();
        let receipts = sent.map_err(|error| Error::os("kevent", fd, error))?;
        let receipts = &self.buffer[..receipts];
        let (earlier, now) = receipts.split_at(waiting.min(receipts.len()));
        self.refused
            .extend(earlier.iter().filter(|receipt| receipt.is_refusal()));
        match now.iter().find(|receipt| receipt.is_refusal()) {
            None => Ok(()),
            Some(receipt) => {
                let source = std::io::Error::from_raw_os_error(receipt.errno());
                Err(Error::registration("kevent add", receipt.ident(), source))
            }
        }
    }

    /// The changes that lead from one interest to another. An add of a knote that is there looks at
    /// the file anew but leaves the flags as they were, so another mode takes a deletion first.
    fn steps(
        token: Token,
        from: Option<Interest>,
        to: Option<Interest>,
    ) -> impl Iterator<Item = Kevent> {
        [Filter::Read, Filter::Write]
            .into_iter()
            .flat_map(move |filter| {
                let (was, is) = (flags(from, filter), flags(to, filter));
                let delete = was.filter(|_| was != is).map(|_| sys::EV_DELETE);
                let add = is.map(|flags| sys::EV_ADD | flags);
                let generation = token.tag().generation;
                [delete, add]
                    .into_iter()
                    .flatten()
                    .map(move |step| Kevent::change(token.fd, filter, step, 0, generation))
            })
    }

    /// Sends the steps at once; on a refusal the kernel is led back.
    fn step(
        &mut self,
        token: Token,
        from: Option<Interest>,
        to: Option<Interest>,
    ) -> Result<(), Error> {
        if let Err(error) = self.send(Self::steps(token, from, to)) {
            self.changes.extend(Self::steps(token, to, from));
            return Err(error);
        }
        self.keep(token, to);
        Ok(())
    }

    /// Merges one entry of the kernel into the answers; what no key wants is dropped.
    fn merge(&mut self, event: Kevent) {
        let fd = event.ident();
        let Some(watched) = self.keys.get_mut(fd) else {
            return;
        };
        if watched.token.tag().generation != event.generation() {
            return;
        }
        let readiness = match event.has(sys::EV_ERROR) {
            true if event.is_refusal() => Readiness::ERROR,
            true => return,
            false => watched.condition(&event),
        };
        if masked(readiness, watched.interest.mask()).is_empty() {
            return;
        }
        if watched.merged == 0 {
            self.events.push(RawEvent::new(watched.token, readiness));
            watched.merged = self.events.len();
        } else {
            let merged = &mut self.events[watched.merged - 1];
            merged.replace(merged.readiness() | readiness);
        }
    }

    /// After a wait: forgets the places of merging, silences oneshot keys, of which only one of two
    /// filters may have fired, and lets an ending that lasts be reported again.
    fn settle(&mut self) {
        for index in 0..self.events.len() {
            let fd = self.events[index].tag().fd;
            let Some(watched) = self.keys.get_mut(fd) else {
                continue;
            };
            watched.merged = 0;
            let refused = self.events[index].readiness() == Readiness::ERROR;
            let (token, interest) = (watched.token, watched.interest);
            let some = Some(interest);
            let both = interest.events() == crate::Events::READ_WRITE;
            if interest.mode.is_oneshot() && (both || interest.endings_only) {
                self.changes.extend(Self::steps(token, some, None));
            } else if interest.endings_only && interest.mode == Mode::Level && !refused {
                self.changes.extend(Self::steps(token, some, some));
            }
        }
    }
}

fn room(buffer: &mut Vec<Kevent>, entries: usize) {
    if buffer.len() < entries {
        buffer.resize(entries * 2, Kevent::change(0, Filter::Read, 0, 0, 0));
    }
}

/// The flags of the knote that an interest has for a filter, if it has one.
fn flags(interest: Option<Interest>, filter: Filter) -> Option<u32> {
    let interest = interest.filter(|interest| match filter {
        Filter::Read => interest.events().is_readable(),
        _ => interest.events().is_writable(),
    })?;
    // A knote cannot be asked for endings alone. Of what it tells besides it shall tell only news.
    let clear = interest.mode.is_edge() || interest.endings_only;
    let oneshot = interest.mode.is_oneshot() && !interest.endings_only;
    let flag = |set, flag| if set { flag } else { 0 };
    Some(flag(clear, sys::EV_CLEAR) | flag(oneshot, sys::EV_ONESHOT))
}

impl Watched {
    /// What one filter says. Each has an end of its own, and only both of them are a hang-up: a socket
    /// that this program has shut down for writing still reads. Who watches one direction is told of a
    /// hang-up when that one ends.
    fn condition(&mut self, event: &Kevent) -> Readiness {
        let (mut readiness, ended) = if event.is_read() {
            (Readiness::READABLE, &mut self.read_ended)
        } else {
            (Readiness::WRITABLE, &mut self.write_ended)
        };
        if !event.has(sys::EV_EOF) {
            return readiness;
        }
        *ended = true;
        if event.is_read() {
            readiness = readiness | Readiness::READ_CLOSED;
        }
        let reads = self.interest.events().is_readable();
        if self.write_ended && (self.read_ended || !reads) {
            readiness = readiness | Readiness::HANGUP;
        }
        if event.fflags() != 0 {
            readiness = readiness | Readiness::ERROR;
        }
        readiness
    }
}

impl Open for Kqueue {
    fn open() -> Result<Kqueue, Error> {
        let kqueue = sys::kqueue().map_err(|error| Error::os("kqueue", None, error))?;
        Ok(Kqueue {
            kqueue: ProcessFd::new(kqueue),
            changes: Vec::new(),
            buffer: Vec::new(),
            keys: Table::default(),
            knotes: 0,
            events: Vec::new(),
            refused: Vec::new(),
        })
    }
}

impl Kernel for Kqueue {
    fn backend(&self) -> Backend {
        Backend::Kqueue
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            edge: true,
            oneshot: true,
            nanosecond_timeouts: true,
            priority: false,
            conditions: true,
            fileno: true,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.step(token, None, Some(interest))
    }

    fn modify(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error> {
        self.step(token, Some(from), Some(to))
    }

    fn delete(&mut self, token: Token, from: Interest) -> Result<(), Error> {
        self.changes.extend(Self::steps(token, Some(from), None));
        self.keep(token, None);
        if self.changes.len() < BATCH {
            return Ok(());
        }
        match self.send(iter::empty()) {
            // The set stayed with the parent, and with it everything that could be deleted.
            Err(Error::Forked) => Ok(()),
            sent => sent,
        }
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.events.clear();
        for refused in std::mem::take(&mut self.refused) {
            self.merge(refused);
        }
        let late = !self.events.is_empty();
        let timeout = if late {
            NO_WAIT
        } else {
            timeout.map(timeout::timespec)
        };
        loop {
            room(&mut self.buffer, (self.knotes + self.changes.len()).max(1));
            let queue = self.kqueue.get()?;
            let asked = sys::kevent(queue, &self.changes, &mut self.buffer, timeout);
            // Even an interrupted call has made the changes.
            self.changes.clear();
            let reported = match asked {
                Ok(reported) => reported,
                Err(error) if self.events.is_empty() => {
                    return Err(Error::os("kevent", None, error));
                }
                // What was refused earlier is told only once.
                Err(_) => 0,
            };
            for index in 0..reported {
                self.merge(self.buffer[index]);
            }
            self.settle();
            // A refused deletion comes back at once, instead of the wait that was asked for.
            let answers = self.buffer[..reported].iter();
            let only_answers = reported > 0 && answers.clone().all(|a| a.has(sys::EV_ERROR));
            if !self.events.is_empty() || !only_answers {
                return Ok(&self.events);
            }
        }
    }

    fn fileno(&self) -> Option<BorrowedFd<'_>> {
        Some(self.kqueue.as_fd())
    }
}

impl OwnFd for Kqueue {
    fn own_fd(&self) -> BorrowedFd<'_> {
        self.kqueue.as_fd()
    }
}
