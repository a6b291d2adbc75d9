//! The shared half of every selector: it owns the key map, validates, and undoes what failed.
//!
//! This is the room that users call into. It calls the kernel halves (`kernel/`) through one trait,
//! and nothing below calls back. Here are the verbs that change what is watched; the waits are in
//! `wait.rs`, the names and the choice of a backend in `choice.rs`.

use std::fmt;
use std::mem;
use std::time::Instant;

#[cfg(not(winsock))]
use crate::kernel::OwnFd;
use crate::kernel::{Kernel, RawEvent, must_be_open};
use crate::os::{AsFd, AsRawFd, BorrowedFd, RawFd};
use crate::{Backend, Capabilities, Error, Events, Interest, Mode, Token};

mod choice;
#[cfg(epoll)]
mod epoll_flags;
mod key;
mod key_map;
mod register_error;
mod shared;
mod to_close;
mod wait;

#[cfg(devpoll)]
pub use choice::DevpollSelector;
#[cfg(epoll)]
pub use choice::EpollSelector;
#[cfg(kqueue)]
pub use choice::KqueueSelector;
#[cfg(not(winsock))]
pub use choice::PollSelector;
#[cfg(uring)]
pub use choice::UringSelector;
pub use choice::{BaseSelector, DefaultSelector, ScriptedSelector, SelectSelector};
#[cfg(epoll)]
pub use epoll_flags::EpollFlags;
pub use key::SelectorKey;
use key_map::Entry;
pub use key_map::KeyMap;
pub use register_error::RegisterError;
pub use shared::SharedSelector;

/// A selector: watches many fds and says which are ready.
///
/// Use it through one of its names: [`DefaultSelector`](crate::DefaultSelector),
/// [`SelectSelector`](crate::SelectSelector), [`PollSelector`](crate::PollSelector) and so on.
/// `F` is the type of the file objects, which the keys own; `D` is the data attached to each.
///
/// | verb | needs | fails with | closed fd (raw sources only) |
/// |---|---|---|---|
/// | `register` | a number without key | `AlreadyRegistered`, `FdTooLarge`, `Unsupported`, the kernel's answer; gives all back | EBADF on every backend |
/// | `register_open` | the same, and that it is open | the same | epoll, kqueue: EBADF; others: succeeds, and [one invalid event](Self::register_open) |
/// | `modify`, `modify_interest`, `park` | a key | `NotRegistered`, the kernel's answer; nothing changes | epoll, kqueue: EBADF; others: succeeds, and to arm a parked key is EBADF |
/// | `unregister`, `unregister_to_close` | a key | `NotRegistered`, the kernel's answer; the key stays | succeeds |
/// | `select` | nothing | the kernel's answer | one invalid event (poll, select) or silence |
/// | `get_key`, `get_map` | nothing | never | finds the key |
/// | `close` | nothing | never | gives the key back |
///
/// Dropping a selector drops the keys, with them the file objects, and closes its kernel object; it
/// deletes nothing from it (in a forked child that would empty the parent's set).
pub struct Selector<K: ?Sized, F, D> {
    /// Counts registrations, so that no two tokens are equal.
    pub(crate) generation: u64,
    /// Events that were not handed out although the kernel has told them.
    left: Vec<RawEvent>,
    map: KeyMap<F, D>,
    /// The last one, because a `BaseSelector` does not know how large it is.
    pub(crate) kernel: K,
}

impl<K: Kernel, F, D> Selector<K, F, D> {
    pub(crate) fn from_kernel(kernel: K) -> Selector<K, F, D> {
        Selector {
            generation: 0,
            left: Vec::new(),
            map: KeyMap::default(),
            kernel,
        }
    }

    /// Closes the kernel object and gives all keys back, in the order of their numbers.
    #[must_use = "the file objects are in the keys; drop the selector to close them"]
    pub fn close(mut self) -> Vec<SelectorKey<F, D>> {
        let map = mem::take(&mut self.map);
        drop(self);
        map.into_keys()
    }
}

impl<F, D> BaseSelector<F, D> {
    /// The same as [`close`](DefaultSelector::close), for one that is in a box.
    #[must_use = "the file objects are in the keys; drop the selector to close them"]
    pub fn close(mut self: Box<Self>) -> Vec<SelectorKey<F, D>> {
        let map = mem::take(&mut self.map);
        drop(self);
        map.into_keys()
    }
}

