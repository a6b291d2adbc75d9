//! io_uring(7): requests and answers lie in memory that is shared with the kernel, and one call
//! hands over all requests and waits.
//!
//! **Facts.** A poll request looks at the file when the kernel takes it: what holds then is its
//! answer, exactly and at once. Otherwise it waits, holds the file open, and answers with what the
//! waker said, which need not hold any more when the answer is read. The end of the peer's writing
//! (POLLRDHUP) is told unasked. If a call has taken requests, it does not say that a signal or the
//! timeout ended its wait. Requests belong to the thread that made them: what wakes them runs there,
//! and once it has ended they answer ECANCELED.
//! A forked child shares the memory.
//!
//! **Decisions.** A level key is a request that answers once; a key that was reported asks again with
//! the next wait, in the same call. An edge key is a request that lasts. Registering, modifying and
//! arming only take a note, and ride with the wait. Taking a request back cannot ride, because the
//! file must be free to close: it costs a call, but only if the request still waits. An answer of a
//! request that waited while the program ran is only a hint: a level or oneshot key asks anew in the
//! wait that reads it, so that nothing is reported which does not hold. A key that is told only what
//! it does not want would be told at once again: it watches by a request that lasts until there is
//! something else. A socket's waker says urgent data whatever has come: one poll(2) finds out for all
//! events of a wait. The ring is not watched by others (`fileno`): between waits most keys have no
//! request in it. When another thread waits than before, all requests are made anew; a selector that has
//! promised to stay has a ring of one thread, in which what is woken runs with the wait and nowhere else.

use std::io;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::{AsRawEvent, Kernel, Open, RawEvent, must_be_open, timeout};
use crate::sys;
use crate::sys::uring::{Completion, Ring};
use crate::table::{Table, give_back};
use crate::words::masked;
use crate::{Backend, Capabilities, Error, Interest, Mode, Readiness, Refusal, Token};

/// The kernel half of `UringSelector`.
pub struct Uring {
    /// The two rings.
    pub(crate) ring: Ring,
    /// By number.
    keys: Table<Watched>,
    /// Numbers of keys whose requests must change with the next wait.
    queue: Vec<i32>,
    /// The number of the last request.
    pub(crate) serial: u32,
    /// The thread that made the requests.
    thread: ThreadId,
    /// Whether it has promised that no other thread waits: then the kernel refuses all others, and so do
    /// we, before anything is said that would be done at the next call.
    stays: bool,
    /// The answers of the last wait, or what edge keys were told since.
    pub(crate) events: Vec<RawEvent>,
    /// Whether `events` has been reported.
    reported: bool,
    /// Whether a key has to ask anew because its answer was only a hint.
    hinted: bool,
}

/// A key, and its request in the kernel.
struct Watched {
    token: Token,
    interest: Interest,
    /// The request that the kernel has, or 0. An answer to any other is nobody's.
    request: u32,
    /// One more than its index in the queue, or 0.
    queued: u32,
    /// Whether it wants a request of its own when the queue is worked off.
    asks: bool,
    /// Whether that request lasts, although the key is none of edge: all that held was unwanted.
    only_news: bool,
    /// One more than its index in `events` during a wait, else 0.
    merged: u32,
}

const _: () = assert!(size_of::<Option<Watched>>() <= 32);

/// Requests that are handed over at once.
const REQUESTS: u32 = 256;

/// Answers that the ring has room for; the kernel keeps what is beyond.
const ANSWERS: u32 = 2048;

/// How long we wait at a time for a request to come back. It comes at once, unless it
/// belongs to another thread, which has to enter the kernel first. In our tests a wait for what
/// never comes is so long that it cannot pass for a busy machine.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 60_000 } else { 100 });

/// How often at most.
const TRIES: u32 = 10;

/// Which requests the answers in the ring are of.
#[derive(Clone, Copy, PartialEq)]
enum Answers {
    /// Up to this one they waited while the program ran.
    Hints(u32),
    /// They were made, or woken, in this wait.
    Facts,
}

/// The name of a request: its number, and that of the file.
fn name(fd: i32, request: u32) -> u64 {
    u64::from(request) << 32 | u64::from(fd as u32)
}

impl Watched {
    /// Whether the kernel has a request of it.
    fn waits(&self) -> bool {
        self.request != 0
    }

