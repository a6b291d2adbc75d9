//! A second kqueue, written from kqueue(2) of FreeBSD and macOS alone, so that the first and our kernel
//! half are held against a reading of the manual that is not theirs.
//!
//! It is made as the manual tells it: knotes, and a queue. Each knote has a bell, an epoll set of its own
//! that rings when something happens to the file. A bell that rang has the filter run, which asks the
//! file itself; what the filter finds is queued, and the filter runs again when it is fetched. The fd of
//! the kqueue is a set of all bells, and of a flag that is up while something is queued.
//!
//! Not modelled, because nobody here asks: `data` of an event, EV_ENABLE and its kin, the user flags of
//! EVFILT_USER, and which error `fflags` tells of.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::process;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use libc::c_int;

use super::kqueue::{
    EV_ADD, EV_CLEAR, EV_DELETE, EV_EOF, EV_ERROR, EV_ONESHOT, EV_RECEIPT, EVFILT_READ,
    EVFILT_USER, EVFILT_WRITE, NOTE_TRIGGER, kevent as Kevent,
};
use crate::sys::{epoll, eventfd, fault, fd, poll, socket};

/// What names a knote: ident and filter.
type Name = (usize, i16);

struct Knote {
    /// The parameters: flags, and `udata` as a number.
    flags: u16,
    udata: usize,
    /// Rings when something happens to the file. A user event has none, and a regular file, whose
    /// filter is run each time.
    bell: Option<OwnedFd>,
    /// Its place in the queue, if it is there.
    place: Option<u64>,
}

struct Queue {
    /// Who may use it: the child of a fork has none.
    pid: u32,
    /// An eventfd that is readable while a knote is queued.
    flag: OwnedFd,
    knotes: BTreeMap<Name, Knote>,
    places: u64,
}

/// All kqueues of this process, by number.
static QUEUES: Mutex<BTreeMap<RawFd, Queue>> = Mutex::new(BTreeMap::new());

fn with<R>(kqueue: RawFd, call: impl FnOnce(&mut Queue) -> R) -> io::Result<R> {
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    match queues.get_mut(&kqueue) {
        Some(queue) if queue.is_at(kqueue) => Ok(call(queue)),
        _ => Err(io::Error::from_raw_os_error(libc::EBADF)),
    }
}

/// Whether this number is one of these.
pub(super) fn is_one(kqueue: RawFd) -> bool {
    fault::aside(|| with(kqueue, |_| ())).is_ok()
}

/// kqueue(2).
pub(super) fn kqueue() -> io::Result<RawFd> {
    fault::aside(make)
}

fn make() -> io::Result<RawFd> {
    let bells = epoll::epoll_create1()?;
    let flag = eventfd::eventfd()?;
    epoll::epoll_ctl(
        bells.as_fd(),
        libc::EPOLL_CTL_ADD,
        flag.as_raw_fd(),
        libc::EPOLLIN as u32,
        0,
    )?;
    let queue = Queue {
        pid: process::id(),
        flag,
        knotes: BTreeMap::new(),
        places: 0,
    };
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    queues.retain(|number, queue| queue.is_at(*number));
    queues.insert(bells.as_raw_fd(), queue);
    Ok(bells.into_raw_fd())
}

/// kevent(2).
///
/// # Safety
///
/// `events` has room for `room` events; the changes, which may be in the same place, have been copied.
pub(super) unsafe fn kevent(
    kqueue: RawFd,
    changes: Vec<Kevent>,
    events: *mut Kevent,
    room: c_int,
    timeout: Option<libc::timespec>,
) -> io::Result<c_int> {
    let room = usize::try_from(room).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let found = fault::aside(|| call(kqueue, &changes, room, timeout))?;
    for (index, event) in found.iter().enumerate() {
        // SAFETY: no more than `room` were found, and there is room for as many.
        let place = unsafe { events.add(index) };
        // SAFETY: the same.
        unsafe { place.write(*event) };
    }
    Ok(found.len() as c_int)
}

fn call(
    kqueue: RawFd,
    changes: &[Kevent],
    room: usize,
    timeout: Option<libc::timespec>,
) -> io::Result<Vec<Kevent>> {
    let limit = timeout.map(duration).transpose()?;
    let until = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut answers = Vec::new();
    for change in changes {
        let errno = match with(kqueue, |queue| queue.change(kqueue, change))? {
            Ok(()) if change.flags & EV_RECEIPT == 0 => continue,
            Ok(()) if answers.len() == room => return Ok(answers),
            Ok(()) => 0,
            Err(error) if answers.len() == room => return Err(error),
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        };
        answers.push(Kevent {
            flags: EV_ERROR,
            data: i64::from(errno),
            ..*change
        });
    }
    // What is pending is not drained by who asks for receipts or made a mistake.
    if !answers.is_empty() || room == 0 {
        return Ok(answers);
    }
    loop {
        let found = with(kqueue, |queue| queue.fetch(room))?;
        if !found.is_empty() || !sleep(kqueue, limit.is_some(), until)? {
            return Ok(found);
        }
    }
}

