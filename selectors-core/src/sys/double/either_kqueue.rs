//! The kqueue of tests: the first double, or on a thread that asked for it the second.

#![allow(non_camel_case_types, reason = "the names of the C interface")]

use std::cell::Cell;
use std::io;
use std::slice;

use libc::c_int;

use super::{kqueue as first, second_kqueue as second};

pub(crate) use first::{
    EV_ADD, EV_CLEAR, EV_DELETE, EV_EOF, EV_ERROR, EV_ONESHOT, EV_RECEIPT, EVFILT_READ,
    EVFILT_USER, EVFILT_WRITE, NOTE_TRIGGER,
};

pub(crate) type kevent = first::kevent;

thread_local! {
    static SECOND: Cell<bool> = const { Cell::new(false) };
}

/// Runs this with the second double for what this thread makes.
pub(crate) fn with_the_second<R>(call: impl FnOnce() -> R) -> R {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            SECOND.set(self.0);
        }
    }
    let _back = Back(SECOND.replace(true));
    call()
}

/// # Safety
///
/// None needed; unsafe only because the call of C is.
pub(crate) unsafe fn kqueue() -> c_int {
    answer(match SECOND.get() {
        true => second::kqueue(),
        false => first::kqueue(),
    })
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
    if !second::is_one(kqueue) {
        // SAFETY: promised by the caller.
        return answer(unsafe {
            first::kevent(kqueue, changes, n_changes, events, n_events, timeout)
        });
    }
    // SAFETY: promised by the caller.
    let changes = unsafe { slice::from_raw_parts(changes, n_changes as usize) }.to_vec();
    // SAFETY: the same.
    let timeout = unsafe { timeout.as_ref() }.copied();
    // SAFETY: the room was promised; the changes are a copy.
    answer(unsafe { second::kevent(kqueue, changes, events, n_events, timeout) })
}

/// As C says it: -1 and errno.
fn answer(result: io::Result<c_int>) -> c_int {
    result.unwrap_or_else(|error| {
        // SAFETY: errno is a thread's own int.
        let errno = unsafe { libc::__errno_location() };
        // SAFETY: as above.
        unsafe { *errno = error.raw_os_error().unwrap_or(libc::EIO) };
        -1
    })
}
