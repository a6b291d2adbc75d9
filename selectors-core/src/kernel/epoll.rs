//! epoll(7): the kernel keeps the set, a wait costs in proportion to what is ready.
//!
//! **Facts.** A registration is keyed by the pair (number, open file description). It lives until
//! it is deleted or the *description* is closed, that is, its last duplicate: closing a registered
//! number while a dup lives leaves a registration that goes on reporting and that nobody can
//! delete, because deleting takes the number. Hang-up and error are reported unasked. A fork
//! shares the set: a delete in the child removes the parent's entry, and a wait takes its edges
//! away. Regular files are refused with EPERM.
//!
//! **Decisions.** Keys own their file object and are deleted before it can close, which makes the
//! dup trap unreachable for owned sources. Raw sources can still step into it; then the set is
//! built anew behind its number, because nothing else ends the spin. So can a file that its owner
//! closes at once (`unregister_to_close`), for which no call is made, since the close says it all:
//! nobody can know whether a fork, a dup or a message to another process has given it a second
//! holder. Most have none. The first that turns out to have one costs a set, which loses all the
//! others as well, and from then on all are deleted. Whoever watches this set from
//! another one would go deaf by that (their registration dies with the description), or spin (if
//! they watch a duplicate), so what is handed out is the fd of a second set, the front, which
//! watches the first: it lasts, and what it watches is exchanged. That costs an fd to those who ask
//! for it, and two of the five levels to which sets may be nested. The word that comes back with an
//! event is the tag of a token, so a stale event is recognised without asking anybody. Dropping
//! closes the set and deletes nothing. In a forked child nothing is asked of the set: a comparison
//! before each call.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::time::Duration;

use super::{Kernel, Open, OwnFd, RawEvent, timeout};
use crate::sys::epoll as sys;
use crate::sys::forks::Maker;
use crate::sys::is_withheld;
use crate::table::give_back;
use crate::{Backend, Capabilities, Error, Interest, Mode, Refusal, Token};

/// The kernel half of `EpollSelector`.
pub struct Epoll {
    /// The set.
    epoll: OwnedFd,
    /// Who may change it and wait for it.
    pub(crate) maker: Maker,
    /// A set that watches nothing but the other one: what others may watch. Made when first asked
    /// for.
    front: OnceLock<OwnedFd>,
    /// How many registrations the kernel holds.
    pub(crate) len: usize,
    /// Where the kernel writes its answers; at least one record, at least one per registration, so that
    /// everything that is ready fits into one call.
    buffer: Vec<RawEvent>,
    /// Whether files were left to their close.
    trusted: bool,
    /// Whether one of them lived on, so that none is any more.
    duplicated: bool,
    /// Whether epoll_pwait2(2) works here; cleared once it is [withheld](is_withheld).
    nanoseconds: bool,
}