    /// Whether the request that it will make, or has, answers more than once.
    fn lasts(&self) -> bool {
        self.interest.mode == Mode::Edge || self.only_news
    }

    /// Goes into the queue, unless it is there.
    fn enter(&mut self, queue: &mut Vec<i32>) {
        if self.queued == 0 {
            queue.push(self.token.fd);
            self.queued = queue.len() as u32;
        }
    }
}

impl Uring {
    /// Takes a note that the request of a key has to change.
    fn queue(&mut self, fd: i32) {
        if let Some(key) = self.keys.get_mut(fd) {
            key.asks = true;
            key.enter(&mut self.queue);
        }
    }

    /// Forgets what a key was told since the last wait: it is gone, or asks anew.
    fn forget_told(&mut self, fd: i32) {
        let Some(key) = self.keys.get_mut(fd).filter(|key| key.merged != 0) else {
            return;
        };
        let merged = std::mem::take(&mut key.merged);
        let place = merged as usize - 1;
        self.events.swap_remove(place);
        let moved = self.events.get(place).map(|record| record.tag().fd);
        if let Some(moved) = moved.and_then(|fd| self.keys.get_mut(fd)) {
            moved.merged = merged;
        }
    }

    /// What the last wait has reported goes; what edge keys were told since stays.
    fn forget_reported(&mut self) {
        if std::mem::take(&mut self.reported) {
            self.events.clear();
        }
    }

    /// Reads the ring empty: events are collected, and keys queued whose request has ended.
    /// Returns whether there was any answer.
    fn read(&mut self, what: Answers) -> bool {
        self.forget_reported();
        let mut any = false;
        for Completion {
            name,
            result,
            lasts,
        } in self.ring.answers()
        {
            any = true;
            let fd = name as u32 as i32;
            let Some(key) = self.keys.get_mut(fd) else {
                continue;
            };
            if key.request != (name >> 32) as u32 {
                continue;
            }
            // What held then need not hold now. A closed number stays closed.
            let is_hint = match what {
                _ if key.interest.mode == Mode::Edge || result < 0 => false,
                Answers::Hints(last) => last.wrapping_sub(key.request) as i32 >= 0,
                Answers::Facts => false,
            };
            self.hinted |= is_hint;
            if !lasts {
                key.request = 0;
            }
            if settle(key, result, lasts, is_hint, &mut self.events) {
                key.enter(&mut self.queue);
            }
        }
        any
    }

