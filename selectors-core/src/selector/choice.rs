//! The selectors by their names in Python, and the choice of a backend: by type, by name, by trying.

use std::str::FromStr;
#[cfg(uring)]
use std::sync::OnceLock;

use super::Selector;
use crate::kernel::{self, AnyKernel, Kernel, Known, Open, Scripted};
use crate::{Backend, Error, Script};

/// A selector on select(2).
pub type SelectSelector<F, D> = Selector<kernel::Select, F, D>;

/// A selector on poll(2). Needs no fd of its own and is cheap to make.
#[cfg(not(winsock))]
pub type PollSelector<F, D> = Selector<kernel::Poll, F, D>;

/// A selector on epoll(7).
#[cfg(epoll)]
pub type EpollSelector<F, D> = Selector<kernel::Epoll, F, D>;

/// A selector on /dev/poll.
#[cfg(devpoll)]
pub type DevpollSelector<F, D> = Selector<kernel::Devpoll, F, D>;

/// A selector on kqueue(2).
#[cfg(kqueue)]
pub type KqueueSelector<F, D> = Selector<kernel::Kqueue, F, D>;

/// A selector on io_uring(7): registering, modifying and arming ride with the wait.
///
/// ```
/// use selectors_core::{Backend, EVENT_READ, UringSelector};
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
///
/// let (mut near, far) = UnixStream::pair()?;
/// let mut selector = match UringSelector::new() {
///     Ok(selector) => selector,
///     // "io_uring_setup: io_uring is turned off on this machine ..."
///     Err(reason) => return Ok(println!("skipped: {reason}")),
/// };
/// let token = selector.register(far, EVENT_READ, ())?;
/// near.write_all(b"x")?;
/// let mut ready = Vec::new();
/// selector.select(&mut ready, None)?;
/// assert_eq!(ready[0].token, token);
/// # std::io::Result::Ok(())
/// ```
#[cfg(uring)]
pub type UringSelector<F, D> = Selector<kernel::Uring, F, D>;

/// A selector without a kernel: what becomes ready, and when, is read from a [`Script`].
///
/// Time is virtual: a wait moves the clock to the next step of the script or by its timeout, and
/// takes no real time. The registered file objects are real but are never asked anything.
///
/// ```
/// use selectors_core::{EVENT_READ, Readiness, Script, ScriptedSelector};
/// use std::time::Duration;
///
/// let script = Script::new();
/// let mut selector = ScriptedSelector::play(script.clone());
/// let token = selector.register(std::io::stdin(), EVENT_READ, ())?;
/// script.ready_after(Duration::from_secs(3600), &[(token.fd(), Readiness::READABLE)]);
///
/// let mut ready = Vec::new();
/// let start = selector.now();
/// selector.select(&mut ready, None)?;
/// assert_eq!(ready[0].token, token);
/// assert_eq!(selector.now() - start, Duration::from_secs(3600));
/// # Ok::<(), selectors_core::Error>(())
/// ```
pub type ScriptedSelector<F, D> = Selector<Scripted, F, D>;

/// The best selector that works on this machine, or the one of a given [`Backend`].
pub type DefaultSelector<F, D> = Selector<AnyKernel, F, D>;

/// Python's `BaseSelector`: a selector for code that does not care which one it has. A reference or
/// a box of any selector becomes one of this.
///
/// ```
/// use selectors_core::{BaseSelector, EVENT_WRITE, PollSelector, SelectSelector};
/// use std::os::unix::net::UnixStream;
///
/// fn watch(selector: &mut BaseSelector<UnixStream, ()>) -> std::io::Result<usize> {
///     let (near, _far) = UnixStream::pair()?;
///     selector.register(near, EVENT_WRITE, ())?;
///     Ok(selector.select(&mut Vec::new(), None)?)
/// }
///
/// assert_eq!(watch(&mut PollSelector::new()?)?, 1);
/// assert_eq!(watch(&mut SelectSelector::new()?)?, 1);
///
/// let mut either: Box<BaseSelector<_, _>> = Box::new(PollSelector::new()?);
/// assert_eq!(watch(&mut either)?, 1);
/// # std::io::Result::Ok(())
/// ```
pub type BaseSelector<F, D> = Selector<dyn Kernel + Send, F, D>;

impl<K: Open, F, D> Selector<K, F, D> {
    /// A new selector on this backend.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyFiles`](crate::Refusal::TooManyFiles) at the limit of open files, where the
    /// backend needs an fd of its own; select and poll do not.
    pub fn new() -> Result<Self, Error> {
        K::open().map(Selector::from_kernel)
    }
}

