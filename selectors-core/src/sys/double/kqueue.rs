//! A kqueue made of epoll sets: one for the read filters, one for the write filters, an eventfd
//! for the user filter, all watched by a third set whose fd is the kqueue.
//!
//! Modelled: a knote dies with its number (found out by comparing inodes, and the epoll set is built
//! anew without it), level, EV_CLEAR, EV_ONESHOT, EV_EOF, EV_RECEIPT, errors first and alone, re-adding
//! looks anew and leaves the flags as they were, EVFILT_USER, a pollable fd. Not modelled: `data` of READ and WRITE, `fflags` beyond
//! "there is an error", and the forgetting of a kqueue by a fork.

#![allow(non_camel_case_types, reason = "the names of the C interface")]

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::slice;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use libc::{c_int, c_void};

use crate::sys::{epoll, eventfd};

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
    file: Option<(u64, u64)>,
}

struct Queue {
    read: OwnedFd,
    write: OwnedFd,
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

fn fail(error: &io::Error) -> c_int {
    // SAFETY: errno is a thread's own int.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above; the pointer is valid for the life of the thread.
    unsafe { *errno = error.raw_os_error().unwrap_or(libc::EIO) };
    -1
}

/// # Safety
///
/// None needed; unsafe only because the call of C is.
pub(crate) unsafe fn kqueue() -> c_int {
    match create() {
        Ok(fd) => fd,
        Err(error) => fail(&error),
    }
}

fn create() -> io::Result<RawFd> {
    let top = epoll::epoll_create1()?;
    let queue = Queue {
        read: epoll::epoll_create1()?,
        write: epoll::epoll_create1()?,
        user: eventfd::eventfd()?,
        knotes: HashMap::new(),
    };
    for part in [&queue.read, &queue.write, &queue.user] {
        let part = part.as_raw_fd();
        epoll::epoll_ctl(
            top.as_fd(),
            libc::EPOLL_CTL_ADD,
            part,
            libc::EPOLLIN as u32,
            0,
        )?;
    }
    lock(&QUEUES).insert(top.as_raw_fd(), Arc::new(Mutex::new(queue)));
    Ok(top.into_raw_fd())
}

/// # Safety
///
/// As kevent(2): `changes` has `n_changes` records, `events` room for `n_events`, `timeout` is
/// null or valid.
pub(crate) unsafe fn kevent(
    kqueue: c_int,
    changes: *const kevent,
    n_changes: c_int,
    events: *mut kevent,
    n_events: c_int,
    timeout: *const libc::timespec,
) -> c_int {
    // SAFETY: promised by the caller.
    let changes = unsafe { slice::from_raw_parts(changes, n_changes as usize) };
    // SAFETY: promised by the caller.
    let events = unsafe { slice::from_raw_parts_mut(events, n_events as usize) };
    let Some(queue) = lock(&QUEUES).get(&kqueue).cloned() else {
        return fail(&io::Error::from_raw_os_error(libc::EBADF));
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
            return fail(&io::Error::from_raw_os_error(errno));
        };
        *place = kevent {
            flags: EV_ERROR,
            data: i64::from(errno),
            ..*change
        };
        reported += 1;
    }
    if reported > 0 || events.is_empty() {
        return reported as c_int;
    }
    let mut top = libc::pollfd {
        fd: kqueue,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one record, which is ours; the timeout is promised by the caller.
    match unsafe { libc::ppoll(&raw mut top, 1, timeout, std::ptr::null()) } {
        0 => 0,
        n if n < 0 => -1,
        _ => collect(&mut lock(&queue), events) as c_int,
    }
}

fn apply(queue: &mut Queue, change: &kevent) -> io::Result<()> {
    let not_there = || io::Error::from_raw_os_error(libc::ENOENT);
    let id = (change.ident, change.filter);
    let add = change.flags & EV_ADD != 0;
    if change.filter == EVFILT_USER {
        if add {
            queue.knotes.insert(id, knote(change));
        } else if !queue.knotes.contains_key(&id) {
            return Err(not_there());
        }
        if change.fflags & NOTE_TRIGGER != 0 {
            crate::sys::fd::write(queue.user.as_fd(), &1u64.to_ne_bytes())?;
        }
        return Ok(());
    }
    let set = if change.filter == EVFILT_READ {
        &queue.read
    } else {
        &queue.write
    };
    let fd = change.ident as RawFd;
    if !add {
        queue.knotes.remove(&id).ok_or_else(not_there)?;
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
fn file_of(fd: RawFd) -> Option<(u64, u64)> {
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
        let set = if filter == EVFILT_READ {
            &queue.read
        } else {
            &queue.write
        };
        let fresh = epoll::epoll_create1().unwrap();
        for (&(ident, _), knote) in queue.knotes.iter().filter(|((_, of), _)| *of == filter) {
            let (op, events) = (libc::EPOLL_CTL_ADD, bits(filter, knote.flags));
            epoll::epoll_ctl(fresh.as_fd(), op, ident as RawFd, events, ident as u64).unwrap();
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

fn collect_user(queue: &mut Queue, events: &mut [kevent]) -> usize {
    if crate::sys::fd::read(queue.user.as_fd(), &mut [0; 8]).is_err() {
        return 0;
    }
    let user = queue
        .knotes
        .iter()
        .find(|((_, filter), _)| *filter == EVFILT_USER);
    let Some((&(ident, filter), knote)) = user else {
        return 0;
    };
    events[0] = event(ident, filter, 0, 0, knote.udata);
    1
}

fn collect_filter(queue: &mut Queue, filter: i16, events: &mut [kevent]) -> usize {
    let set = if filter == EVFILT_READ {
        &queue.read
    } else {
        &queue.write
    };
    let mut found = vec![libc::epoll_event { events: 0, u64: 0 }; events.len()];
    let n = epoll::epoll_wait(set.as_fd(), &mut found, 0).unwrap_or(0);
    let mut reported = 0;
    for found in &found[..n] {
        let (ident, bits) = (found.u64 as usize, found.events as i32);
        let Some(knote) = queue.knotes.get(&(ident, filter)) else {
            continue;
        };
        let ended = bits & (libc::EPOLLHUP | libc::EPOLLRDHUP | libc::EPOLLERR) != 0;
        let flags = if ended { EV_EOF } else { 0 };
        let fflags = u32::from(bits & libc::EPOLLERR != 0);
        events[reported] = event(ident, filter, flags, fflags, knote.udata);
        reported += 1;
        if knote.flags & EV_ONESHOT != 0 {
            queue.knotes.remove(&(ident, filter));
            let _ = epoll::epoll_ctl_del(set.as_fd(), ident as RawFd);
        }
    }
    reported
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