impl<K: Kernel + ?Sized, F, D> Selector<K, F, D> {
    /// Watches the key for `events` from now on, or again after [`park`](Self::park); all else that
    /// was asked for (mode, urgent data) stays.
    ///
    /// The kernel looks at the file anew: what holds is reported, by an edge key too although nothing
    /// changed, and a oneshot key is armed again. Only for the same events of a level key it costs no
    /// system call: a number that was closed and opened again behind the selector's back needs others.
    /// (Python's `modify` also replaces the data; here that is [`data_mut`](Self::data_mut).)
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] for a token without a key; otherwise what the kernel says. Then
    /// the key, its interest and the kernel are as they were.
    pub fn modify(&mut self, token: Token, events: Events) -> Result<(), Error> {
        self.change(token, |interest| interest.with_events(events))
    }

    /// The same with everything that can be asked for: the mode and urgent data change too.
    ///
    /// ```
    /// use selectors_core::{EVENT_READ, EpollSelector, Interest, Mode};
    /// use std::time::Duration;
    ///
    /// let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    /// std::io::Write::write_all(&mut &theirs, b"x")?;
    /// let mut selector = EpollSelector::new()?;
    /// let token = selector.register(ours, EVENT_READ, ())?;
    /// let mut ready = Vec::new();
    /// let mut reports = || selector.select(&mut ready, Some(Duration::ZERO));
    /// assert_eq!((reports()?, reports()?), (1, 1));
    ///
    /// selector.modify_interest(token, Interest::new(EVENT_READ).mode(Mode::Edge))?;
    /// let mut reports = || selector.select(&mut ready, Some(Duration::ZERO));
    /// assert_eq!((reports()?, reports()?), (1, 0));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`modify`](Self::modify); [`Error::Unsupported`] if the backend lacks what is asked.
    pub fn modify_interest(&mut self, token: Token, interest: Interest) -> Result<(), Error> {
        self.check_capabilities(interest)?;
        self.change(token, |now| Interest {
            extra: now.extra,
            ..interest
        })
    }

    fn change(&mut self, token: Token, to: impl FnOnce(Interest) -> Interest) -> Result<(), Error> {
        let entry = self.map.known(token)?;
        let (from, to) = (entry.interest, to(entry.interest));
        match entry.key.events {
            None => self.kernel.add(token, to)?,
            Some(_) if from == to && to.mode == Mode::Level => {}
            Some(_) => self.kernel.modify(token, from, to)?,
        }
        entry.set_interest(Some(to));
        Ok(())
    }

    fn check_capabilities(&self, interest: Interest) -> Result<(), Error> {
        // The common case asks for nothing special and need not ask the backend.
        if interest.mode == Mode::Level && !interest.priority {
            return Ok(());
        }
        let (backend, offered) = (self.backend(), self.capabilities());
        let lacking = if interest.mode.is_edge() && !offered.edge {
            "edge-triggered mode"
        } else if interest.mode.is_oneshot() && !offered.oneshot {
            "oneshot mode"
        } else if interest.priority && !offered.priority {
            "priority interest"
        } else {
            return Ok(());
        };
        Err(Error::Unsupported {
            what: lacking,
            backend,
        })
    }

    /// Keeps the key but stops watching it, so that not even a hang-up is reported;
    /// [`modify`](Self::modify) resumes. Parking a parked key changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] for a token without a key; otherwise what the kernel says, and
    /// then nothing has changed.
    pub fn park(&mut self, token: Token) -> Result<(), Error> {
        let entry = self.map.known(token)?;
        if entry.key.events.is_some() {
            self.kernel.delete(token, entry.interest)?;
        }
        entry.set_interest(None);
        Ok(())
    }

    /// Stops watching and gives the key back, with file object and data. The kernel is told before
    /// the caller can close the file.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] for a token without a key. That the number is closed or the kernel
    /// does not know it is no error; anything else is, and then the key stays.
    pub fn unregister(&mut self, token: Token) -> Result<SelectorKey<F, D>, Error> {
        let entry = self.map.known(token)?;
        if entry.key.events.is_some() {
            self.kernel.delete(token, entry.interest)?;
        }
        self.remove(token)
    }

    fn remove(&mut self, token: Token) -> Result<SelectorKey<F, D>, Error> {
        let removed = self.map.remove(token).map(|entry| entry.key);
        removed.ok_or(Error::NotRegistered(token.fd))
    }

    /// The key of a token; `None` once it is unregistered. Costs one comparison.
    #[must_use]
    pub fn get_key(&self, token: Token) -> Option<&SelectorKey<F, D>> {
        self.map.get(token)
    }

    /// The key of a number, with its token. Any number may be asked for.
    #[must_use]
    pub fn get_key_by_fd(&self, fd: RawFd) -> Option<(Token, &SelectorKey<F, D>)> {
        self.map.get_by_fd(fd)
    }

    /// The data of a key, to be changed in place; no kernel is asked.
    pub fn data_mut(&mut self, token: Token) -> Option<&mut D> {
        self.map.entry_mut(token).map(|entry| &mut entry.key.data)
    }

    /// All keys: a live, read-only view. While it is borrowed nothing can be registered.
    #[must_use]
    pub fn get_map(&self) -> &KeyMap<F, D> {
        &self.map
    }

    /// Which backend asks the kernel.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.kernel.backend()
    }

    /// What the backend offers beyond level-triggered READ and WRITE.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.kernel.capabilities()
    }

    /// The time on the clock that timeouts are measured on: the monotonic clock, or the virtual
    /// one of a [`ScriptedSelector`](crate::ScriptedSelector).
    #[must_use]
    pub fn now(&self) -> Instant {
        self.kernel.now()
    }

    /// The fd of the kernel object, for backends that have one (epoll, kqueue, /dev/poll). Where
    /// that can be watched, it is readable when a `select` would find something.
    ///
    /// With epoll it is a second fd, which the first call makes: it goes on telling whatever becomes
    /// of what the set watches.
    #[must_use]
    pub fn fileno(&self) -> Option<BorrowedFd<'_>> {
        self.kernel.fileno()
    }
}

