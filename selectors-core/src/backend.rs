//! The backends by name, and the choice between them at run time.

use std::fmt;
use std::str::FromStr;

use crate::kernel;
use crate::{DefaultSelector, Error};

/// A way to ask the kernel. Every name exists on every platform;
/// [`Backend::available`] lists those that this one has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Backend {
    /// select(2): everywhere.
    Select,
    /// poll(2): everywhere.
    Poll,
    /// epoll(7): Linux.
    Epoll,
    /// /dev/poll: Solaris and illumos.
    Devpoll,
    /// kqueue(2): the BSDs and macOS.
    Kqueue,
    /// No kernel at all: [`ScriptedSelector`](crate::ScriptedSelector).
    Scripted,
}

impl Backend {
    /// The backends of this platform, best first, in Python's order: kqueue, epoll, devpoll,
    /// poll, select.
    #[must_use]
    pub fn available() -> &'static [Backend] {
        kernel::AVAILABLE
    }

    /// The name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Select => "select",
            Backend::Poll => "poll",
            Backend::Epoll => "epoll",
            Backend::Devpoll => "devpoll",
            Backend::Kqueue => "kqueue",
            Backend::Scripted => "scripted",
        }
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
    /// [`Error::UnknownBackend`], whose text lists the valid names; for `default` the error of
    /// [`Backend::probe`].
    pub fn from_name(name: &str) -> Result<Backend, Error> {
        if name.eq_ignore_ascii_case("default") {
            return Backend::probe();
        }
        let found = Backend::available()
            .iter()
            .find(|backend| backend.name().eq_ignore_ascii_case(name));
        found.copied().ok_or_else(|| Error::UnknownBackend {
            name: name.to_owned(),
        })
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
        Ok(DefaultSelector::from_kernel(kernel::AnyKernel(
            kernel::open(self)?,
        )))
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(name: &str) -> Result<Backend, Error> {
        Backend::from_name(name)
    }
}
