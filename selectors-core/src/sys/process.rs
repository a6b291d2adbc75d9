//! The calls about processes and threads.

use std::io;
#[cfg(not(winsock))]
use std::os::fd::OwnedFd;

/// pidfd_open(2): an fd that is readable when the process has ended, and that names no other one.
///
/// Called by number, because a program linked against libc's wrapper would not start with a libc
/// that has none.
///
/// # Errors
///
/// ESRCH, EMFILE, ENFILE, ENOMEM; ENOSYS before Linux 5.3 and on other systems.
#[cfg(pidfd)]
pub fn pidfd_open(process: u32) -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    let number = libc::SYS_pidfd_open;
    // SAFETY: takes no pointer.
    let fd = unsafe { syscall!(pidfd_open = libc::syscall(number, process as libc::pid_t, 0)) }?;
    // SAFETY: a successful call returns a new fd that nobody else owns; fds are ints.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}

/// Where there is no pidfd_open(2), the answer of a kernel that lacks it.
///
/// # Errors
///
/// ENOSYS.
#[cfg(not(any(pidfd, winsock)))]
pub fn pidfd_open(_process: u32) -> io::Result<OwnedFd> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

/// prctl(2) PR_SET_TIMERSLACK: by how many nanoseconds the kernel may delay the wake-ups of this
/// thread in order to gather them. Other systems have no such setting, and no slack that could be
/// taken away.
///
/// # Errors
///
/// None that prctl(2) knows; a sandbox may refuse it.
pub fn prctl_set_timerslack(nanos: u32) -> io::Result<()> {
    #[cfg(timer_slack)]
    // SAFETY: the option takes a number and touches no memory.
    unsafe { syscall!(prctl(libc::PR_SET_TIMERSLACK, libc::c_ulong::from(nanos))) }?;
    #[cfg(not(timer_slack))]
    let _ = nanos;
    Ok(())
}

/// Does this program have rights that whoever started it does not have: set-user-id,
/// set-group-id, or capabilities of its file? Then no variable of its environment may name a file to
/// write. `AT_SECURE` of getauxval(3), as in secure_getenv(3).
///
/// ```
/// assert!(!selectors_core::sys::process::is_secure_execution());
/// ```
#[cfg(getauxval)]
#[must_use]
pub fn is_secure_execution() -> bool {
    // SAFETY: the call takes a number and reads what the kernel has left for the C library.
    (unsafe { libc::getauxval(libc::AT_SECURE) }) != 0
}

/// Does this program have rights that whoever started it does not have? issetugid(2).
#[cfg(issetugid)]
#[must_use]
pub fn is_secure_execution() -> bool {
    // SAFETY: the call takes nothing and always succeeds.
    (unsafe { libc::issetugid() }) != 0
}

/// Does this program have rights that whoever started it does not have? Windows gives none by starting a
/// program.
#[cfg(winsock)]
#[must_use]
pub fn is_secure_execution() -> bool {
    false
}

/// Does this program have rights that whoever started it does not have? Where
/// nobody says it: are the effective user and group others than the real ones?
#[cfg(not(any(getauxval, issetugid, winsock)))]
#[must_use]
pub fn is_secure_execution() -> bool {
    // SAFETY: the call takes nothing and always succeeds.
    let users = (unsafe { libc::getuid() }, unsafe { libc::geteuid() });
    // SAFETY: the same.
    let groups = (unsafe { libc::getgid() }, unsafe { libc::getegid() });
    users.0 != users.1 || groups.0 != groups.1
}
