//! Calls that any socket takes.

use std::io;
use std::os::windows::io::AsRawSocket;

use windows_sys::Win32::Networking::WinSock as ws;

use crate::os::BorrowedFd;

/// ioctlsocket() FIONBIO: shall calls say WouldBlock instead of waiting? The mode belongs to the
/// socket, so every duplicate of it sees it. Nobody can ask for it.
///
/// # Errors
///
/// WSAENOTSOCK.
pub fn ioctl_fionbio(socket: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    let mut nonblocking = u32::from(nonblocking);
    let (socket, pointer) = (socket.as_raw_socket() as ws::SOCKET, &raw mut nonblocking);
    // SAFETY: the request reads an u32, which lives until the call returns.
    unsafe { syscall!(ioctl_fionbio = ws::ioctlsocket(socket, ws::FIONBIO, pointer)) }?;
    Ok(())
}
