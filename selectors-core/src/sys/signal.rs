//! The calls about signals.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// pthread_sigmask(3) SIG_BLOCK of all signals: this thread handles none from now on. For a thread
/// that the program does not know of.
///
/// ```
/// use selectors_core::sys::signal::pthread_sigmask_block_all;
///
/// std::thread::spawn(pthread_sigmask_block_all).join().expect("no panic")?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
///
/// What the kernel says; it has no reason to.
pub fn pthread_sigmask_block_all() -> io::Result<()> {
    let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the pointer is to a whole set that the call may write.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: the pointer is to the set that was just filled; the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
