//! select() of Winsock, which takes lists of sockets and no bitmaps.
//!
//! **Facts.** The kernel keeps nothing between calls, and a wait costs in proportion to what is
//! registered. A set is a count and so many sockets, so there is no highest number. Three empty sets are
//! refused at once (WSAEINVAL) instead of waited for. A connect that fails is exceptional, and neither
//! readable nor writable; urgent data is exceptional too. One number that is no socket fails the whole
//! call with WSAENOTSOCK and does not say which. A wait is as fine as the system's tick and may end
//! before its time.
//!
//! **Decisions.** With nothing to watch the thread sleeps by itself. A socket that has not been seen
//! connected is watched for exceptions whatever the key wants, and without a peer it is an error. After
//! WSAENOTSOCK the culprit is looked for, reported once as invalid and then left out. A wait that ends
//! early is continued.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::closed::Spoilt;
use super::timeout::{LONGEST, timeval};
use super::{AsRawEvent, Kernel, Open, RawEvent, must_be_open};
use crate::os::RawFd;
use crate::sys::select::{self as sys, Set};
use crate::sys::socket::getpeername;
use crate::sys::startup;
use crate::table::{Table, give_back};
use crate::{Backend, Capabilities, Error, Interest, Readiness, Token};

/// The kernel half of `SelectSelector`.
pub struct Select {
    keys: Vec<Watched>,
    /// By number, the index of its key.
    index: Table<usize>,
    /// Read, write, exceptional: what is asked for, and what the answer is.
    sets: [Set; 3],
    /// The answers of the last wait.
    events: Vec<RawEvent>,
}

struct Watched {
    token: Token,
    interest: Interest,
    /// A oneshot key that has been reported, or one that is no socket any more.
    silent: bool,
    /// It cannot fail to connect any more.
    connected: bool,
    /// What has been found in the answer so far.
    found: Readiness,
}

/// In which set a key was left. They are looked at in this order: a key that is writable is connected,
/// and its exception is urgent data.
#[derive(Clone, Copy)]
enum Found {
    Readable,
    Writable,
    Exceptional,
}

impl Watched {
    fn new(token: Token, interest: Interest) -> Watched {
        Watched {
            token,
            interest,
            silent: false,
            connected: false,
            found: Readiness::EMPTY,
        }
    }

    /// It was left in a set.
    fn note(&mut self, set: Found) {
        let condition = match set {
            Found::Readable => Readiness::READABLE,
            Found::Writable => Readiness::WRITABLE,
            Found::Exceptional if self.connected => Readiness::PRIORITY,
            Found::Exceptional => exceptional(self.token.fd),
        };
        let connected = Readiness::WRITABLE | Readiness::PRIORITY;
        self.connected |= condition.bits() & connected.bits() != 0;
        self.found = self.found | condition;
    }

    /// Whether it goes into each of the sets.
    fn asked(&self) -> [bool; 3] {
        let Interest {
            events,
            priority,
            endings_only,
            ..
        } = self.interest;
        [
            events.is_readable() && !endings_only,
            events.is_writable() && !endings_only,
            priority || !self.connected,
        ]
        .map(|asked| asked && !self.silent)
    }
}

impl Select {
    /// Notes at each key in which sets it was left.
    fn collect(&mut self) {
        let conditions = [Found::Readable, Found::Writable, Found::Exceptional];
        for (set, found) in self.sets.iter().zip(conditions) {
            for socket in set.sockets() {
                if let Some(index) = self.index.get(socket) {
                    self.keys[*index].note(found);
                }
            }
        }
    }
}

