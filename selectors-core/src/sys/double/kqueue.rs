//! A kqueue made of epoll sets: one for the read filters, one for the write filters, an eventfd
//! for the user filter, all watched by a third set whose fd is the kqueue.
//!
//! Modelled: a knote dies with its number (found out by comparing inodes, and the epoll set is built
//! anew without it), level, EV_CLEAR, EV_ONESHOT, EV_EOF, EV_RECEIPT, errors first and alone, re-adding
//! looks anew and leaves the flags as they were, EVFILT_USER, a pollable fd. Not modelled: `data` of READ
//! and WRITE, `fflags` beyond "there is an error", and the forgetting of a kqueue by a fork.
//!
//! `second_kqueue.rs` was written without a look at this file, and has to say the same.

#![allow(non_camel_case_types, reason = "the names of the C interface")]

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::ptr;
use std::slice;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libc::{c_int, c_void};

use crate::sys::{epoll, eventfd, fault, poll, socket};

pub(crate) const EVFILT_READ: i16 = -1;
pub(crate) const EVFILT_WRITE: i16 = -2;
pub(crate) const EVFILT_USER: i16 = -11;
pub(crate) const EV_ADD: u16 = 0x1;
pub(crate) const EV_DELETE: u16 = 0x2;
pub(crate) const EV_ONESHOT: u16 = 0x10;
pub(crate) const EV_CLEAR: u16 = 0x20;
pub(crate) const EV_RECEIPT: u16 = 0x40;
pub(crate) const EV_ERROR: u16 = 0x4000;
pub(crate) const EV_EOF: u16 = 0x8000;
pub(crate) const NOTE_TRIGGER: u32 = 0x0100_0000;

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct kevent {
    pub(crate) ident: usize,
    pub(crate) filter: i16,
    pub(crate) flags: u16,
    pub(crate) fflags: u32,
    pub(crate) data: i64,
    pub(crate) udata: *mut c_void,
}

struct Knote {
    flags: u16,
    udata: usize,
    /// Which file the number meant.
    file: Option<(libc::dev_t, libc::ino_t)>,
    /// A user event that happened.
    triggered: bool,
}

struct Queue {
    /// Of the read filters, and of the write filters.
    sets: [OwnedFd; 2],
    user: OwnedFd,
    /// By ident and filter.
    knotes: HashMap<(usize, i16), Knote>,
}

/// Every kqueue of the process, by its number.
static QUEUES: LazyLock<Mutex<Queues>> = LazyLock::new(Mutex::default);

type Queues = HashMap<RawFd, Arc<Mutex<Queue>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which of the sets is that of a filter.
fn place(filter: i16) -> usize {
    usize::from(filter == EVFILT_WRITE)
}

/// kqueue(2).
pub(super) fn kqueue() -> io::Result<RawFd> {
    let top = epoll::epoll_create1()?;
    let queue = Queue {
        sets: [epoll::epoll_create1()?, epoll::epoll_create1()?],
        user: eventfd::eventfd()?,
        knotes: HashMap::new(),
    };
    for part in queue.sets.iter().chain([&queue.user]) {
        let part = part.as_raw_fd();
        epoll::epoll_ctl(
            top.as_fd(),
            libc::EPOLL_CTL_ADD,
            part,
            libc::EPOLLIN as u32,
            0,
        )?;
    }
    let mut queues = lock(&QUEUES);
    fault::aside(|| queues.retain(|number, queue| is_at(*number, &lock(queue))));
    queues.insert(top.as_raw_fd(), Arc::new(Mutex::new(queue)));
    Ok(top.into_raw_fd())
}

/// Whether the number still is this queue: nobody tells when it is closed.
fn is_at(number: RawFd, queue: &Queue) -> bool {
    // SAFETY: for this call only, which refuses a number that is closed or something else.
    let top = unsafe { BorrowedFd::borrow_raw(number) };
    let (op, user) = (libc::EPOLL_CTL_MOD, queue.user.as_raw_fd());
    epoll::epoll_ctl(top, op, user, libc::EPOLLIN as u32, 0).is_ok()
}

