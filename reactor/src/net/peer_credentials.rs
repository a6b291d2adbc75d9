//! Who made the other end of a Unix connection.

use std::io;
use std::os::fd::AsFd;

use selectors_core::sys::socket;

use crate::net::UnixStream;
use crate::net::asked::get;

/// Who made the other end of a Unix connection, or had it listen; fixed at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The number of the process; `None` if it has none that we could use, because it is outside
    /// of our namespace (pid_namespaces(7)). It may have ended, and the number may mean another by
    /// now.
    pub pid: Option<i32>,
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl UnixStream {
    /// Who made the other end (`SO_PEERCRED`).
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    ///
    /// ```
    /// use reactor::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (near, _far) = UnixStream::pair()?;
    ///     assert_eq!(near.peer_credentials()?.pid, Some(std::process::id() as i32));
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn peer_credentials(&self) -> io::Result<PeerCredentials> {
        let peer = get(self, "SO_PEERCRED", || socket::so_peercred(self.as_fd()));
        peer.map(PeerCredentials::from)
    }
}

impl From<libc::ucred> for PeerCredentials {
    fn from(peer: libc::ucred) -> Self {
        PeerCredentials {
            pid: Some(peer.pid).filter(|pid| *pid != 0),
            uid: peer.uid,
            gid: peer.gid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_without_a_number_has_a_user_and_a_group() {
        let outside = libc::ucred {
            pid: 0,
            uid: 7,
            gid: 8,
        };
        let peer = PeerCredentials::from(outside);
        assert_eq!((peer.pid, peer.uid, peer.gid), (None, 7, 8));
    }
}
