//! The shared half of every selector: it owns the key map, validates, and undoes what failed.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use crate::interest::Interest;
use crate::kernel::{AnyKernel, Kernel, OwnFd, Record};
use crate::key_map::Entry;
use crate::{
    Backend, Capabilities, Error, Events, KeyMap, Mode, RegisterError, SelectorKey, Token,
};

/// A selector: watches many fds and says which are ready.
///
/// Use it through one of its names: [`DefaultSelector`](crate::DefaultSelector),
/// [`SelectSelector`](crate::SelectSelector), [`PollSelector`](crate::PollSelector) and so on.
/// `F` is the type of the file objects, which the keys own; `D` is the data attached to each.
///
/// Dropping a selector closes its kernel object first and deletes nothing from it (in a forked
/// child that would empty the parent's set), then drops the keys and with them the file objects.
pub struct Selector<K, F, D> {
    // The order of these two is the order of drop: no fd is closed while a kernel still has it.
    pub(crate) kernel: K,
    pub(crate) map: KeyMap<F, D>,
    /// Counts registrations, so that no two tokens are equal.
    pub(crate) generation: u64,
    /// Events that a panic kept from being handed out, and that no kernel reports again.
    pub(crate) left: Vec<Record>,
}

impl<K: Kernel, F, D> Selector<K, F, D> {
    pub(crate) fn from_kernel(kernel: K) -> Selector<K, F, D> {
        Selector {
            kernel,
            map: KeyMap::new(),
            generation: 0,
            left: Vec::new(),
        }
    }

    /// Watches the key for `events` from now on, or again after [`park`](Self::park); all else that
    /// was asked for (mode, urgent data) stays.
    ///
    /// The kernel looks at the file anew: what holds at this moment is reported, by an edge key too
    /// although nothing changed, and a oneshot key is armed again. Only where that makes no
    /// difference, for the same events of a level key, it costs no system call. (Python's `modify`
    /// also replaces the data; here that is [`data_mut`](Self::data_mut), which asks no kernel.)
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
        let entry = self
            .map
            .entry_mut(token)
            .ok_or(Error::NotRegistered(token.fd))?;
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
        let entry = self
            .map
            .entry_mut(token)
            .ok_or(Error::NotRegistered(token.fd))?;
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
        let entry = self
            .map
            .entry(token)
            .ok_or(Error::NotRegistered(token.fd))?;
        if entry.key.events.is_some() {
            self.kernel.delete(token, entry.interest)?;
        }
        match self.map.remove(token) {
            Some(entry) => Ok(entry.key),
            None => Err(Error::NotRegistered(token.fd)),
        }
    }

    /// The key of a token; `None` once it is unregistered. Costs one comparison.
    #[inline]
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
    #[inline]
    pub fn data_mut(&mut self, token: Token) -> Option<&mut D> {
        match self.map.entry_mut(token) {
            Some(entry) => Some(&mut entry.key.data),
            None => None,
        }
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

    /// Closes the kernel object and gives all keys back, in the order of their numbers.
    #[must_use = "the file objects are in the keys; drop the selector to close them"]
    pub fn close(self) -> Vec<SelectorKey<F, D>> {
        let Selector { kernel, map, .. } = self;
        drop(kernel);
        map.into_keys()
    }
}

impl<K: Kernel, F: AsFd, D> Selector<K, F, D> {
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
        match self.admit(&fileobj, interest) {
            Ok(token) => {
                self.map.insert(Entry {
                    generation: token.generation(),
                    mask: interest.mask(),
                    interest,
                    key: SelectorKey {
                        fileobj,
                        fd: token.fd,
                        events: Some(interest.events),
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
    fn admit(&mut self, fileobj: &F, interest: Interest) -> Result<Token, Error> {
        self.check_capabilities(interest)?;
        // Asked once: an `AsFd` may answer differently the next time.
        let fd = fileobj.as_fd().as_raw_fd();
        if self.map.get_by_fd(fd).is_some() {
            return Err(Error::AlreadyRegistered(fd));
        }
        // 64 bits: a million registrations a second need half a million years to use them up.
        self.generation += 1;
        let token = Token::new(fd, self.generation);
        self.kernel.add(token, interest)?;
        Ok(token)
    }
}

impl<K: Kernel + Send + 'static, F, D> Selector<K, F, D> {
    /// The same selector, with its backend known only at run time.
    #[must_use]
    pub fn into_default(self) -> Selector<AnyKernel, F, D> {
        let Selector {
            kernel,
            map,
            generation,
            left,
        } = self;
        Selector {
            kernel: AnyKernel(Box::new(kernel)),
            map,
            generation,
            left,
        }
    }
}

impl<K: OwnFd, F, D> AsFd for Selector<K, F, D> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kernel.own_fd()
    }
}

impl<K: Kernel, F: fmt::Debug, D: fmt::Debug> fmt::Debug for Selector<K, F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector")
            .field("backend", &self.backend())
            .field("keys", &self.map)
            .finish_non_exhaustive()
    }
}
