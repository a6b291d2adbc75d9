//! One look at one fd, without a selector: what holds at this moment.

use std::io;

use crate::Readiness;
#[cfg(not(winsock))]
use crate::os::RawFd;
use crate::os::{AsFd, AsRawFd};
#[cfg(not(winsock))]
use crate::sys;

/// What poll(2) says about `fd` right now, asked for `interest`; it does not wait. On Windows it is what
/// `select` says.
///
/// An [`ERROR`](Readiness::ERROR) and a [`HANGUP`](Readiness::HANGUP) are told unasked. What is not
/// a condition that poll(2) knows is ignored, and where there is no POLLRDHUP so is
/// [`READ_CLOSED`](Readiness::READ_CLOSED).
///
/// # Errors
///
/// `ENOMEM`; poll(2) knows no other reason to refuse one open fd.
///
/// ```
/// use selectors_core::{Readiness, poll_now};
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
///
/// let (mut near, far) = UnixStream::pair()?;
/// let both = Readiness::READABLE | Readiness::WRITABLE;
/// assert_eq!(poll_now(&far, both)?, Readiness::WRITABLE);
/// near.write_all(b"x")?;
/// assert_eq!(poll_now(&far, both)?, both);
/// assert_eq!(poll_now(&far, Readiness::PRIORITY)?, Readiness::EMPTY);
/// # std::io::Result::Ok(())
/// ```
pub fn poll_now(fd: impl AsFd, interest: Readiness) -> io::Result<Readiness> {
    look(fd.as_fd().as_raw_fd(), interest)
}

#[cfg(winsock)]
use crate::kernel::look;

#[cfg(not(winsock))]
fn look(fd: RawFd, interest: Readiness) -> io::Result<Readiness> {
    let known = Readiness::READABLE | Readiness::WRITABLE | Readiness::PRIORITY;
    let closed = interest.bits() & Readiness::READ_CLOSED.bits() & sys::poll::RDHUP;
    let asked = interest.bits() & known.bits() | closed;
    let mut record = [sys::poll::record(fd, asked)];
    sys::uninterrupted(|| sys::poll::poll(&mut record, 0))?;
    Ok(Readiness::from_bits(record[0].revents as u16))
}
