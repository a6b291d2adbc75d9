//! select(2) and pselect(2), over bitmaps of any length.

use std::io;
use std::ptr;

use libc::c_int;

use crate::sys::acts;

/// A word of an fd_set. On a little-endian machine its width makes no difference; on a big-endian
/// one it decides where a bit lies.
#[cfg(fd_set_u32)]
pub type Word = u32;
/// A word of an fd_set.
#[cfg(not(fd_set_u32))]
pub type Word = libc::c_ulong;

/// The first number that select(2) cannot watch, if there is one on this platform.
///
/// Linux and most BSDs read as many bits as the first argument says, and FD_SETSIZE is only the
/// size of C's type. Apple's and Solaris' libraries refuse more.
#[cfg(fd_set_grows)]
pub const LIMIT: Option<usize> = None;
/// The first number that select(2) cannot watch.
#[cfg(not(fd_set_grows))]
pub const LIMIT: Option<usize> = Some(libc::FD_SETSIZE);

/// Bitmaps are grown in steps of a whole C fd_set, so that a library that looks at one sees one.
pub const STEP: usize = size_of::<libc::fd_set>() / size_of::<Word>();

/// pselect(2) over the numbers below `nfds`. `None` waits for ever.
///
/// # Errors
///
/// EBADF: one of the numbers is not open, and it does not say which. EINTR, EINVAL, ENOMEM; ENOSYS and
/// EPERM from a sandbox.
///
/// # Panics
///
/// If a set has fewer than `nfds` bits.
pub fn pselect(
    nfds: usize,
    sets: [&mut [Word]; 3],
    timeout: Option<libc::timespec>,
) -> io::Result<usize> {
    let [read, write, except] = sets.map(|set| checked(set, nfds));
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the kernel reads and writes the first `nfds` bits of each set, and `checked` has
    // seen that they are there; the timeout lives until the call returns, a null mask means none.
    let n = unsafe {
        syscall!(pselect(
            nfds as c_int,
            read,
            write,
            except,
            timeout,
            ptr::null()
        ))
    }?;
    Ok(n as usize)
}

/// select(2) over the numbers below `nfds`, in microseconds.
///
/// # Errors
///
/// As [`pselect`].
///
/// # Panics
///
/// If a set has fewer than `nfds` bits.
pub fn select(
    nfds: usize,
    sets: [&mut [Word]; 3],
    timeout: Option<libc::timeval>,
) -> io::Result<usize> {
    let [read, write, except] = sets.map(|set| checked(set, nfds));
    let mut timeout = timeout;
    let timeout = timeout.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: as for `pselect`; Linux writes the remaining time into the timeout, which is ours.
    let n = act!(acts::Select, unsafe {
        syscall!(select(nfds as c_int, read, write, except, timeout))
    })?;
    Ok(n as usize)
}

/// The set as C's type, once it is known to hold `nfds` bits.
fn checked(set: &mut [Word], nfds: usize) -> *mut libc::fd_set {
    assert!(
        nfds <= set.len() * Word::BITS as usize,
        "a bitmap is shorter than nfds"
    );
    set.as_mut_ptr().cast()
}
