//! The limit of open files, which a thousand connections meet before any other.

use crate::failure::Failure;

/// Files that a program has open beside its connections: the standard three, the selector, the
/// notifier, signals, and some to spare.
const OTHERS: u64 = 32;

/// Raises the soft limit of open files to the hard limit, which needs no privilege.
///
/// Shells start programs with a soft limit of 1024 for the sake of old programs whose `select`
/// breaks above it. Ours grows its bitmap instead.
///
/// The answer is the limit, if anybody says what it is: a sandbox may refuse the call, and then all
/// goes on with the limit that there is.
pub fn raise_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        let raised = rlimit::increase_nofile_limit(u64::MAX).ok();
        raised.or_else(|| rlimit::Resource::NOFILE.get_soft().ok())
    }
    // There is none on sockets.
    #[cfg(windows)]
    None
}

/// Makes room for this many connections.
///
/// # Errors
///
/// [`Failure::BadInput`] if the hard limit is too low, with what to do.
pub fn make_room_for(connections: u64) -> Result<(), Failure> {
    let limit = raise_limit().unwrap_or(u64::MAX);
    if connections.saturating_add(OTHERS) <= limit {
        return Ok(());
    }
    Err(Failure::bad_input(format_args!(
        "{connections} connections need {} open files, and this process may have {limit}: raise \
         the hard limit (`ulimit -Hn`, as administrator) or ask for at most {} connections",
        connections.saturating_add(OTHERS),
        limit.saturating_sub(OTHERS),
    )))
}
