//! A /dev/poll made of poll(2): a table of events by number, behind an eventfd that reserves the
//! number of the device.
//!
//! Modelled: writing a number that is in the set ORs the events, POLLREMOVE counts only when it is
//! the whole mask, a closed number is accepted and comes back as POLLNVAL, no room for results
//! only sleeps. Not modelled: the EACCES of a forked child.

use std::collections::BTreeMap;
use std::os::fd::{IntoRawFd, RawFd};
use std::slice;
use std::sync::{LazyLock, Mutex, PoisonError};

use libc::{c_char, c_int, c_void, pollfd};

use crate::sys::devpoll::{Dvpoll, POLLREMOVE};
use crate::sys::{eventfd, poll};

/// The sets of the process: by the number of the device, the events by number.
static SETS: LazyLock<Mutex<BTreeMap<RawFd, BTreeMap<RawFd, i16>>>> = LazyLock::new(Mutex::default);

fn with_set<T>(device: RawFd, f: impl FnOnce(&mut BTreeMap<RawFd, i16>) -> T) -> T {
    let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
    f(sets.entry(device).or_default())
}

/// # Safety
///
/// None needed; unsafe only because the call of C is.
pub(crate) unsafe fn open(_path: *const c_char, _flags: c_int) -> c_int {
    match eventfd::eventfd() {
        Ok(fd) => {
            let fd = fd.into_raw_fd();
            // What an earlier device of this number left behind is gone.
            with_set(fd, BTreeMap::clear);
            fd
        }
        // errno is still that of the call.
        Err(_) => -1,
    }
}

/// # Safety
///
/// As write(2) to /dev/poll: `records` are `len` bytes of pollfd.
pub(crate) unsafe fn write(device: c_int, records: *const c_void, len: usize) -> isize {
    let n = len / size_of::<pollfd>();
    // SAFETY: promised by the caller.
    let records = unsafe { slice::from_raw_parts(records.cast::<pollfd>(), n) };
    with_set(device, |set| {
        for record in records {
            if record.events == POLLREMOVE {
                set.remove(&record.fd);
            } else {
                *set.entry(record.fd).or_default() |= record.events;
            }
        }
    });
    len as isize
}

/// # Safety
///
/// As ioctl(2) DP_POLL: the request names an array with room for `nfds` records.
pub(crate) unsafe fn ioctl(device: c_int, _request: c_int, request: *mut Dvpoll) -> c_int {
    // SAFETY: promised by the caller.
    let request = unsafe { &*request };
    let mut watched: Vec<pollfd> = with_set(device, |set| {
        set.iter()
            .map(|(&fd, &events)| pollfd {
                fd,
                events,
                revents: 0,
            })
            .collect()
    });
    if request.nfds == 0 {
        watched.clear();
    }
    match poll::poll(&mut watched, request.timeout) {
        Ok(_) => {}
        Err(_) => return -1,
    }
    // SAFETY: promised by the caller.
    let room = unsafe { slice::from_raw_parts_mut(request.fds, request.nfds as usize) };
    let ready = watched.iter().filter(|record| record.revents != 0);
    let mut reported = 0;
    for (place, record) in room.iter_mut().zip(ready) {
        *place = *record;
        reported += 1;
    }
    reported
}
