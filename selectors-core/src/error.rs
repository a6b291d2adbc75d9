//! What can go wrong, by name, with the operation and the fd.

use std::error;
use std::fmt;
use std::io;

use crate::Backend;
use crate::os::{RawFd, errno};

/// Why a selector refused or failed.
///
/// Converts into [`io::Error`] without losing `raw_os_error`, so `?` works in code that speaks
/// `io::Result`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The number is negative: no fd.
    InvalidFd(RawFd),
    /// The number has a key already.
    AlreadyRegistered(RawFd),
    /// No key has this token; it was unregistered, or belongs to another selector.
    NotRegistered(RawFd),
    /// select(2) of this platform cannot watch numbers from `limit` on.
    FdTooLarge {
        /// The number.
        fd: RawFd,
        /// The first number that is too large.
        limit: usize,
    },
    /// The backend does not have this capability.
    Unsupported {
        /// What was asked.
        what: &'static str,
        /// Who cannot do it.
        backend: Backend,
    },
    /// A signal ended the wait; only from the interruptible forms of select.
    Interrupted,
    /// There is no backend of this name on this platform.
    UnknownBackend {
        /// The name.
        name: String,
    },
    /// The selector was made before a fork, by the parent, and what it has in the kernel is the parent's.
    /// A child makes its own; keys that it unregisters come back.
    Forked,
    /// A [`ScriptedSelector`](crate::ScriptedSelector) would have waited for ever: its script is
    /// over.
    ScriptEnded,
    /// The kernel refused for a reason that has a name.
    Refused {
        /// The reason.
        why: Refusal,
        /// The system call, e.g. `epoll_ctl add`.
        op: &'static str,
        /// The fd it was about.
        fd: Option<RawFd>,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A system call failed.
    Os {
        /// The system call, e.g. `epoll_ctl add`.
        op: &'static str,
        /// The fd it was about.
        fd: Option<RawFd>,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// The refusals of a kernel that a program may want to tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The kind of file cannot be watched, as a regular file by epoll (EPERM). It is always
    /// ready; select and poll accept it and say so.
    NotPollable,
    /// The user's limit of watched files is reached (ENOSPC, `fs.epoll.max_user_watches`).
    TooManyWatches,
    /// The process or the system has too many open files (EMFILE, ENFILE).
    TooManyFiles,
    /// Selectors that watch each other form a loop or a chain that is too long (ELOOP).
    TooDeep,
    /// A selector cannot watch itself (EINVAL).
    WatchesItself,
    /// A poll(2) selector has more keys than the process may have open files: the limit
    /// (RLIMIT_NOFILE) was lowered after they were opened (EINVAL).
    MoreKeysThanFiles,
    /// The kernel has no io_uring (ENOSYS), or a sandbox says so.
    NoRing,
    /// io_uring is turned off: `kernel.io_uring_disabled` is 1 or 2 (EPERM).
    RingDisabled,
    /// A sandbox forbids io_uring (EPERM), as the filters of containers often do.
    RingForbidden,
    /// The kernel's io_uring is older than Linux 5.19 (EINVAL).
    RingTooOld,
    /// There is no memory for a ring; on old kernels, none that may be locked (ENOMEM,
    /// RLIMIT_MEMLOCK).
    NoMemoryForRing,
    /// A ring that [stays in its thread](crate::Selector::stay_in_this_thread) was asked in another
    /// one (EEXIST).
    OtherThread,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NotPollable => "this kind of file cannot be watched by this backend",
            Refusal::TooManyWatches => "the limit of watched files is reached",
            Refusal::TooManyFiles => "the limit of open files is reached",
            Refusal::TooDeep => "selectors nested in a loop or too deep",
            Refusal::WatchesItself => "a selector cannot watch itself",
            Refusal::MoreKeysThanFiles => {
                "more keys than the process may have open files (RLIMIT_NOFILE)"
            }
            Refusal::NoRing => "this kernel has no io_uring, or a sandbox hides it; take epoll",
            Refusal::RingDisabled => {
                "io_uring is turned off on this machine (sysctl kernel.io_uring_disabled); take epoll"
            }
            Refusal::RingForbidden => {
                "a sandbox (seccomp, such as a container's) forbids io_uring; take epoll"
            }
            Refusal::RingTooOld => "io_uring is older than Linux 5.19 here; take epoll",
            Refusal::NoMemoryForRing => {
                "no memory for an io_uring, which may count as locked memory: raise RLIMIT_MEMLOCK (ulimit -l)"
            }
            Refusal::OtherThread => "the selector has promised to stay in another thread",
        })
    }
}

