//! select(2), the plainest way to ask: three bitmaps go in, three come out.
//!
//! **Facts.** The kernel keeps nothing between calls, so every wait carries all numbers up to the
//! highest and costs in proportion to it, ready or not. The bitmaps are overwritten with the
//! answer. One number that is not open fails the whole call with EBADF and does not say which.
//! There is no hang-up and no error bit: the end of a stream is readable, a failed connect both.
//!
//! **Decisions.** Wanted bits are copied before each call. The bitmaps grow with the numbers, where
//! the platform's library allows it. After EBADF the culprit is looked for with fcntl(2), reported
//! once as invalid and then left out, so that one closed raw source cannot stop all the others. One that is
//! beyond the process's table of files is found when the wait ends, and ends none.

use std::io;
use std::time::Duration;

use super::closed::Spoilt;
use super::{AsRawEvent, Kernel, Open, RawEvent, must_be_open, timeout};
use crate::os::RawFd;
use crate::sys::is_withheld;
use crate::sys::select::{self as sys, Word};
use crate::table::give_back;
use crate::{Backend, Capabilities, Error, Interest, Readiness, Token};

/// The kernel half of `SelectSelector`.
pub struct Select {
    /// What is watched: read, write, urgent data. All of one length.
    wanted: [Vec<Word>; 3],
    /// Where the kernel writes its answer.
    answer: [Vec<Word>; 3],
    /// By number; `None` is not watched.
    keys: Vec<Option<(Token, Interest)>>,
    /// Whether pselect(2) works here; cleared once it is [withheld](is_withheld).
    nanoseconds: bool,
    /// The answers of the last wait.
    events: Vec<RawEvent>,
}

impl Select {
    /// Sets the wanted bits of a number.
    fn set(&mut self, fd: usize, interest: Option<Interest>) {
        let asked = match interest {
            None => [false; 3],
            Some(to) => [
                to.events.is_readable() && !to.endings_only,
                to.events.is_writable() && !to.endings_only,
                to.priority,
            ],
        };
        let (word, bit) = place(fd);
        for (set, on) in self.wanted.iter_mut().zip(asked) {
            let others = set[word] & !bit;
            set[word] = if on { others | bit } else { others };
        }
    }

    /// The wanted bits, copied to where the answer will be.
    fn fresh(&mut self) -> [&mut [Word]; 3] {
        for (answer, wanted) in self.answer.iter_mut().zip(&self.wanted) {
            answer.copy_from_slice(wanted);
        }
        self.answer.each_mut().map(Vec::as_mut_slice)
    }

    /// A call that has failed has answered nothing: what was asked is still there.
    fn answered(&mut self, asked: io::Result<usize>) -> io::Result<usize> {
        if asked.is_err() {
            self.answer.iter_mut().for_each(|set| set.fill(0));
        }
        asked
    }

    /// Collects the answer's bits into one event per number; returns how many bits there were, and
    /// whether somebody is to be reported once.
    fn collect(&mut self) -> (usize, bool) {
        let mut bits = 0;
        let mut once = false;
        let [read, write, urgent] = &self.answer;
        for (index, ((&read, &write), &urgent)) in read.iter().zip(write).zip(urgent).enumerate() {
            let mut any = read | write | urgent;
            // Nearly always there are some in one set at most, and counting is dear.
            for set in [read, write, urgent] {
                if set != 0 {
                    bits += set.count_ones() as usize;
                }
            }
            while any != 0 {
                let lowest = any & any.wrapping_neg();
                any ^= lowest;
                let fd = index * Word::BITS as usize + lowest.trailing_zeros() as usize;
                let Some(Some((token, interest))) = self.keys.get(fd) else {
                    continue;
                };
                once |= interest.mode.is_oneshot();
                let told = |set: Word, what| match set & lowest {
                    0 => Readiness::EMPTY,
                    _ => what,
                };
                let readiness = told(read, Readiness::READABLE)
                    | told(write, Readiness::WRITABLE)
                    | told(urgent, Readiness::PRIORITY);
                self.events.push(RawEvent::new(*token, readiness));
            }
        }
        (bits, once)
    }

