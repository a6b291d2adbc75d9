//! select(), over counted lists of sockets.

use std::io;
use std::mem::offset_of;
use std::ptr;

use windows_sys::Win32::Networking::WinSock as ws;

use super::handle;
use crate::os::RawFd;
use crate::sys::acts;
use crate::table::give_back;

/// A set: how many sockets, and which. FD_SETSIZE is the length of C's type and no limit of the call,
/// which reads as many as the count says.
#[derive(Debug)]
pub struct Set(Vec<usize>);

// The count is in the first word, the sockets are in the others.
const _: () = assert!(
    offset_of!(ws::FD_SET, fd_count) == 0
        && offset_of!(ws::FD_SET, fd_array) == size_of::<usize>()
        && align_of::<ws::FD_SET>() == align_of::<usize>()
        && cfg!(target_endian = "little")
);

impl Default for Set {
    fn default() -> Set {
        Set(vec![0])
    }
}

impl Set {
    /// Takes all sockets out.
    pub fn clear(&mut self) {
        self.0.truncate(1);
        self.0[0] = 0;
    }

    /// Puts a socket in; nobody looks whether it is in already.
    pub fn insert(&mut self, socket: RawFd) {
        self.0.push(handle(socket));
        self.0[0] += 1;
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sockets that are in; after a call, those that are ready.
    pub fn sockets(&self) -> impl Iterator<Item = RawFd> {
        self.0[1..=self.len()].iter().map(|socket| *socket as RawFd)
    }

    /// Gives memory back, if there is much more than for so many sockets.
    pub(crate) fn give_back(&mut self, needed: usize) {
        give_back(&mut self.0, needed + 1);
    }

    fn len(&self) -> usize {
        // The call writes the count as 32 bits, into the lower half.
        self.0[0] as u32 as usize
    }
}

/// select() over these sets: readable, writable, exceptional. `None` waits for ever. What is left in
/// the sets is ready.
///
/// A failed connect is exceptional and nothing else, and so is urgent data.
///
/// # Errors
///
/// WSAEINVAL: the sets are all empty. WSAENOTSOCK: one of them is no socket, and it does not say which.
pub fn select(sets: [&mut Set; 3], timeout: Option<libc::timeval>) -> io::Result<usize> {
    let [read, write, except] = sets.map(|set| set.0.as_mut_ptr().cast::<ws::FD_SET>());
    let timeout = timeout.map(|timeout| ws::TIMEVAL {
        tv_sec: timeout.tv_sec,
        tv_usec: timeout.tv_usec,
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: of each set the call reads and writes the count and so many sockets, which are there;
    // the timeout lives until the call returns. The first argument means nothing here.
    let n = act!(acts::Select, unsafe {
        syscall!(select = ws::select(0, read, write, except, timeout))
    })?;
    Ok(n as usize)
}