fn duration(time: libc::timespec) -> io::Result<Duration> {
    let seconds = u64::try_from(time.tv_sec).ok();
    let nanos = u32::try_from(time.tv_nsec)
        .ok()
        .filter(|n| *n < 1_000_000_000);
    match (seconds, nanos) {
        (Some(seconds), Some(nanos)) => Ok(Duration::new(seconds, nanos)),
        _ => Err(io::Error::from_raw_os_error(libc::EINVAL)),
    }
}

/// Until a bell rings; `false` when the time is over.
fn sleep(kqueue: RawFd, limited: bool, until: Option<Instant>) -> io::Result<bool> {
    let mut bells = [poll::record(kqueue, libc::POLLIN as u16)];
    let Some(until) = until else {
        // Without a limit, or with one that no clock reaches.
        poll::poll(&mut bells, -1)?;
        return Ok(true);
    };
    let left = until.saturating_duration_since(Instant::now());
    if limited && left.is_zero() {
        return Ok(false);
    }
    // A millisecond more than the whole ones, never early.
    let millis = c_int::try_from(left.as_millis()).map_or(c_int::MAX, |n| n.saturating_add(1));
    poll::poll(&mut bells, millis)?;
    Ok(true)
}

impl Queue {
    /// Whether it still is what this number names, and this process the one that made it.
    fn is_at(&self, kqueue: RawFd) -> bool {
        // SAFETY: used for this call only, which refuses a number that is closed or another file.
        let kqueue = unsafe { BorrowedFd::borrow_raw(kqueue) };
        let events = libc::EPOLLIN as u32;
        let flag = self.flag.as_raw_fd();
        self.pid == process::id()
            && epoll::epoll_ctl(kqueue, libc::EPOLL_CTL_MOD, flag, events, 0).is_ok()
    }

    /// Makes one change of a changelist.
    fn change(&mut self, kqueue: RawFd, change: &Kevent) -> io::Result<()> {
        let refuse = |errno| Err(io::Error::from_raw_os_error(errno));
        let name = (change.ident, change.filter);
        match change.filter {
            EVFILT_READ | EVFILT_WRITE => {
                fd::fcntl_getfd(change.ident as RawFd)?;
            }
            EVFILT_USER => {}
            _ => return refuse(libc::EINVAL),
        }
        self.forget_the_closed();
        if change.flags & EV_DELETE != 0 {
            let deleted = self.knotes.remove(&name);
            self.show();
            return deleted.map_or_else(|| refuse(libc::ENOENT), |_| Ok(()));
        }
        match self.knotes.get_mut(&name) {
            // The pages say that the parameters are modified. That the flags are none of these, and
            // that the filter is run anew, the sources of FreeBSD, OpenBSD and xnu say.
            Some(knote) => knote.udata = change.udata as usize,
            None if change.flags & EV_ADD == 0 => return refuse(libc::ENOENT),
            None => {
                let knote = Knote {
                    flags: change.flags,
                    udata: change.udata as usize,
                    bell: bell(kqueue, name)?,
                    place: None,
                };
                self.knotes.insert(name, knote);
            }
        }
        let happened = match change.filter {
            EVFILT_USER => change.fflags & NOTE_TRIGGER != 0,
            filter => run(change.ident as RawFd, filter).is_some(),
        };
        if happened {
            self.enqueue(name);
        }
        self.show();
        Ok(())
    }

    /// Takes from the queue what still holds, at most `room`.
    fn fetch(&mut self, room: usize) -> Vec<Kevent> {
        self.forget_the_closed();
        let names: Vec<Name> = self.knotes.keys().copied().collect();
        for name in names {
            let file = name.1 != EVFILT_USER;
            if file && self.knotes[&name].has_rung() && run(name.0 as RawFd, name.1).is_some() {
                self.enqueue(name);
            }
        }
        let place_of = |(name, knote): (&Name, &Knote)| knote.place.map(|place| (place, *name));
        let mut queued: Vec<(u64, Name)> = self.knotes.iter().filter_map(place_of).collect();
        queued.sort_unstable();
        let mut found = Vec::new();
        for (_, name) in queued {
            if found.len() == room {
                break;
            }
            let knote = self.knotes.get_mut(&name).expect("it was there above");
            knote.place = None;
            let state = match name.1 {
                EVFILT_USER => Some((0, 0)),
                filter => run(name.0 as RawFd, filter),
            };
            let Some((eof, fflags)) = state else {
                continue;
            };
            let flags = knote.flags;
            found.push(Kevent {
                ident: name.0,
                filter: name.1,
                flags: flags | eof,
                fflags,
                data: 0,
                udata: knote.udata as *mut _,
            });
            if flags & EV_ONESHOT != 0 {
                self.knotes.remove(&name);
            } else if flags & EV_CLEAR == 0 {
                // Behind the others.
                self.enqueue(name);
            }
        }
        self.show();
        found
    }