impl Spoilt for Select {
    /// Waits until something is found, or for as long as the timeout; what is found is in the sets.
    fn ask(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let deadline = match timeout {
            None | Some(Duration::ZERO) => None,
            Some(timeout) => Some(Instant::now() + timeout.min(LONGEST)),
        };
        let mut left = timeout;
        loop {
            for set in &mut self.sets {
                set.clear();
            }
            for key in &self.keys {
                for (set, asked) in self.sets.iter_mut().zip(key.asked()) {
                    if asked {
                        set.insert(key.token.fd);
                    }
                }
            }
            let found = if self.sets.iter().all(Set::is_empty) {
                thread::sleep(left.unwrap_or(LONGEST).min(LONGEST));
                0
            } else {
                sys::select(self.sets.each_mut(), left.map(timeval))?
            };
            left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match left {
                Some(left) if found == 0 && !left.is_zero() => {}
                _ => return Ok(found),
            }
        }
    }

    /// After WSAENOTSOCK: every watched number that is no socket, reported once.
    fn find_closed(&mut self) {
        for key in self.keys.iter_mut().filter(|key| !key.silent) {
            if must_be_open(key.token.fd).is_err() {
                self.events
                    .push(RawEvent::new(key.token, Readiness::INVALID));
                key.silent = true;
            }
        }
    }

    fn has_events(&self) -> bool {
        !self.events.is_empty()
    }
}

/// What an exceptional socket has: whoever has a peer has urgent data, all others have failed to connect.
fn exceptional(socket: RawFd) -> Readiness {
    match getpeername(socket) {
        Ok(_) => Readiness::PRIORITY,
        Err(_) => Readiness::ERROR,
    }
}

/// One look at one socket, without a selector.
pub(crate) fn look(fd: RawFd, interest: Readiness) -> io::Result<Readiness> {
    let mut sets: [Set; 3] = Default::default();
    for (set, asked) in sets
        .iter_mut()
        .zip([interest.is_readable(), interest.is_writable(), true])
    {
        if asked {
            set.insert(fd);
        }
    }
    sys::select(sets.each_mut(), Some(timeval(Duration::ZERO)))?;
    let [read, write, except] = sets.map(|set| !set.is_empty());
    let told = |is_so, what| if is_so { what } else { Readiness::EMPTY };
    let exception = told(except, exceptional(fd));
    let unwanted = exception.is_priority() && !interest.is_priority();
    Ok(told(read, Readiness::READABLE)
        | told(write, Readiness::WRITABLE)
        | told(!unwanted, exception))
}

impl Open for Select {
    // select() needs no object in the kernel, but the library wants to be started.
    fn open() -> Result<Select, Error> {
        startup().map_err(|error| Error::os("WSAStartup", None, error))?;
        Ok(Select {
            keys: Vec::new(),
            index: Table::default(),
            sets: Default::default(),
            events: Vec::new(),
        })
    }
}

impl Kernel for Select {
    fn backend(&self) -> Backend {
        Backend::Select
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            edge: false,
            oneshot: true,
            nanosecond_timeouts: false,
            priority: true,
            conditions: false,
            fileno: false,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        must_be_open(token.fd)?;
        self.add_open(token, interest)
    }

    fn add_open(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.index.insert(token.fd, self.keys.len());
        self.keys.push(Watched::new(token, interest));
        Ok(())
    }

    fn modify(&mut self, token: Token, _from: Interest, to: Interest) -> Result<(), Error> {
        if let Some(index) = self.index.get(token.fd) {
            let key = &mut self.keys[*index];
            key.interest = to;
            key.silent = false;
        }
        Ok(())
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        if let Some(index) = self.index.remove(token.fd) {
            self.keys.swap_remove(index);
            if let Some(moved) = self.keys.get(index) {
                self.index.insert(moved.token.fd, index);
            }
        }
        let left = self.keys.len();
        give_back(&mut self.keys, left);
        give_back(&mut self.events, left);
        self.sets.iter_mut().for_each(|set| set.give_back(left));
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.events.clear();
        let found = self.ask_around_closed(timeout)?;
        if found == 0 {
            return Ok(&self.events);
        }
        self.collect();
        for key in &mut self.keys {
            if key.found.is_empty() {
                continue;
            }
            self.events.push(RawEvent::new(key.token, key.found));
            key.found = Readiness::EMPTY;
            key.silent = key.interest.mode.is_oneshot();
        }
        Ok(&self.events)
    }
}