impl Epoll {
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
                Err(error) if is_withheld(&error) => {
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

    /// epoll_ctl(2) for a key: EPOLL_CTL_ADD or EPOLL_CTL_MOD.
    fn control(&self, op: i32, token: Token, interest: Interest) -> io::Result<()> {
        let (set, events) = (self.epoll.as_fd(), bits(interest));
        sys::epoll_ctl(set, op, token.fd, events, token.tag().pack())
    }

    /// The kernel holds one registration less, or will as soon as the file is closed.
    fn deleted(&mut self) {
        self.len -= 1;
        give_back(&mut self.buffer, self.len);
    }

    /// Why an addition was refused. That the set was to watch itself has a name: EINVAL, or ELOOP
    /// by way of the front.
    fn refused(&self, fd: RawFd, source: io::Error) -> Error {
        let op = "epoll_ctl add";
        let own = |set: &OwnedFd| set.as_raw_fd() == fd;
        let is_own = match source.raw_os_error() {
            Some(libc::EINVAL) => own(&self.epoll),
            Some(libc::ELOOP) => self.front.get().is_some_and(own),
            _ => false,
        };
        if is_own {
            return Error::refused(Refusal::WatchesItself, op, Some(fd), source);
        }
        Error::registration(op, fd, source)
    }

    /// The kernel does not modify an exclusive registration (epoll_ctl(2)), so it is deleted and
    /// added. How many there are stays the same, also where the way back fails: the key stays.
    fn exchange(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error> {
        sys::epoll_ctl_del(self.epoll.as_fd(), token.fd)
            .map_err(|error| Error::os("epoll_ctl del", Some(token.fd), error))?;
        self.control(libc::EPOLL_CTL_ADD, token, to)
            .map_err(|error| {
                let _ = self.control(libc::EPOLL_CTL_ADD, token, from);
                self.refused(token.fd, error)
            })
    }

    /// Builds the set anew, from the registrations that must survive, and puts it in the place of
    /// the old one.
    ///
    /// Edge keys report once more than they had to, and fired oneshot keys are armed again: hints
    /// may be spurious, a spin may not end.
    fn rebuild(&self, live: &mut dyn Iterator<Item = (Token, Interest)>) -> Result<(), Error> {
        let old = self.epoll.as_fd();
        let new = create()?;
        let add = |set: BorrowedFd<'_>, (token, interest): (Token, Interest)| {
            let (op, data) = (libc::EPOLL_CTL_ADD, token.tag().pack());
            sys::epoll_ctl(set, op, token.fd, bits(interest), data)
        };
        let mut moved = Vec::new();
        let mut outcome = Ok(());
        for key in live {
            // What cannot be deleted is not there: the key's number was closed as well, or means
            // another file, which nobody has registered. It was silent and stays so.
            if sys::epoll_ctl_del(old, key.0.fd).is_ok() {
                moved.push(key);
                if let Err(error) = add(new.as_fd(), key) {
                    outcome = Err(self.refused(key.0.fd, error));
                    break;
                }
            }
        }
        let outcome = outcome.and_then(|()| self.replace(new.as_fd()));
        if outcome.is_err() {
            // Their room is still free.
            for key in moved {
                let _ = add(old, key);
            }
        }
        outcome
    }

    /// Makes our number mean another set, for whoever waits on it and for who watches from outside.
    fn replace(&self, new: BorrowedFd<'_>) -> Result<(), Error> {
        let (number, front) = (self.epoll.as_fd(), self.front.get());
        if let Some(front) = front {
            // While the number still means what was added: a forked child may keep the old set
            // alive, and then closing it here would end nothing.
            let _ = sys::epoll_ctl_del(front.as_fd(), number.as_raw_fd());
        }
        if let Err(error) = sys::dup3(new, number) {
            return Err(Error::os("dup3", Some(number.as_raw_fd()), error));
        }
        front.map_or(Ok(()), |front| watch(front.as_fd(), number))
    }

    /// The set that watches ours, made for the first who asks.
    fn front(&self) -> Result<BorrowedFd<'_>, Error> {
        if self.front.get().is_none() {
            let front = create()?;
            watch(front.as_fd(), self.epoll.as_fd())?;
            // If another thread was faster, its front is as good.
            let _ = self.front.set(front);
        }
        Ok(self.front.get().unwrap_or(&self.epoll).as_fd())
    }
}

/// Lets the front watch our set, whatever that set is.
fn watch(front: BorrowedFd<'_>, set: BorrowedFd<'_>) -> Result<(), Error> {
    let (op, fd, events) = (libc::EPOLL_CTL_ADD, set.as_raw_fd(), libc::EPOLLIN as u32);
    sys::epoll_ctl(front, op, fd, events, 0)
        .map_err(|error| Error::registration("epoll_ctl add", fd, error))
}

/// The kernel takes no more room than this (epoll_wait(2)): a C int of bytes. What does not fit is
/// still ready in the next wait.
const RESULTS: usize = i32::MAX as usize / size_of::<RawEvent>();

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
    asked | mode as u32 | u32::from(interest.extra) << 24
}

fn is_exclusive(interest: Interest) -> bool {
    u32::from(interest.extra) << 24 & libc::EPOLLEXCLUSIVE as u32 != 0
}

/// Was an addition refused because this file is registered under this number?
fn is_there(added: &io::Result<()>) -> bool {
    let refused = added.as_ref().err();
    refused.and_then(io::Error::raw_os_error) == Some(libc::EEXIST)
}

