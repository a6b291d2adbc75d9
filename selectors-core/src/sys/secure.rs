//! getauxval(3), issetugid(2), getuid(2).

/// Does this program have rights that whoever started it does not have: set-user-id,
/// set-group-id, or capabilities of its file? `AT_SECURE` of getauxval(3), as in secure_getenv(3).
#[cfg(getauxval)]
pub(crate) fn is_secure_execution() -> bool {
    // SAFETY: the call takes a number and reads what the kernel has left for the C library.
    (unsafe { libc::getauxval(libc::AT_SECURE) }) != 0
}

/// The same, by issetugid(2).
#[cfg(issetugid)]
pub(crate) fn is_secure_execution() -> bool {
    // SAFETY: the call takes nothing and always succeeds.
    (unsafe { libc::issetugid() }) != 0
}

/// The same where nobody says it: are the effective user and group others than the real ones?
#[cfg(not(any(getauxval, issetugid)))]
pub(crate) fn is_secure_execution() -> bool {
    // SAFETY: the call takes nothing and always succeeds.
    let users = (unsafe { libc::getuid() }, unsafe { libc::geteuid() });
    // SAFETY: the same.
    let groups = (unsafe { libc::getgid() }, unsafe { libc::getegid() });
    users.0 != users.1 || groups.0 != groups.1
}
