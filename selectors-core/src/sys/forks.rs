//! pthread_atfork(3): whether this process made something, or is a child that was forked since.
//!
//! getpid(2) would say it for a system call each time; this is a comparison of two numbers in memory.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;

/// How many forks lie behind this process, since the first [`Maker`].
static FORKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// The process that made something. A child that fork(2) makes of it is another; one that clone(2)
/// makes past the C library passes for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// How many forks lay behind it.
    forks: u32,
}

impl Maker {
    /// This process.
    ///
    /// ```
    /// assert!(selectors_core::sys::forks::Maker::here().is_here());
    /// ```
    #[must_use]
    pub fn here() -> Maker {
        static WATCH_FORKS: Once = Once::new();
        WATCH_FORKS.call_once(|| {
            // SAFETY: the handler only adds to an atomic, which is allowed in a forked child. If
            // there is no memory for it, forks go unnoticed.
            unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        });
        Maker {
            forks: FORKS.load(Ordering::Relaxed),
        }
    }

    /// Whether that is this process, and not a parent of it.
    #[inline]
    #[must_use]
    pub fn is_here(self) -> bool {
        self.forks == FORKS.load(Ordering::Relaxed)
    }

    /// Refuses a forked child what is its parent's.
    ///
    /// # Errors
    ///
    /// [`Error::Forked`].
    #[inline]
    pub fn must_be_here(self) -> Result<(), Error> {
        match self.is_here() {
            true => Ok(()),
            false => Err(Error::Forked),
        }
    }

    /// As it looks to a forked child.
    #[cfg(all(test, uring))]
    pub(crate) fn in_a_child_for_tests(&mut self) {
        self.forks = self.forks.wrapping_sub(1);
    }
}