/// # Safety
///
/// As kevent(2): `changes` has `n_changes` records, `events` room for `n_events`, `timeout` is
/// null or valid.
pub(super) unsafe fn kevent(
    kqueue: RawFd,
    changes: *const kevent,
    n_changes: c_int,
    events: *mut kevent,
    n_events: c_int,
    timeout: *const libc::timespec,
) -> io::Result<c_int> {
    // SAFETY: promised by the caller.
    let changes = unsafe { slice::from_raw_parts(changes, n_changes as usize) };
    // SAFETY: promised by the caller.
    let events = unsafe { slice::from_raw_parts_mut(events, n_events as usize) };
    let Some(queue) = lock(&QUEUES).get(&kqueue).cloned() else {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    };
    bury_the_dead(&mut lock(&queue), kqueue);
    let mut reported = 0;
    for change in changes {
        let errno = match apply(&mut lock(&queue), change) {
            Ok(()) if change.flags & EV_RECEIPT == 0 => continue,
            Ok(()) => 0,
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        };
        let Some(place) = events.get_mut(reported) else {
            return match errno {
                // A receipt without room: the changes after it are not made.
                0 => Ok(reported as c_int),
                errno => Err(io::Error::from_raw_os_error(errno)),
            };
        };
        *place = kevent {
            flags: EV_ERROR,
            data: i64::from(errno),
            ..*change
        };
        reported += 1;
    }
    if reported > 0 || events.is_empty() {
        return Ok(reported as c_int);
    }
    // SAFETY: promised by the caller.
    let timeout = unsafe { timeout.as_ref() };
    let until =
        timeout.map(|time| Instant::now() + Duration::new(time.tv_sec as u64, time.tv_nsec as u32));
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        wait(kqueue, left)?;
        let found = fault::aside(|| collect(&mut lock(&queue), events));
        if found > 0 || left == Some(Duration::ZERO) {
            return Ok(found as c_int);
        }
    }
}