/// A new set in the kernel.
fn create() -> Result<OwnedFd, Error> {
    sys::epoll_create1().map_err(|error| Error::os("epoll_create1", None, error))
}

/// Room for so many events. Out of line, or the first are written one by one: a kilobyte of stores.
#[inline(never)]
fn make_room(buffer: &mut Vec<RawEvent>, events: usize) {
    buffer.resize(events, RawEvent { events: 0, u64: 0 });
}

impl Open for Epoll {
    fn open() -> Result<Epoll, Error> {
        let mut buffer = Vec::new();
        make_room(&mut buffer, 64);
        Ok(Epoll {
            epoll: create()?,
            maker: Maker::here(),
            front: OnceLock::new(),
            len: 0,
            buffer,
            trusted: false,
            duplicated: false,
            nanoseconds: true,
        })
    }
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
            priority: true,
            conditions: true,
            fileno: true,
        }
    }

    fn add(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.maker.must_be_here()?;
        let mut added = self.control(libc::EPOLL_CTL_ADD, token, interest);
        if self.trusted && is_there(&added) {
            // Left to its close, it has lived on, and is back under the number that it had.
            self.duplicated = true;
            added = sys::epoll_ctl_del(self.epoll.as_fd(), token.fd)
                .and_then(|()| self.control(libc::EPOLL_CTL_ADD, token, interest));
        }
        if let Err(error) = added {
            return Err(self.refused(token.fd, error));
        }
        self.len += 1;
        if self.len > self.buffer.len() {
            make_room(&mut self.buffer, (self.len * 2).min(RESULTS));
        }
        Ok(())
    }

    fn modify(&mut self, token: Token, from: Interest, to: Interest) -> Result<(), Error> {
        self.maker.must_be_here()?;
        if is_exclusive(from) {
            return self.exchange(token, from, to);
        }
        self.control(libc::EPOLL_CTL_MOD, token, to)
            .map_err(|error| Error::os("epoll_ctl mod", Some(token.fd), error))
    }

    fn delete(&mut self, token: Token, _from: Interest) -> Result<(), Error> {
        if !self.maker.is_here() {
            // The parent's entry stays; the key is the child's to give back.
            return Ok(());
        }
        match sys::epoll_ctl_del(self.epoll.as_fd(), token.fd) {
            Err(error) if !matches!(error.raw_os_error(), Some(libc::EBADF | libc::ENOENT)) => {
                Err(Error::os("epoll_ctl del", Some(token.fd), error))
            }
            _ => {
                self.deleted();
                Ok(())
            }
        }
    }

    fn delete_to_close(&mut self, token: Token, from: Interest) -> Result<(), Error> {
        if self.duplicated {
            return self.delete(token, from);
        }
        self.trusted = true;
        self.deleted();
        Ok(())
    }

    #[inline]
    fn wait(&mut self, timeout: Option<Duration>) -> Result<&[RawEvent], Error> {
        self.maker.must_be_here()?;
        let reported = match self.ask(timeout) {
            Ok(reported) => reported,
            Err(error) => return Err(Error::os("epoll_wait", None, error)),
        };
        Ok(&self.buffer[..reported])
    }

    fn disown(
        &mut self,
        orphan: RawFd,
        taken: bool,
        live: &mut dyn Iterator<Item = (Token, Interest)>,
    ) -> Result<(), Error> {
        self.duplicated = true;
        // If the number means the same description again, deleting works after all. If the number
        // has a key, deleting would hit that one.
        if !taken && sys::epoll_ctl_del(self.epoll.as_fd(), orphan).is_ok() {
            return Ok(());
        }
        match self.rebuild(live) {
            // It was not the caller who let a duplicate live: he hears of nothing, and the orphan comes
            // back until there is an fd for the new set.
            Err(_) if self.trusted => Ok(()),
            rebuilt => rebuilt,
        }
    }

    fn fileno(&self) -> Option<BorrowedFd<'_>> {
        Some(self.own_fd())
    }
}

impl OwnFd for Epoll {
    /// Without a front, because no fd is left for one, the set itself.
    fn own_fd(&self) -> BorrowedFd<'_> {
        self.front().unwrap_or_else(|_| self.epoll.as_fd())
    }
}
