//! pthread_sigmask(3).

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// pthread_sigmask(3): no signal is handled by this thread from now on.
pub(crate) fn block_all() -> io::Result<()> {
    let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the pointer is to a whole set that the call may write.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: the pointer is to the set that was just filled; the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