impl Error {
    /// An [`Error::Os`], or the refusal that its errno names whatever the call was.
    #[cold]
    #[inline(never)]
    pub(crate) fn os(op: &'static str, fd: Option<RawFd>, source: io::Error) -> Error {
        match source.raw_os_error() {
            Some(errno::EINTR) => Error::Interrupted,
            Some(errno::EMFILE) => Error::refused(Refusal::TooManyFiles, op, fd, source),
            #[cfg(not(winsock))]
            Some(libc::ENFILE) => Error::refused(Refusal::TooManyFiles, op, fd, source),
            _ => Error::Os { op, fd, source },
        }
    }

    /// The same for a call that starts to watch: some errnos mean something to it that they mean
    /// to no other.
    #[cold]
    #[inline(never)]
    pub(crate) fn registration(op: &'static str, fd: RawFd, source: io::Error) -> Error {
        let why = match source.raw_os_error() {
            Some(libc::EPERM) => Refusal::NotPollable,
            Some(libc::ENOSPC) => Refusal::TooManyWatches,
            Some(libc::ELOOP) => Refusal::TooDeep,
            _ => return Error::os(op, Some(fd), source),
        };
        Error::refused(why, op, Some(fd), source)
    }

    pub(crate) fn refused(
        why: Refusal,
        op: &'static str,
        fd: Option<RawFd>,
        source: io::Error,
    ) -> Error {
        Error::Refused {
            why,
            op,
            fd,
            source,
        }
    }

    /// The errno of the kernel, if the kernel was asked.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Error::Os { source, .. } | Error::Refused { source, .. } => source.raw_os_error(),
            Error::Interrupted => Some(errno::EINTR),
            _ => None,
        }
    }

    /// The kind that the [`io::Error`] of this error has.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Error::InvalidFd(_) | Error::FdTooLarge { .. } | Error::UnknownBackend { .. } => {
                io::ErrorKind::InvalidInput
            }
            Error::AlreadyRegistered(_) => io::ErrorKind::AlreadyExists,
            Error::NotRegistered(_) => io::ErrorKind::NotFound,
            Error::Unsupported { .. } => io::ErrorKind::Unsupported,
            Error::Interrupted => io::ErrorKind::Interrupted,
            Error::Forked | Error::ScriptEnded => io::ErrorKind::Other,
            Error::Refused { source, .. } | Error::Os { source, .. } => source.kind(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_fd = |f: &mut fmt::Formatter<'_>, op: &str, fd: &Option<RawFd>| match fd {
            Some(fd) => write!(f, "{op} fd {fd}: "),
            None => write!(f, "{op}: "),
        };
        match self {
            Error::InvalidFd(fd) => write!(f, "invalid file descriptor {fd}"),
            Error::AlreadyRegistered(fd) => write!(f, "fd {fd} is already registered"),
            Error::NotRegistered(fd) => write!(f, "fd {fd} is not registered under this token"),
            Error::FdTooLarge { fd, limit } => {
                write!(
                    f,
                    "fd {fd} is out of range for select, which ends before {limit}"
                )
            }
            Error::Unsupported { what, backend } => write!(f, "{backend} does not offer {what}"),
            Error::Interrupted => f.write_str("interrupted by a signal"),
            Error::UnknownBackend { name } => {
                write!(f, "unknown selector {name:?}; valid names: default")?;
                Backend::available()
                    .iter()
                    .try_for_each(|backend| write!(f, ", {backend}"))
            }
            Error::Forked => f.write_str(
                "the selector is the parent's of this forked process: make a new one here",
            ),
            Error::ScriptEnded => f.write_str("the script is over and the wait has no timeout"),
            Error::Refused {
                why,
                op,
                fd,
                source,
            } => {
                on_fd(f, op, fd)?;
                write!(f, "{why} ({source})")
            }
            Error::Os { op, fd, source } => {
                on_fd(f, op, fd)?;
                write!(f, "{source}")
            }
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Refused { source, .. } | Error::Os { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        match error {
            // An io::Error has either an errno or a text. The errno is what code looks at.
            Error::Refused { source, .. } | Error::Os { source, .. } => source,
            Error::Interrupted => io::Error::from_raw_os_error(errno::EINTR),
            other => io::Error::new(other.kind(), other),
        }
    }
}
