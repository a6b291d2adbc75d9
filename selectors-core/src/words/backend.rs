//! The backends by name.

use std::fmt;

/// A way to ask the kernel. Every name exists on every platform;
/// [`Backend::available`] lists those that this one has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Backend {
    /// select(2): everywhere.
    Select,
    /// poll(2): everywhere but on Windows.
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
        &[
            #[cfg(kqueue)]
            Backend::Kqueue,
            #[cfg(epoll)]
            Backend::Epoll,
            #[cfg(devpoll)]
            Backend::Devpoll,
            #[cfg(not(winsock))]
            Backend::Poll,
            Backend::Select,
        ]
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
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