    /// Makes the requests of the queued keys; what they had is taken back. Nothing is handed over but
    /// what the ring has no room for.
    fn work_off(&mut self) -> io::Result<()> {
        while let Some(fd) = self.queue.pop() {
            let Some(key) = self.keys.get_mut(fd) else {
                continue;
            };
            key.queued = 0;
            // Comes round after 2^32 requests; 0 is none. An answer that is as old is long read.
            self.serial = self.serial.wrapping_add(1).max(1);
            if let Err(error) = renew(&mut self.ring, key, self.serial) {
                key.enter(&mut self.queue);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Hands the requests over and waits; then reads what was found.
    fn enter(&mut self, timeout: Option<Duration>, what: Answers) -> io::Result<bool> {
        let looks = timeout == Some(Duration::ZERO) || !self.events.is_empty();
        let (has_requests, overflows) = (self.ring.has_requests(), self.ring.overflows());
        let entered = match looks {
            // All that is known lies in the ring: the kernel need not be asked.
            true if what == Answers::Facts && !has_requests && !overflows => Ok(()),
            true => self.ring.enter(0, None),
            false => self.ring.enter(1, timeout),
        };
        let mut any = self.read(what);
        while entered.is_ok() && self.ring.overflows() {
            self.ring.enter(0, None)?;
            any |= self.read(what);
        }
        // What was not taken is handed over again, without waiting for it to be a signal.
        entered.map(|()| any || self.ring.has_requests())
    }

    /// What the kernel would say.
    fn must_be_at_home(&self) -> io::Result<()> {
        match self.stays && self.thread != thread::current().id() {
            true => Err(io::Error::from_raw_os_error(libc::EEXIST)),
            false => Ok(()),
        }
    }

    /// Takes the request of a key back, if it has one, and waits until it has come: it holds the file.
    fn take_back(&mut self, fd: i32) -> io::Result<()> {
        self.must_be_at_home()?;
        self.read(Answers::Hints(self.serial));
        let waits = |keys: &Table<Watched>| usize::from(keys.get(fd).is_some_and(Watched::waits));
        let Some(key) = self.keys.get(fd).filter(|key| key.waits()) else {
            return Ok(());
        };
        let old = name(fd, key.request);
        make(&mut self.ring, |ring| ring.cancel(old))?;
        self.wait_for_returns(waits)
    }

    /// Takes all requests back, and waits until they have come. Their keys ask anew.
    fn take_all_back(&mut self) -> io::Result<()> {
        self.must_be_at_home()?;
        let waits = |keys: &Table<Watched>| keys.iter().filter(|key| key.waits()).count();
        if waits(&self.keys) == 0 {
            return Ok(());
        }
        make(&mut self.ring, Ring::cancel_all)?;
        self.wait_for_returns(waits)
    }

    /// Waits until no request that is counted waits any more, all of which are being taken back.
    ///
    /// Each has one last answer, and what takes them back has one, which comes with the first call.
    /// Other answers may end a wait before; what is waited for next must not be more than is left, or
    /// nothing but the timeout ends it.
    fn wait_for_returns(&mut self, waits: impl Fn(&Table<Watched>) -> usize) -> io::Result<()> {
        let (mut due, mut tries) = (waits(&self.keys) + 1, TRIES);
        loop {
            match self.ring.enter(due, Some(PATIENCE)) {
                Err(error) if !is_passing(&error) => return Err(error),
                Err(_) => tries -= 1,
                Ok(()) => {}
            }
            self.read(Answers::Hints(self.serial));
            due = waits(&self.keys);
            if due == 0 || tries == 0 {
                return Ok(());
            }
        }
    }
}

/// Takes an answer to the request of a key in. Returns whether the key has to ask anew.
fn settle(
    key: &mut Watched,
    result: i32,
    lasts: bool,
    is_hint: bool,
    events: &mut Vec<RawEvent>,
) -> bool {
    if key.queued != 0 && key.asks {
        // It asks anew in this wait, perhaps for other things.
        return true;
    }
    let readiness = match -result {
        ..=0 => Readiness::from_kernel(result as u16),
        // Its thread has ended, and with it the requests that it made.
        libc::ECANCELED => {
            key.asks = true;
            return true;
        }
        libc::EBADF => Readiness::INVALID,
        _ => Readiness::ERROR,
    };
    let is_edge = key.interest.mode == Mode::Edge;
    if is_hint {
        key.asks = true;
        key.only_news = false;
        return true;
    }
    let mut readiness = masked(readiness, key.interest.mask());
    if readiness == Readiness::PRIORITY && result & i32::from(libc::POLLRDBAND) != 0 {
        // It is a waker's word, and nothing is left without it.
        readiness = masked(look(key), key.interest.mask());
    }
    if readiness.is_empty() {
        // Only an unwanted condition. A request that lasts goes on; another one would say it again.
        key.only_news = true;
        key.asks = !lasts;
        return !lasts;
    }
    if key.merged == 0 {
        events.push(RawEvent::new(key.token, readiness));
        key.merged = events.len() as u32;
    } else {
        let merged = &mut events[key.merged as usize - 1];
        merged.replace(merged.readiness() | readiness);
    }
    // What lasts for a key that is none of edge is taken back.
    key.asks = match key.interest.mode {
        Mode::Level => result != -libc::EBADF,
        Mode::Edge => !lasts && result >= 0,
        Mode::Oneshot | Mode::EdgeOneshot => false,
    };
    key.only_news = false;
    key.asks || (lasts && !is_edge)
}

/// Events that one poll(2) looks at.
const LOOKS: usize = 64;

/// Takes off events what only a waker's word says: that bytes are urgent, or that urgent ones can be read.
fn look_for_urgent(events: &mut [RawEvent]) {
    let claims = |event: &RawEvent| {
        // What is urgent alone is no waker's word, or has been looked at.
        let readiness = event.readiness();
        readiness.is_priority() && readiness != Readiness::PRIORITY
    };
    for events in events.chunks_mut(LOOKS) {
        if !events.iter().any(claims) {
            continue;
        }
        // poll(2) passes over negative numbers.
        let mut looks = [sys::poll::record(-1, 0); LOOKS];
        for (event, look) in events.iter().zip(&mut looks) {
            if claims(event) {
                let asked = Readiness::READABLE | Readiness::PRIORITY;
                *look = sys::poll::record(event.tag().fd, asked.bits());
            }
        }
        let looks = &mut looks[..events.len()];
        if sys::uninterrupted(|| sys::poll::poll(looks, 0)).is_err() {
            // A hint may be wrong.
            continue;
        }
        for (event, look) in events.iter_mut().zip(looks) {
            let gone = match Readiness::from_kernel(look.revents as u16) {
                _ if look.fd < 0 => continue,
                // Nothing but the urgent byte is there.
                Readiness::PRIORITY => Readiness::READABLE,
                found if found.is_priority() => continue,
                _ => Readiness::PRIORITY,
            };
            let left = event.readiness().bits() & !gone.bits();
            event.replace(Readiness::from_kernel(left));
        }
    }
}

/// What holds of a key at this moment, asked apart.
fn look(key: &Watched) -> Readiness {
    let mut record = [sys::poll::record(key.token.fd, key.interest.poll_bits())];
    match sys::uninterrupted(|| sys::poll::poll(&mut record, 0)) {
        Ok(_) => Readiness::from_kernel(record[0].revents as u16),
        Err(_) => Readiness::ERROR,
    }
}

/// Takes the request of a key back, if it has one, and makes this one, if it wants one.
fn renew(ring: &mut Ring, key: &mut Watched, serial: u32) -> io::Result<()> {
    let fd = key.token.fd;
    if key.waits() {
        let old = name(fd, key.request);
        make(ring, |ring| ring.cancel(old))?;
        key.request = 0;
    }
    if key.asks {
        let (new, lasts) = (name(fd, serial), key.lasts());
        let events = asked(key.interest);
        make(ring, |ring| ring.poll_add(new, fd, events, lasts))?;
        (key.request, key.asks) = (serial, false);
    }
    Ok(())
}

/// The bits of poll(2) to ask for. POLLPRI alone wakes no request; sockets say POLLRDBAND beside it
/// whenever something comes, and never when they are looked at.
fn asked(interest: Interest) -> u16 {
    let band = if interest.priority {
        libc::POLLRDBAND as u16
    } else {
        0
    };
    interest.poll_bits() | band
}

/// Makes a request; if there is no room, those before it are handed over.
fn make(ring: &mut Ring, request: impl Fn(&mut Ring) -> bool) -> io::Result<()> {
    while !request(ring) {
        match ring.enter(0, None) {
            Err(error) if error.raw_os_error() != Some(libc::EINTR) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a call failed for nothing that lasts.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINTR | libc::ETIME | libc::EBUSY | libc::EAGAIN)
    )
}

/// Why the kernel was not entered.
fn failed(fd: Option<i32>, source: io::Error) -> Error {
    match source.raw_os_error() {
        Some(libc::EEXIST) => Error::refused(Refusal::OtherThread, "io_uring_enter", fd, source),
        _ => Error::os("io_uring_enter", fd, source),
    }
}

/// Why there is no ring.
fn no_ring(source: io::Error) -> Error {
    let why = match source.raw_os_error() {
        Some(libc::ENOSYS) => Refusal::NoRing,
        Some(libc::EPERM | libc::EACCES) if is_disabled() => Refusal::RingDisabled,
        Some(libc::EPERM | libc::EACCES) => Refusal::RingForbidden,
        Some(libc::EINVAL) => Refusal::RingTooOld,
        Some(libc::ENOMEM) => Refusal::NoMemoryForRing,
        _ => return Error::os("io_uring_setup", None, source),
    };
    Error::refused(why, "io_uring_setup", None, source)
}

/// Whether the system's administrator has turned io_uring off.
fn is_disabled() -> bool {
    let value = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
    value.is_ok_and(|value| matches!(value.trim(), "1" | "2"))
}

impl Open for Uring {
    fn open() -> Result<Uring, Error> {
        Ok(Uring {
            ring: sys::uring::io_uring_setup(REQUESTS, ANSWERS, false).map_err(no_ring)?,
            keys: Table::default(),
            queue: Vec::new(),
            serial: 0,
            thread: thread::current().id(),
            stays: false,
            events: Vec::new(),
            reported: false,
            hinted: false,
        })
    }
}

impl Kernel for Uring {
    fn backend(&self) -> Backend {
        Backend::Uring
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            edge: true,
            oneshot: true,
            nanosecond_timeouts: true,
            priority: true,
            conditions: true,
            fileno: false,
        }
    }

    fn stay(&mut self) -> Result<(), Error> {
        self.ring.maker.must_be_here()?;
        let ring = match sys::uring::io_uring_setup(REQUESTS, ANSWERS, true) {
            // Older than Linux 6.1: the ring that there is has to do.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return Ok(()),
            made => made.map_err(no_ring)?,
        };
        self.take_all_back().map_err(|error| failed(None, error))?;
        if !self.keys.iter().any(Watched::waits) {
            self.ring = ring;
            self.thread = thread::current().id();
            self.stays = true;
        }
        Ok(())
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.ring.maker.must_be_here()?;
        must_be_open(token.fd)?;
        self.add_open(token, interest)
    }

    fn add_open(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.ring.maker.must_be_here()?;
        let watched = Watched {
            token,
            interest,
            request: 0,
            queued: 0,
            asks: false,
            only_news: false,
            merged: 0,
        };
        self.keys.insert(token.fd, watched);
        self.queue(token.fd);
        Ok(())
    }

    fn modify(&mut self, token: Token, _from: Interest, to: Interest) -> Result<(), Error> {
        self.ring.maker.must_be_here()?;
        if let Some(key) = self.keys.get_mut(token.fd) {
            key.interest = to;
            key.only_news = false;
        }
        self.forget_told(token.fd);
        self.queue(token.fd);
        Ok(())
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        if self.ring.maker.is_here() && self.keys.get(token.fd).is_some_and(Watched::waits) {
            self.take_back(token.fd)
                .map_err(|error| failed(Some(token.fd), error))?;
        }
        self.forget_told(token.fd);
        let queued = self.keys.remove(token.fd).map_or(0, |key| key.queued);
        if queued != 0 {
            let place = queued as usize - 1;
            self.queue.swap_remove(place);
            let moved = self.queue.get(place);
            if let Some(moved) = moved.and_then(|moved| self.keys.get_mut(*moved)) {
                moved.queued = queued;
            }
        }
        let needed = self.queue.len();
        give_back(&mut self.queue, needed);
        self.forget_reported();
        let needed = self.events.len();
        give_back(&mut self.events, needed);
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.ring.maker.must_be_here()?;
        let failed = |error| failed(None, error);
        let timeout = timeout.map(|timeout| timeout.min(timeout::LONGEST));
        let deadline = timeout
            .filter(|timeout| !timeout.is_zero())
            .map(|timeout| Instant::now() + timeout);
        let mut left = timeout;
        let here = thread::current().id();
        if self.thread != here {
            self.take_all_back().map_err(failed)?;
            self.thread = here;
        }
        loop {
            // What was woken while the program ran must not pass for what is woken in this wait.
            let hints = Answers::Hints(self.serial);
            self.read(hints);
            let is_woken = self.ring.is_woken() || self.ring.overflows();
            self.work_off().map_err(failed)?;
            self.hinted = false;
            let entered = self.enter(left, if is_woken { hints } else { Answers::Facts });
            let any = match entered {
                // Who was hinted at is asked in this wait, whatever else there is.
                Ok(_) if self.hinted => true,
                _ if !self.events.is_empty() => break,
                Err(error) if error.raw_os_error() == Some(libc::ETIME) => break,
                // There is room again for what the kernel has kept.
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => continue,
                entered => entered.map_err(failed)?,
            };
            left = deadline
                .map(|deadline| deadline.saturating_duration_since(Instant::now()))
                .or(timeout);
            if left == Some(Duration::ZERO) && !self.hinted {
                break;
            }
            if !any {
                // Neither an answer nor the time: it was a signal.
                return Err(Error::Interrupted);
            }
        }
        for event in &self.events {
            if let Some(key) = self.keys.get_mut(event.tag().fd) {
                key.merged = 0;
            }
        }
        look_for_urgent(&mut self.events);
        self.reported = true;
        Ok(&self.events)
    }
}

/// Requests that a closed ring leaves are ended by the kernel at its leisure, and they hold files.
impl Drop for Uring {
    fn drop(&mut self) {
        if self.ring.maker.is_here() {
            // The kernel does it in any case, later.
            let _ = self.take_all_back();
        }
    }
}
