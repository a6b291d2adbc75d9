//! kqueue(2), kevent(2).

#![allow(
    clippy::unnecessary_cast,
    reason = "the integers of `struct kevent` differ by system"
)]

use std::fmt;
use std::io;
use std::mem::{self, ManuallyDrop};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::process;
use std::ptr;

use crate::Error;
use crate::sys::acts;

#[cfg(not(kqueue))]
use crate::sys::double::either_kqueue as native;
#[cfg(kqueue)]
use libc as native;

/// What a knote watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    /// There is something to read.
    Read,
    /// There is room to write.
    Write,
    /// Triggered by a program and not by a file.
    User,
}

// EV_* have the same values on all systems, but 16 or 32 bits.
/// Adds a knote, or looks at it anew.
pub const EV_ADD: u32 = native::EV_ADD as u32;
/// Takes a knote away.
pub const EV_DELETE: u32 = native::EV_DELETE as u32;
/// Reports changes only.
pub const EV_CLEAR: u32 = native::EV_CLEAR as u32;
/// Reports once, and takes the knote away.
pub const EV_ONESHOT: u32 = native::EV_ONESHOT as u32;
/// In an answer: it is about a change.
pub const EV_ERROR: u32 = native::EV_ERROR as u32;
/// In an answer: this direction has ended.
pub const EV_EOF: u32 = native::EV_EOF as u32;
/// Triggers a user event.
pub const NOTE_TRIGGER: u32 = native::NOTE_TRIGGER;

/// The timeout of a call that only looks.
pub const NO_WAIT: Option<libc::timespec> = Some(libc::timespec {
    tv_sec: 0,
    tv_nsec: 0,
});

/// A change to make, or an event that came back: `struct kevent`, which has other integer types on
/// every system.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Kevent(native::kevent);

impl fmt::Debug for Kevent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kevent(raw) = self;
        let (ident, filter, flags) = (raw.ident, raw.filter, raw.flags);
        write!(f, "Kevent({ident}, filter {filter}, flags {flags:#x})")
    }
}

// SAFETY: the only pointer in it is `udata`, which is used as a number and never followed.
unsafe impl Send for Kevent {}

// The sizes that the libc crate must have for the calls to be right.
#[cfg(target_os = "freebsd")]
const _: () = assert!(size_of::<native::kevent>() == 64);
#[cfg(target_os = "netbsd")]
const _: () = assert!(size_of::<native::kevent>() == 40);
#[cfg(all(
    any(target_os = "openbsd", target_os = "macos"),
    target_pointer_width = "64"
))]
const _: () = assert!(size_of::<native::kevent>() == 32);

impl Kevent {
    /// A change of one filter of one fd (or of a user filter, whose `ident` is any number).
    #[must_use]
    pub fn change(
        ident: RawFd,
        filter: Filter,
        flags: u32,
        fflags: u32,
        generation: u32,
    ) -> Kevent {
        // SAFETY: all zeros is a valid `struct kevent`: integers and a pointer that may be null.
        let mut raw: native::kevent = unsafe { mem::zeroed() };
        raw.ident = ident as _;
        raw.filter = match filter {
            Filter::Read => native::EVFILT_READ,
            Filter::Write => native::EVFILT_WRITE,
            Filter::User => native::EVFILT_USER,
        };
        raw.flags = flags as _;
        raw.fflags = fflags as _;
        raw.udata = generation as usize as _;
        Kevent(raw)
    }

    /// The number that it is about.
    #[must_use]
    pub fn ident(&self) -> RawFd {
        self.0.ident as RawFd
    }

    /// The number that came with the change.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.0.udata as usize as u32
    }

    /// Is it of the read filter?
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.0.filter == native::EVFILT_READ
    }

    /// Is this flag set?
    #[must_use]
    pub fn has(&self, flag: u32) -> bool {
        self.0.flags as u32 & flag != 0
    }

    /// The flags of the filter; at the end of a direction an errno.
    #[must_use]
    pub fn fflags(&self) -> u32 {
        self.0.fflags
    }

    /// Asks to be told what became of this change.
    pub fn ask_for_receipt(&mut self) {
        self.0.flags |= native::EV_RECEIPT;
    }

    /// Whether a change was refused. That there was nothing to delete is as good as done.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.has(EV_ERROR) && !matches!(self.errno(), 0 | libc::ENOENT)
    }

    /// The errno of an entry with EV_ERROR; 0 in a receipt for success.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.0.data as i32
    }
}

/// An fd that only the process that made it may use or close.
///
/// A forked child does not inherit a kqueue: there the number is free, or somebody else's.
#[derive(Debug)]
pub struct ProcessFd {
    fd: ManuallyDrop<OwnedFd>,
    pid: u32,
}

impl ProcessFd {
    /// An fd that this process has made.
    #[must_use]
    pub fn new(fd: OwnedFd) -> ProcessFd {
        ProcessFd {
            fd: ManuallyDrop::new(fd),
            pid: process::id(),
        }
    }

    /// As it looks to a forked child.
    #[cfg(test)]
    pub(crate) fn in_a_child_for_tests(&mut self) {
        self.pid += 1;
    }

    /// The fd.
    ///
    /// # Errors
    ///
    /// [`Error::Forked`] in a child of the process that made it.
    pub fn get(&self) -> Result<BorrowedFd<'_>, Error> {
        if self.pid == process::id() {
            Ok(self.fd.as_fd())
        } else {
            Err(Error::Forked)
        }
    }
}

impl AsFd for ProcessFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for ProcessFd {
    fn drop(&mut self) {
        if self.pid == process::id() {
            // SAFETY: drop runs once, and nothing uses the field after it.
            unsafe { ManuallyDrop::drop(&mut self.fd) };
        }
    }
}

/// kqueue(2). Not inherited by a fork; closed by an exec.
///
/// # Errors
///
/// EMFILE, ENFILE, ENOMEM.
pub fn kqueue() -> io::Result<OwnedFd> {
    // SAFETY: takes no argument.
    let fd = unsafe { syscall!(kqueue = native::kqueue()) }?;
    // SAFETY: a successful call returns a new fd that nobody else owns.
    let kqueue = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: F_SETFD takes an int and touches no memory.
    unsafe { syscall!(fcntl(kqueue.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC)) }?;
    Ok(kqueue)
}

/// kevent(2): makes the changes, then waits for events if there is room for any.
///
/// # Errors
///
/// EINTR, after the changes were made; EACCES, EBADF, EINVAL, ENOENT, ENOMEM, ESRCH. What is wrong
/// with one change comes back as an entry with [`EV_ERROR`].
pub fn kevent(
    kqueue: BorrowedFd<'_>,
    changes: &[Kevent],
    events: &mut [Kevent],
    timeout: Option<libc::timespec>,
) -> io::Result<usize> {
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let (to_make, n_to_make) = (changes.as_ptr().cast(), changes.len());
    let (to_fill, n_to_fill) = (events.as_mut_ptr().cast(), events.len());
    let kqueue = kqueue.as_raw_fd();
    // SAFETY: `Kevent` is a transparent wrapper, so both pointers are to arrays of `struct kevent`
    // of these lengths, the second ours to write; the timeout lives until the call returns.
    let n = act!(acts::Kevent, unsafe {
        syscall!(
            kevent = native::kevent(
                kqueue,
                to_make,
                n_to_make as _,
                to_fill,
                n_to_fill as _,
                timeout,
            )
        )
    })?;
    Ok(n as usize)
}