/// Until one of the sets has something, or the time is over.
fn wait(kqueue: RawFd, left: Option<Duration>) -> io::Result<()> {
    let mut top = libc::pollfd {
        fd: kqueue,
        events: libc::POLLIN,
        revents: 0,
    };
    let left = left.map(|left| libc::timespec {
        tv_sec: left.as_secs() as _,
        tv_nsec: left.subsec_nanos() as libc::c_long,
    });
    let timeout = left.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: one record, and a timeout that lives until the call returns.
    match unsafe { libc::ppoll(&raw mut top, 1, timeout, ptr::null()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn apply(queue: &mut Queue, change: &kevent) -> io::Result<()> {
    let not_there = || io::Error::from_raw_os_error(libc::ENOENT);
    let id = (change.ident, change.filter);
    let delete = change.flags & EV_DELETE != 0;
    let add = change.flags & EV_ADD != 0;
    if change.filter == EVFILT_USER {
        if delete {
            queue.knotes.remove(&id).ok_or_else(not_there)?;
        } else if add {
            queue.knotes.entry(id).or_insert_with(|| knote(change));
        }
        if !delete {
            let there = queue.knotes.get_mut(&id).ok_or_else(not_there)?;
            there.udata = change.udata as usize;
            there.triggered |= change.fflags & NOTE_TRIGGER != 0;
        }
        return show_user(queue);
    }
    let set = &queue.sets[place(change.filter)];
    let fd = change.ident as RawFd;
    if file_of(fd).is_none() {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    if !add && !queue.knotes.contains_key(&id) {
        return Err(not_there());
    }
    if delete {
        queue.knotes.remove(&id);
        return epoll::epoll_ctl_del(set.as_fd(), fd);
    }
    let mut knote = knote(change);
    if let Some(there) = queue.knotes.get(&id).filter(|it| it.file == knote.file) {
        knote.flags = there.flags;
    }
    let (events, data) = (bits(change.filter, knote.flags), fd as u64);
    let tried = epoll::epoll_ctl(set.as_fd(), libc::EPOLL_CTL_ADD, fd, events, data);
    match tried {
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
            epoll::epoll_ctl(set.as_fd(), libc::EPOLL_CTL_MOD, fd, events, data)?;
        }
        tried => tried?,
    }
    queue.knotes.insert(id, knote);
    Ok(())
}

fn knote(change: &kevent) -> Knote {
    let file = file_of(change.ident as RawFd);
    Knote {
        flags: change.flags,
        udata: change.udata as usize,
        file,
        triggered: false,
    }
}

fn bits(filter: i16, flags: u16) -> u32 {
    let wanted = match filter {
        EVFILT_READ => libc::EPOLLIN | libc::EPOLLRDHUP,
        _ => libc::EPOLLOUT,
    };
    let edge = if flags & EV_CLEAR != 0 {
        libc::EPOLLET
    } else {
        0
    };
    (wanted | edge) as u32
}

/// Device and inode of a number, if it is open.
fn file_of(fd: RawFd) -> Option<(libc::dev_t, libc::ino_t)> {
    // SAFETY: all zeros is a valid `struct stat`.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one `struct stat`, which is ours.
    let answer = unsafe { libc::fstat(fd, &raw mut stat) };
    (answer == 0).then_some((stat.st_dev, stat.st_ino))
}

/// Forgets the knotes whose number was closed or means another file now.
fn bury_the_dead(queue: &mut Queue, kqueue: RawFd) {
    // SAFETY: the caller of kevent(2) holds the kqueue open during the call.
    let top = unsafe { BorrowedFd::borrow_raw(kqueue) };
    for filter in [EVFILT_READ, EVFILT_WRITE] {
        let before = queue.knotes.len();
        queue
            .knotes
            .retain(|(ident, of), knote| *of != filter || file_of(*ident as RawFd) == knote.file);
        if queue.knotes.len() == before {
            continue;
        }
        let set = &queue.sets[place(filter)];
        let fresh = epoll::epoll_create1().unwrap();
        for (&(ident, _), knote) in queue.knotes.iter().filter(|((_, of), _)| *of == filter) {
            let (op, events) = (libc::EPOLL_CTL_ADD, bits(filter, knote.flags));
            epoll::epoll_ctl(fresh.as_fd(), op, ident as RawFd, events, ident as u64).unwrap();
        }
        // What the others were told stays told: the news of the fresh set are those of the old one,
        // which is asked last, so that nothing gets lost between.
        let _ = ready(&fresh, queue.knotes.len());
        for found in ready(set, before) {
            let (ident, op) = (found.u64, libc::EPOLL_CTL_MOD);
            if let Some(knote) = queue.knotes.get(&(ident as usize, filter)) {
                let events = bits(filter, knote.flags);
                epoll::epoll_ctl(fresh.as_fd(), op, ident as RawFd, events, ident).unwrap();
            }
        }
        epoll::dup3(fresh.as_fd(), set.as_fd()).unwrap();
        let (op, events) = (libc::EPOLL_CTL_ADD, libc::EPOLLIN as u32);
        epoll::epoll_ctl(top, op, set.as_raw_fd(), events, 0).unwrap();
    }
}

fn collect(queue: &mut Queue, events: &mut [kevent]) -> usize {
    let mut reported = 0;
    for filter in [EVFILT_USER, EVFILT_READ, EVFILT_WRITE] {
        let room = &mut events[reported..];
        if room.is_empty() {
            break;
        }
        reported += match filter {
            EVFILT_USER => collect_user(queue, room),
            _ => collect_filter(queue, filter, room),
        };
    }
    reported
}

/// The counter is up while a user event is triggered.
fn show_user(queue: &Queue) -> io::Result<()> {
    let _was_down_already = crate::sys::fd::read(queue.user.as_fd(), &mut [0; 8]);
    if queue.knotes.values().any(|knote| knote.triggered) {
        crate::sys::fd::write(queue.user.as_fd(), &1u64.to_ne_bytes())?;
    }
    Ok(())
}

fn collect_user(queue: &mut Queue, events: &mut [kevent]) -> usize {
    let mut reported = 0;
    queue.knotes.retain(|&(ident, filter), knote| {
        let Some(place) = events.get_mut(reported).filter(|_| knote.triggered) else {
            return true;
        };
        *place = event(ident, filter, 0, 0, knote.udata);
        reported += 1;
        knote.triggered = knote.flags & EV_CLEAR == 0;
        knote.flags & EV_ONESHOT == 0
    });
    show_user(queue).expect("a counter at 0 takes a 1");
    reported
}

fn ready(set: &OwnedFd, room: usize) -> Vec<libc::epoll_event> {
    let mut found = vec![libc::epoll_event { events: 0, u64: 0 }; room.max(1)];
    let n = epoll::epoll_wait(set.as_fd(), &mut found, 0).unwrap_or(0);
    found.truncate(n);
    found
}

fn collect_filter(queue: &mut Queue, filter: i16, events: &mut [kevent]) -> usize {
    let set = &queue.sets[place(filter)];
    let found = ready(set, events.len());
    let mut reported = 0;
    for found in &found {
        let (ident, bits) = (found.u64 as usize, found.events as i32);
        let Some(knote) = queue.knotes.get(&(ident, filter)) else {
            continue;
        };
        if bits & libc::EPOLLHUP != 0 && was_never_connected(ident as RawFd) {
            continue;
        }
        let gone = bits & (libc::EPOLLHUP | libc::EPOLLRDHUP | libc::EPOLLERR) != 0;
        let ended = gone || filter == EVFILT_WRITE && refuses_bytes(ident as RawFd);
        let flags = if ended { EV_EOF } else { 0 };
        let fflags = u32::from(bits & libc::EPOLLERR != 0 && is_socket(ident as RawFd));
        events[reported] = event(ident, filter, flags, fflags, knote.udata);
        reported += 1;
        if knote.flags & EV_ONESHOT != 0 {
            queue.knotes.remove(&(ident, filter));
            let _ = epoll::epoll_ctl_del(set.as_fd(), ident as RawFd);
        }
    }
    reported
}

fn is_socket(fd: RawFd) -> bool {
    // SAFETY: for one question about a number that epoll has just reported.
    socket::so_type(unsafe { BorrowedFd::borrow_raw(fd) }).is_ok()
}

/// Linux says of a socket that was never connected that it has hung up; there it is merely not ready.
fn was_never_connected(fd: RawFd) -> bool {
    let mut asked = [poll::record(fd, libc::POLLRDHUP as u16)];
    let _answers_at_once = poll::poll(&mut asked, 0);
    is_socket(fd) && asked[0].revents & (libc::POLLRDHUP | libc::POLLERR) == 0
}

/// A socket that was shut down for writing has ended, though epoll calls it writable.
fn refuses_bytes(fd: RawFd) -> bool {
    // SAFETY: for two questions about a number that epoll has just reported.
    let socket = unsafe { BorrowedFd::borrow_raw(fd) };
    socket::so_type(socket).is_ok_and(|kind| kind == libc::SOCK_STREAM)
        && socket::send(socket, &[], libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT)
            .is_err_and(|error| error.raw_os_error() == Some(libc::EPIPE))
}

fn event(ident: usize, filter: i16, flags: u16, fflags: u32, udata: usize) -> kevent {
    kevent {
        ident,
        filter,
        flags,
        fflags,
        data: 0,
        udata: udata as *mut c_void,
    }
}
