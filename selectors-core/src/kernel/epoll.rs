//! epoll(7): the kernel keeps the set, a wait costs in proportion to what is ready.
//!
//! **Facts.** A registration is keyed by the pair (number, open file description). It lives until
//! it is deleted or the *description* is closed, that is, its last duplicate: closing a registered
//! number while a dup lives leaves a registration that goes on reporting and that nobody can
//! delete, because deleting takes the number. Hang-up and error are reported unasked. A fork
//! shares the set: a delete in the child removes the parent's entry. Regular files are refused
//! with EPERM.
//!
//! **Decisions.** Keys own their file object and are deleted before it can close, which makes the
//! dup trap unreachable for owned sources. Raw sources can still step into it; then the set is
//! built anew, because nothing else ends the spin. The word that comes back with an event is the
//! token, so a stale event is recognised without asking anybody. Dropping closes the set and
//! deletes nothing.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::{Kernel, OwnFd, Record};
use crate::interest::Interest;
use crate::sys::epoll as sys;
use crate::{Backend, Capabilities, Error, Mode, Refusal, Token, timeout};

/// The kernel half of `EpollSelector`.
pub struct Epoll {
    /// The set.
    epoll: OwnedFd,
    /// How many registrations the kernel holds.
    len: usize,
    /// Where the kernel writes its answers; at least one record, at least one per registration, so that
    /// everything that is ready fits into one call.
    buffer: Vec<Record>,
    /// Whether epoll_pwait2(2) works here; cleared by its first ENOSYS.
    nanoseconds: bool,
}

impl Epoll {
    /// A new, empty set.
    pub(crate) fn new() -> Result<Epoll, Error> {
        let epoll = match sys::epoll_create1() {
            Ok(epoll) => epoll,
            Err(error) => return Err(Error::os("epoll_create1", None, error)),
        };
        Ok(Epoll {
            epoll,
            len: 0,
            buffer: vec![Record::VACANT; 64],
            nanoseconds: true,
        })
    }

    /// One call with this timeout: in milliseconds where that is exact, else as fine as can be.
    #[inline]
    fn ask(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        match timeout::whole_millis(timeout) {
            Some(millis) => sys::epoll_wait(self.epoll.as_fd(), &mut self.buffer, millis),
            None => self.ask_finely(timeout.unwrap_or_default()),
        }
    }

    // Out of line: the common waits need no nanoseconds and should not pay for the registers.
    #[inline(never)]
    fn ask_finely(&mut self, timeout: Duration) -> io::Result<usize> {
        if self.nanoseconds {
            let fine = timeout.min(timeout::LONGEST);
            match sys::epoll_pwait2(self.epoll.as_fd(), &mut self.buffer, fine) {
                Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                    self.nanoseconds = false;
                }
                asked => return asked,
            }
        }
        sys::epoll_wait(
            self.epoll.as_fd(),
            &mut self.buffer,
            timeout::millis(Some(timeout)),
        )
    }

    /// The reason of a refusal; EINVAL has a name only if the set was to watch itself.
    fn refused(&self, op: &'static str, fd: i32, source: io::Error) -> Error {
        if source.raw_os_error() == Some(libc::EINVAL) && fd == self.epoll.as_raw_fd() {
            return Error::Refused {
                why: Refusal::WatchesItself,
                op,
                fd: Some(fd),
                source,
            };
        }
        Error::os(op, Some(fd), source)
    }
}

/// The bits of an interest, as epoll_ctl(2) takes them.
fn bits(interest: Interest) -> u32 {
    let mode = match interest.mode {
        Mode::Level => 0,
        Mode::Edge => libc::EPOLLET,
        Mode::Oneshot => libc::EPOLLONESHOT,
        Mode::EdgeOneshot => libc::EPOLLET | libc::EPOLLONESHOT,
    };
    let mut asked = u32::from(interest.poll_bits());
    if is_exclusive(interest) {
        // The kernel allows little beside EPOLLEXCLUSIVE: epoll_ctl(2).
        asked &= (libc::EPOLLIN | libc::EPOLLOUT) as u32;
    }
    asked | mode as u32 | interest.extra
}

fn is_exclusive(interest: Interest) -> bool {
    interest.extra & libc::EPOLLEXCLUSIVE as u32 != 0
}

impl Kernel for Epoll {
    fn backend(&self) -> Backend {
        Backend::Epoll
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            edge: true,
            oneshot: true,
            nanosecond_timeouts: self.nanoseconds,
            batched_changes: false,
            priority: true,
            conditions: true,
            fileno: true,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        let (op, events) = (libc::EPOLL_CTL_ADD, bits(interest));
        match sys::epoll_ctl(self.epoll.as_fd(), op, token.fd, events, token.pack()) {
            Ok(()) => {
                self.len += 1;
                if self.len > self.buffer.len() {
                    self.buffer.resize(self.len * 2, Record::VACANT);
                }
                Ok(())
            }
            Err(error) => Err(self.refused("epoll_ctl add", token.fd, error)),
        }
    }

    fn modify(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error> {
        if is_exclusive(from) {
            // The kernel refuses to modify an exclusive registration: epoll_ctl(2).
            self.delete(token, from)?;
            return self
                .add(token, to)
                .inspect_err(|_| drop(self.add(token, from)));
        }
        let (op, events) = (libc::EPOLL_CTL_MOD, bits(to));
        match sys::epoll_ctl(self.epoll.as_fd(), op, token.fd, events, token.pack()) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.refused("epoll_ctl mod", token.fd, error)),
        }
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        match sys::epoll_ctl_del(self.epoll.as_fd(), token.fd) {
            Err(error) if !matches!(error.raw_os_error(), Some(libc::EBADF | libc::ENOENT)) => {
                Err(self.refused("epoll_ctl del", token.fd, error))
            }
            _ => {
                self.len -= 1;
                Ok(())
            }
        }
    }

    #[inline]
    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[Record], Error> {
        let reported = match self.ask(timeout) {
            Ok(reported) => reported,
            Err(error) => return Err(Error::os("epoll_wait", None, error)),
        };
        Ok(&self.buffer[..reported])
    }

    fn disown(
        &mut self,
        orphan: Token,
        taken: bool,
        live: &mut dyn Iterator<Item = (Token, Interest)>,
    ) -> Result<(), Error> {
        // If the number means the same description again, deleting works after all. If the number
        // has a key, deleting would hit that one.
        if !taken && sys::epoll_ctl_del(self.epoll.as_fd(), orphan.fd).is_ok() {
            return Ok(());
        }
        // Build the set anew behind the same number. Edge keys report once more than they had to,
        // and fired oneshot keys are armed again: hints may be spurious, a spin may not end.
        let rebuilt = match sys::epoll_create1() {
            Ok(rebuilt) => rebuilt,
            Err(error) => return Err(Error::os("epoll_create1", None, error)),
        };
        for (token, interest) in live {
            let (op, events) = (libc::EPOLL_CTL_ADD, bits(interest));
            // A key whose number was closed as well was silent before and stays silent.
            let _ = sys::epoll_ctl(rebuilt.as_fd(), op, token.fd, events, token.pack());
        }
        match sys::dup3(rebuilt.as_fd(), self.epoll.as_fd()) {
            Ok(()) => Ok(()),
            Err(error) => Err(Error::os("dup3", Some(self.epoll.as_raw_fd()), error)),
        }
    }

    fn fileno(&self) -> Option<BorrowedFd<'_>> {
        Some(self.epoll.as_fd())
    }
}

impl OwnFd for Epoll {
    fn own_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
