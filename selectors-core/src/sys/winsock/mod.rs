//! The calls of Winsock: those of the other systems, as far as they are there, under the same names
//! and with the same arguments. What differs is said at each.

mod address;
pub mod clock;
pub mod console;
pub mod fd;
pub mod select;
pub mod socket;
#[cfg(test)]
pub(crate) mod testing;

use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use windows_sys::Win32::Networking::WinSock as ws;

pub use address::Address;

/// WSAStartup(), once for the process; before it, every other call fails.
///
/// # Errors
///
/// WSASYSNOTREADY, WSAVERNOTSUPPORTED, WSAEPROCLIM.
pub fn startup() -> io::Result<()> {
    static STARTED: OnceLock<i32> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let mut data = MaybeUninit::<ws::WSADATA>::zeroed();
        // SAFETY: the call writes one WSADATA, which is ours.
        unsafe { ws::WSAStartup(0x0202, data.as_mut_ptr()) }
    });
    match *started {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// WSAGetLastError().
pub(super) fn last_error() -> io::Error {
    // SAFETY: takes nothing and reads what the last call has left for this thread.
    io::Error::from_raw_os_error(unsafe { ws::WSAGetLastError() })
}

/// The handle of a number: a handle is signed, and wider than what counts of it.
fn handle(fd: crate::os::RawFd) -> ws::SOCKET {
    fd as isize as ws::SOCKET
}
