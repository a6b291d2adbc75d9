//! What a recorder has to know of the process that it is in, and of its own thread.

use std::io;

use crate::sys;

/// Is the environment that of somebody with fewer rights than this program has? Then no variable of
/// it may name a file to write. See secure_getenv(3) and issetugid(2).
///
/// ```
/// assert!(!selectors_core::is_secure_execution());
/// ```
#[must_use]
pub fn is_secure_execution() -> bool {
    sys::secure::is_secure_execution()
}

/// Leaves all signals to the other threads of the program, for a thread that it does not know of.
/// See pthread_sigmask(3).
///
/// ```
/// std::thread::spawn(selectors_core::block_signals).join().expect("no panic")?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
///
/// What the kernel says; it has no reason to.
pub fn block_signals() -> io::Result<()> {
    sys::sigmask::block_all()
}