    /// Stops watching whoever is to be reported once, and was.
    fn disable_once(&mut self) {
        for index in 0..self.events.len() {
            let fd = self.events[index].tag().fd as usize;
            if self.keys[fd].is_some_and(|(_, interest)| interest.mode.is_oneshot()) {
                self.set(fd, None);
            }
        }
    }

    /// Turns the events of numbers that are not open into `INVALID` and stops watching them.
    fn disable_closed(&mut self) {
        for index in 0..self.events.len() {
            let fd = self.events[index].tag().fd;
            if must_be_open(fd).is_err() {
                self.events[index].replace(Readiness::INVALID);
                self.set(fd as usize, None);
            }
        }
    }
}

impl Spoilt for Select {
    /// One call with this timeout, by pselect(2) or the older select(2).
    fn ask(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let nfds = self.keys.len();
        if self.nanoseconds {
            match sys::pselect(nfds, self.fresh(), timeout.map(timeout::timespec)) {
                Err(error) if is_withheld(&error) => {
                    self.nanoseconds = false;
                }
                asked => return self.answered(asked),
            }
        }
        let asked = sys::select(nfds, self.fresh(), timeout.map(timeout::timeval));
        self.answered(asked)
    }

    /// After EBADF: every watched number that is not open, reported once.
    fn find_closed(&mut self) {
        for fd in 0..self.keys.len() {
            let Some((token, _)) = self.keys[fd] else {
                continue;
            };
            let (word, bit) = place(fd);
            let watched = self.wanted.iter().any(|set| set[word] & bit != 0);
            if watched && must_be_open(token.fd).is_err() {
                self.events.push(RawEvent::new(token, Readiness::INVALID));
                self.set(fd, None);
            }
        }
    }

    fn has_events(&self) -> bool {
        !self.events.is_empty()
    }
}

/// Refuses a number that the bitmaps cannot have.
fn within_limit(fd: RawFd) -> Result<(), Error> {
    match sys::LIMIT.filter(|limit| fd as usize >= *limit) {
        Some(limit) => Err(Error::FdTooLarge { fd, limit }),
        None => Ok(()),
    }
}

/// Where the bit of a number lies.
fn place(fd: usize) -> (usize, Word) {
    let width = Word::BITS as usize;
    (fd / width, 1 << (fd % width))
}

impl Open for Select {
    // select(2) needs no object in the kernel.
    fn open() -> Result<Select, Error> {
        Ok(Select {
            wanted: Default::default(),
            answer: Default::default(),
            keys: Vec::new(),
            nanoseconds: true,
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
            nanosecond_timeouts: self.nanoseconds,
            priority: true,
            conditions: false,
            fileno: false,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        within_limit(token.fd)?;
        must_be_open(token.fd)?;
        self.add_open(token, interest)
    }

    fn add_open(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        within_limit(token.fd)?;
        let fd = token.fd as usize;
        if fd >= self.keys.len() {
            self.keys.resize(fd + 1, None);
            let words = (place(fd).0 + 1).next_multiple_of(sys::STEP);
            for set in self.wanted.iter_mut().chain(&mut self.answer) {
                set.resize(words.max(set.len()), 0);
            }
        }
        self.keys[fd] = Some((token, interest));
        self.set(fd, Some(interest));
        Ok(())
    }

    fn modify(&mut self, token: Token, _from: Interest, to: Interest) -> Result<(), Error> {
        self.keys[token.fd as usize] = Some((token, to));
        self.set(token.fd as usize, Some(to));
        Ok(())
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        self.keys[token.fd as usize] = None;
        self.set(token.fd as usize, None);
        // Waits pay for the highest number, so give back what nobody needs.
        while let Some(None) = self.keys.last() {
            self.keys.pop();
        }
        let needed = self.keys.len();
        give_back(&mut self.keys, needed);
        give_back(&mut self.events, needed);
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.events.clear();
        let reported = self.ask_around_closed(timeout)?;
        let (bits, once) = self.collect();
        // Linux looks at no bit beyond the process's table of files and leaves it as it was, so a number
        // that was never open in this process (after a fork, or made up) looks ready.
        if bits != reported {
            self.disable_closed();
        }
        if once {
            self.disable_once();
        }
        Ok(&self.events)
    }
}
