//! The backends by name.

use std::fmt;

/// A way to ask the kernel. Every name exists on every platform;
/// [`Backend::available`] lists those that are here.
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
    /// io_uring(7): Linux, with the feature `uring`. Never the default.
    Uring,
    /// No kernel at all: [`ScriptedSelector`](crate::ScriptedSelector).
    Scripted,
}

impl Backend {
    /// The name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Select => "select",
            Backend::Poll => "poll",
            Backend::Epoll => "epoll",
            Backend::Devpoll => "devpoll",
            Backend::Kqueue => "kqueue",
            Backend::Uring => "uring",
            Backend::Scripted => "scripted",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