    fn enqueue(&mut self, name: Name) {
        self.places += 1;
        let knote = self.knotes.get_mut(&name).expect("a caller has seen it");
        knote.place.get_or_insert(self.places);
    }

    /// "Calling close() on a file descriptor will remove any kevents that reference the descriptor."
    fn forget_the_closed(&mut self) {
        self.knotes.retain(|name, knote| {
            let ident = name.0 as RawFd;
            match &knote.bell {
                // It refuses who is there already, and takes in whoever came to have the number.
                Some(bell) => {
                    let again = epoll::epoll_ctl(bell.as_fd(), libc::EPOLL_CTL_ADD, ident, 0, 0);
                    matches!(again, Err(error) if error.raw_os_error() == Some(libc::EEXIST))
                }
                None => name.1 == EVFILT_USER || fd::fcntl_getfd(ident).is_ok(),
            }
        });
    }

    /// The flag is up while something is queued.
    fn show(&self) {
        let up = self.knotes.values().any(|knote| knote.place.is_some());
        let _was_down_already = fd::read(self.flag.as_fd(), &mut [0; 8]);
        if up {
            fd::write(self.flag.as_fd(), &1u64.to_ne_bytes()).expect("a counter at 0 takes a 1");
        }
    }
}

impl Knote {
    /// Whether its bell rang since it was asked.
    fn has_rung(&self) -> bool {
        let Some(bell) = &self.bell else {
            return true;
        };
        let mut events = [libc::epoll_event { events: 0, u64: 0 }];
        epoll::epoll_wait(bell.as_fd(), &mut events, 0).is_ok_and(|n| n > 0)
    }
}

/// What rings when something happens to a file in the direction of the filter.
fn bell(kqueue: RawFd, (ident, filter): Name) -> io::Result<Option<OwnedFd>> {
    let direction = match filter {
        EVFILT_USER => return Ok(None),
        EVFILT_READ => libc::EPOLLIN | libc::EPOLLRDHUP,
        _ => libc::EPOLLOUT,
    };
    let bell = epoll::epoll_create1()?;
    let events = (direction | libc::EPOLLET) as u32;
    let add = libc::EPOLL_CTL_ADD;
    match epoll::epoll_ctl(bell.as_fd(), add, ident as RawFd, events, 0) {
        // A regular file; "this filter is not supported for vnodes".
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => match filter {
            EVFILT_READ => return Ok(None),
            _ => return Err(io::Error::from_raw_os_error(libc::EINVAL)),
        },
        done => done?,
    }
    // SAFETY: the caller has just found it to be a kqueue of ours.
    let kqueue = unsafe { BorrowedFd::borrow_raw(kqueue) };
    epoll::epoll_ctl(kqueue, add, bell.as_raw_fd(), libc::EPOLLIN as u32, 0)?;
    Ok(Some(bell))
}

/// The filter: `None` if there is nothing to report, else EV_EOF or not, and whether there is an error.
fn run(ident: RawFd, filter: i16) -> Option<(u16, u32)> {
    let asked = libc::POLLIN | libc::POLLOUT | libc::POLLRDHUP;
    let mut file = [poll::record(ident, asked as u16)];
    poll::poll(&mut file, 0).ok()?;
    let is = |bit: i16| file[0].revents & bit != 0;
    // SAFETY: for the questions below; that the number is open was just found.
    let borrowed = unsafe { BorrowedFd::borrow_raw(ident) };
    let kind = socket::so_type(borrowed).ok();
    let failed = is(libc::POLLERR);
    let (ready, ended) = match (filter, kind) {
        // Linux says of a socket that was never connected that it has hung up.
        (_, Some(_)) if is(libc::POLLHUP) && !is(libc::POLLRDHUP) && !failed => return None,
        // "If the read direction of the socket has shutdown."
        (EVFILT_READ, Some(_)) => (is(libc::POLLIN) || failed, is(libc::POLLRDHUP)),
        // "When the last writer disconnects." A pipe goes both ways there, so either end can end.
        (EVFILT_READ, None) => (is(libc::POLLIN), is(libc::POLLHUP) || failed),
        (_, Some(kind)) => {
            let both = is(libc::POLLHUP);
            let ended = both || is(libc::POLLOUT) && is_shut_for_writing(borrowed, kind);
            (is(libc::POLLOUT) || failed, ended)
        }
        // "When the reader disconnects."
        (_, None) => (is(libc::POLLOUT), is(libc::POLLHUP) || failed),
    };
    let error = u32::from(ended && failed && kind.is_some()) * libc::EIO as u32;
    (ready || ended).then_some((u16::from(ended) * EV_EOF, error))
}

/// Asked by sending nothing, which a stream does not notice.
fn is_shut_for_writing(socket: BorrowedFd<'_>, kind: c_int) -> bool {
    let quiet = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    kind == libc::SOCK_STREAM
        && socket::send(socket, &[], quiet)
            .is_err_and(|error| error.raw_os_error() == Some(libc::EPIPE))
}