impl<F, D> DefaultSelector<F, D> {
    /// The first of [`Backend::available`] that works here.
    ///
    /// # Errors
    ///
    /// Those of [`Backend::probe`].
    pub fn new() -> Result<Self, Error> {
        kernel::probe().map(Selector::from_kernel)
    }
}

impl<F, D> ScriptedSelector<F, D> {
    /// A selector that plays this script. Keep a clone to write on while it plays.
    #[must_use]
    pub fn play(script: Script) -> Self {
        Selector::from_kernel(Scripted::new(script))
    }
}

impl<K: Known, F, D> Selector<K, F, D> {
    /// The same selector, with its backend known only at run time. One that is that already has no
    /// such method:
    ///
    /// ```compile_fail
    /// # use selectors_core::DefaultSelector;
    /// let selector = DefaultSelector::<std::net::TcpStream, ()>::new().unwrap();
    /// selector.into_default(); // method cannot be called
    /// ```
    #[must_use]
    pub fn into_default(self) -> DefaultSelector<F, D> {
        Selector {
            generation: self.generation,
            left: self.left,
            map: self.map,
            kernel: AnyKernel(Box::new(self.kernel)),
        }
    }
}

impl<K: Kernel + ?Sized, F, D> Selector<K, F, D> {
    /// Promises that from now on only the thread that calls this waits and unregisters. A ring gets
    /// cheaper by it for edge keys (Linux 6.1), to nobody else it makes a difference. Best said before
    /// anything is registered; keys that there are, are asked for anew.
    ///
    /// On a ring, waiting in another thread is [`Refusal::OtherThread`](crate::Refusal::OtherThread)
    /// then, and so is unregistering or parking what waits. A wait reports some twenty edge keys at most,
    /// the others in those after it. Dropped there, it leaves its files to the kernel, which
    /// keeps them open for some tens of milliseconds more.
    ///
    /// # Errors
    ///
    /// Those of `new`: a ring is made anew. The selector stays as it was.
    pub fn stay_in_this_thread(&mut self) -> Result<(), Error> {
        self.kernel.stay()
    }
}

impl Backend {
    /// The backends that are here, best first, in Python's order: kqueue, epoll, devpoll, poll,
    /// select. After them comes uring, if this crate has that feature and the kernel makes a ring;
    /// that is tried by the first call.
    #[must_use]
    pub fn available() -> &'static [Backend] {
        let all = kernel::COMPILED;
        #[cfg(uring)]
        {
            static RING: OnceLock<bool> = OnceLock::new();
            if !RING.get_or_init(|| kernel::open(Backend::Uring).is_ok()) {
                return all.split_last().map_or(all, |(_, others)| others);
            }
        }
        all
    }

    /// The backend of this name on this platform, in capitals or not; `default` is the best one that
    /// works here.
    ///
    /// ```
    /// use selectors_core::Backend;
    ///
    /// assert_eq!(Backend::from_name("poll")?, Backend::Poll);
    /// assert_eq!(Backend::from_name("POLL")?, Backend::Poll);
    /// assert!(Backend::from_name("iocp").is_err());
    /// # Ok::<(), selectors_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBackend`], whose text lists the valid names; for `uring` the reason why there
    /// is no ring; for `default` the error of [`Backend::probe`].
    pub fn from_name(name: &str) -> Result<Backend, Error> {
        if name.eq_ignore_ascii_case("default") {
            return Backend::probe();
        }
        let found = kernel::COMPILED
            .iter()
            .find(|backend| backend.name().eq_ignore_ascii_case(name));
        let found = *found.ok_or_else(|| Error::UnknownBackend {
            name: name.to_owned(),
        })?;
        if !Backend::available().contains(&found) {
            kernel::open(found)?;
        }
        Ok(found)
    }

    /// The first of [`available`](Backend::available) whose kernel object can be made here
    /// (contract rows N5 and N6): a sandbox may know the call and refuse it.
    ///
    /// # Errors
    ///
    /// No fd or no memory is left (EMFILE, ENFILE, ENOMEM): that says nothing about the backend, so
    /// no other one is taken for it.
    pub fn probe() -> Result<Backend, Error> {
        Ok(kernel::probe()?.backend())
    }

    /// A selector on this backend.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBackend`] if the platform does not have it, otherwise what the kernel
    /// says.
    pub fn selector<F, D>(self) -> Result<DefaultSelector<F, D>, Error> {
        Ok(Selector::from_kernel(kernel::open(self)?))
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(name: &str) -> Result<Backend, Error> {
        Backend::from_name(name)
    }
}
