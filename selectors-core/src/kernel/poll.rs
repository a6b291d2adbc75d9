//! poll(2): one array of records goes in, the same array comes out with the answers filled in.
//!
//! **Facts.** The kernel keeps nothing between calls, so a wait costs in proportion to what is
//! registered. Hang-up, error and "not open" are reported for a record even if it asks for
//! nothing; a negative number switches a record off. A number that is not open is answered with
//! POLLNVAL in every call.
//!
//! **Decisions.** The array is kept between calls and edited in place; a removed record is replaced
//! by the last one. POLLNVAL is reported once and the record switched off, so that a closed raw
//! source cannot make a loop spin.

use std::io;
use std::time::Duration;

use libc::pollfd;

use super::{AsRawEvent, Kernel, Open, RawEvent, must_be_open, timeout};
use crate::sys::is_withheld;
use crate::sys::poll as sys;
use crate::table::{Table, give_back};
use crate::{Backend, Capabilities, Error, Interest, Readiness, Refusal, Token};

/// The kernel half of `PollSelector`.
pub struct Poll {
    /// The records, as the call takes them. A negative number is a record switched off.
    records: Vec<pollfd>,
    /// Whose record it is, index by index.
    owners: Vec<(Token, Interest)>,
    /// By number, the index of its record.
    index: Table<u32>,
    /// Whether ppoll(2) works here; cleared once it is [withheld](is_withheld).
    nanoseconds: bool,
    /// The answers of the last wait.
    events: Vec<RawEvent>,
}

impl Poll {
    /// One call with this timeout: in milliseconds where that is exact, else as fine as can be.
    fn ask(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let millis = timeout::whole_millis(timeout);
        if let (None, Some(fine), true) = (millis, timeout, self.nanoseconds) {
            match sys::ppoll(&mut self.records, timeout::timespec(fine)) {
                Err(error) if is_withheld(&error) => {
                    self.nanoseconds = false;
                }
                asked => return asked,
            }
        }
        sys::poll(&mut self.records, timeout::millis(timeout))
    }
}

/// What a failed call means. It has one reason for EINVAL, and the errno does not tell it.
fn failed(source: io::Error) -> Error {
    match source.raw_os_error() {
        Some(libc::EINVAL) => Error::refused(Refusal::MoreKeysThanFiles, "poll", None, source),
        _ => Error::os("poll", None, source),
    }
}

/// The record of a key.
fn record(fd: i32, interest: Interest) -> pollfd {
    // READ_CLOSED's bit means something else where there is no POLLRDHUP.
    let known = interest.poll_bits() & (!Readiness::READ_CLOSED.bits() | sys::RDHUP);
    sys::record(fd, known)
}

impl Open for Poll {
    // poll(2) needs no object in the kernel.
    fn open() -> Result<Poll, Error> {
        Ok(Poll {
            records: Vec::new(),
            owners: Vec::new(),
            index: Table::default(),
            nanoseconds: cfg!(ppoll),
            events: Vec::new(),
        })
    }
}

impl Kernel for Poll {
    fn backend(&self) -> Backend {
        Backend::Poll
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            edge: false,
            oneshot: true,
            nanosecond_timeouts: self.nanoseconds,
            priority: true,
            conditions: true,
            fileno: false,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        must_be_open(token.fd)?;
        self.add_open(token, interest)
    }

    fn add_open(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.index.insert(token.fd, self.records.len() as u32);
        self.records.push(record(token.fd, interest));
        self.owners.push((token, interest));
        Ok(())
    }

    fn modify(&mut self, token: Token, _from: Interest, to: Interest) -> Result<(), Error> {
        if let Some(&index) = self.index.get(token.fd) {
            self.records[index as usize] = record(token.fd, to);
            self.owners[index as usize] = (token, to);
        }
        Ok(())
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        let Some(index) = self.index.remove(token.fd) else {
            return Ok(());
        };
        self.records.swap_remove(index as usize);
        self.owners.swap_remove(index as usize);
        if let Some((moved, _)) = self.owners.get(index as usize) {
            self.index.insert(moved.fd, index);
        }
        let needed = self.records.len();
        give_back(&mut self.records, needed);
        give_back(&mut self.owners, needed);
        give_back(&mut self.events, needed);
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.events.clear();
        let mut left = self.ask(timeout).map_err(failed)?;
        for (record, (token, interest)) in self.records.iter_mut().zip(&self.owners) {
            if left == 0 {
                break;
            }
            if record.revents == 0 {
                continue;
            }
            left -= 1;
            let readiness = Readiness::from_kernel(record.revents as u16);
            if readiness.is_invalid() || interest.mode.is_oneshot() {
                record.fd = !token.fd;
                // A record that is switched off is not written to any more.
                record.revents = 0;
            }
            self.events.push(RawEvent::new(*token, readiness));
        }
        Ok(&self.events)
    }
}