impl<K: Kernel + ?Sized, F: AsFd, D> Selector<K, F, D> {
    /// Watches `fileobj` for `events`, level-triggered, and returns the name of the new key.
    ///
    /// The selector owns the file object until `unregister`. Its number is taken once, here.
    ///
    /// # Errors
    ///
    /// The error gives `fileobj` and `data` back; nothing is left in the map or in the kernel.
    /// [`Error::AlreadyRegistered`] if the number has a key, [`Error::FdTooLarge`] from select(2),
    /// otherwise what the kernel says (contract rows R5 to R13).
    pub fn register(
        &mut self,
        fileobj: F,
        events: Events,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        self.register_interest(fileobj, Interest::new(events), data)
    }

    /// The same in a trigger mode of your choice.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register); [`Error::Unsupported`] if the backend lacks the mode.
    pub fn register_with(
        &mut self,
        fileobj: F,
        events: Events,
        mode: Mode,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        self.register_interest(fileobj, Interest::new(events).mode(mode), data)
    }

    /// The same with everything that can be asked for, urgent data included.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register); [`Error::Unsupported`] if the backend lacks what is asked.
    pub fn register_interest(
        &mut self,
        fileobj: F,
        interest: Interest,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        let fd = fileobj.as_fd().as_raw_fd();
        self.enter(fd, fileobj, interest, Begin::Watched, data)
    }

    /// A new key that is [parked](Self::park) from the beginning: the kernel does not know of it until
    /// [`modify`](Self::modify) says for which events, level-triggered, or
    /// [`modify_interest`](Self::modify_interest) says all. A limit of the kernel is met only then.
    ///
    /// ```
    /// use selectors_core::{DefaultSelector, EVENT_WRITE};
    /// use std::time::Duration;
    ///
    /// let (near, _far) = std::os::unix::net::UnixStream::pair()?;
    /// let (mut selector, mut ready) = (DefaultSelector::new()?, Vec::new());
    /// let token = selector.register_parked(near, ())?;
    /// assert_eq!(selector.select(&mut ready, Some(Duration::ZERO))?, 0);
    /// selector.modify(token, EVENT_WRITE)?;
    /// assert_eq!(selector.select(&mut ready, Some(Duration::ZERO))?, 1);
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyRegistered`] if the number has a key; EBADF for a number that is not open. The
    /// error gives `fileobj` and `data` back.
    pub fn register_parked(&mut self, fileobj: F, data: D) -> Result<Token, RegisterError<F, D>> {
        let fd = fileobj.as_fd().as_raw_fd();
        self.enter(
            fd,
            fileobj,
            Interest::new(Events::READ),
            Begin::Parked,
            data,
        )
    }
}

impl<K: Kernel + ?Sized, F, D> Selector<K, F, D> {
    /// The same as [`register_interest`](Self::register_interest) for who has asked `fileobj` for its
    /// fd already, and must not have it asked here: `as_fd` is the caller's code, and runs before this
    /// selector is borrowed. A file object that has no such method will do, too.
    ///
    /// ```
    /// use selectors_core::{DefaultSelector, EVENT_WRITE, Interest};
    /// use std::{os::fd::AsFd, rc::Rc, time::Duration};
    ///
    /// let (near, _far) = std::os::unix::net::UnixStream::pair()?;
    /// let (mut selector, mut ready) = (DefaultSelector::new()?, Vec::new());
    /// let shared = Rc::new(near);
    /// selector.register_fd(shared.as_fd(), Rc::clone(&shared), Interest::new(EVENT_WRITE), ())?;
    /// assert_eq!(selector.select(&mut ready, Some(Duration::ZERO))?, 1);
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`register_interest`](Self::register_interest).
    pub fn register_fd(
        &mut self,
        fd: BorrowedFd<'_>,
        fileobj: F,
        interest: Interest,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        self.enter(fd.as_raw_fd(), fileobj, interest, Begin::Watched, data)
    }

    /// As [`register_fd`](Self::register_fd), for a fd that is open for certain, because its type owns it.
    /// epoll and kqueue say EBADF by themselves; for the others a number is looked at first, in a call that
    /// is not made here.
    ///
    /// If the number is not open after all, epoll and kqueue say EBADF at once; others report
    /// [`INVALID`](crate::Readiness::INVALID) in the next wait, once, as for one that was closed while it was
    /// registered. With select Linux does not look at a number far above all that were ever open: that one is
    /// reported when a wait ends by its time or by other keys, and ends none. A selector's tables are as long
    /// as its highest number, at some 50 to 80 bytes for each: of one that is made up nothing bounds it.
    ///
    /// ```
    /// use selectors_core::{DefaultSelector, EVENT_WRITE, Interest};
    /// use std::{os::fd::AsFd, rc::Rc, time::Duration};
    ///
    /// let (near, _far) = std::os::unix::net::UnixStream::pair()?;
    /// let (mut selector, mut ready) = (DefaultSelector::new()?, Vec::new());
    /// let shared = Rc::new(near);
    /// selector.register_open(shared.as_fd(), Rc::clone(&shared), Interest::new(EVENT_WRITE), ())?;
    /// assert_eq!(selector.select(&mut ready, Some(Duration::ZERO))?, 1);
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// As there, but for EBADF.
    pub fn register_open(
        &mut self,
        fd: BorrowedFd<'_>,
        fileobj: F,
        interest: Interest,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        self.enter(fd.as_raw_fd(), fileobj, interest, Begin::Open, data)
    }

    fn enter(
        &mut self,
        fd: RawFd,
        fileobj: F,
        interest: Interest,
        begin: Begin,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        match self.admit(fd, interest, begin) {
            Ok(token) => {
                let watched = begin != Begin::Parked;
                self.map.insert(Entry {
                    generation: token.generation(),
                    mask: if watched { interest.mask() } else { 0 },
                    interest,
                    key: SelectorKey {
                        fileobj,
                        fd: token.fd,
                        events: watched.then_some(interest.events),
                        data,
                    },
                });
                Ok(token)
            }
            Err(error) => Err(RegisterError {
                error,
                fileobj,
                data,
            }),
        }
    }

    /// Checks a registration and tells the kernel; the map is the caller's.
    fn admit(&mut self, fd: RawFd, interest: Interest, begin: Begin) -> Result<Token, Error> {
        self.check_capabilities(interest)?;
        if self.map.get_by_fd(fd).is_some() {
            return Err(Error::AlreadyRegistered(fd));
        }
        // 64 bits: a million registrations a second need half a million years to use them up.
        self.generation += 1;
        let token = Token::new(fd, self.generation);
        match begin {
            Begin::Watched => self.kernel.add(token, interest)?,
            Begin::Open => self.kernel.add_open(token, interest)?,
            Begin::Parked => must_be_open(fd)?,
        }
        Ok(token)
    }
}

/// What is known of a new key, and what the kernel hears of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// Its number may be any.
    Watched,
    /// Its number is open.
    Open,
    /// Its number may be any, and the kernel hears nothing yet.
    Parked,
}

#[cfg(not(winsock))]
impl<K: OwnFd, F, D> AsFd for Selector<K, F, D> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kernel.own_fd()
    }
}

impl<K: Kernel + ?Sized, F: fmt::Debug, D: fmt::Debug> fmt::Debug for Selector<K, F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector")
            .field("backend", &self.backend())
            .field("keys", &self.map)
            .finish_non_exhaustive()
    }
}
