//! The places where the systems differ: accepting in one call or in three, full lengths of
//! datagrams, credentials of a peer, names without a file, fds of child processes.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags, SocketAddrAny};
use socket2::{Socket, TcpKeepalive};

/// How everything is sent: a peer that is gone is an error, not a signal.
#[cfg(not(target_vendor = "apple"))]
pub(crate) const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// Apple has no such flag. The runtime of std ignores SIGPIPE when a Rust program starts.
#[cfg(target_vendor = "apple")]
pub(crate) const NO_SIGNAL: SendFlags = SendFlags::empty();

/// One accepted connection, non-blocking and closed by exec, and where it comes from.
pub(crate) type Accepted = (OwnedFd, Option<SocketAddrAny>);

/// accept4(2): one system call where accept(2) needs two more.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn accept(listener: &impl AsFd) -> io::Result<Accepted> {
    use rustix::net::SocketFlags;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(rustix::net::acceptfrom_with(listener, flags)?)
}

/// accept(2), and the two flags by hand.
#[cfg(target_vendor = "apple")]
pub(crate) fn accept(listener: &impl AsFd) -> io::Result<Accepted> {
    let (socket, from) = rustix::net::acceptfrom(listener)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok((socket, from))
}

/// Asks recvmsg(2) to tell the length that a datagram had before it was cut.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const FULL_LENGTH: RecvFlags = RecvFlags::TRUNC;

/// Only Linux tells the full length; elsewhere that it was cut.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const FULL_LENGTH: RecvFlags = RecvFlags::empty();

/// Adds interval and number of the questions to a socket's keepalive.
#[cfg(not(any(target_os = "openbsd", target_os = "solaris")))]
pub(crate) fn keepalive_pace(
    mut keepalive: TcpKeepalive,
    interval: Option<Duration>,
    retries: Option<u32>,
) -> io::Result<TcpKeepalive> {
    if let Some(interval) = interval {
        keepalive = keepalive.with_interval(interval);
    }
    if let Some(retries) = retries {
        keepalive = keepalive.with_retries(retries);
    }
    Ok(keepalive)
}

/// OpenBSD and Solaris set both for the whole system.
#[cfg(any(target_os = "openbsd", target_os = "solaris"))]
pub(crate) fn keepalive_pace(
    keepalive: TcpKeepalive,
    interval: Option<Duration>,
    retries: Option<u32>,
) -> io::Result<TcpKeepalive> {
    match (interval, retries) {
        (None, None) => Ok(keepalive),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Time, interval and retries of a socket's keepalive, where they can be asked for.
#[cfg(not(any(target_os = "openbsd", target_os = "solaris")))]
pub(crate) fn keepalive_of(
    socket: &Socket,
) -> io::Result<(Option<Duration>, Option<Duration>, Option<u32>)> {
    let time = socket.tcp_keepalive_time()?;
    let interval = socket.tcp_keepalive_interval()?;
    Ok((
        Some(time),
        Some(interval),
        Some(socket.tcp_keepalive_retries()?),
    ))
}

/// They cannot be asked for.
#[cfg(any(target_os = "openbsd", target_os = "solaris"))]
pub(crate) fn keepalive_of(
    _: &Socket,
) -> io::Result<(Option<Duration>, Option<Duration>, Option<u32>)> {
    Ok((None, None, None))
}

/// Lets several sockets listen on one port (`SO_REUSEPORT`).
#[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
pub(crate) fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// illumos and Solaris have no such option.
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
pub(crate) fn reuse_port(_: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Lowers the timer slack of this thread to a nanosecond, prctl(2), so that the kernel does not
/// gather its wake-ups with those of others.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn precise_timers() -> io::Result<()> {
    Ok(rustix::thread::set_current_timer_slack(
        std::num::NonZeroU64::new(1),
    )?)
}

/// Other systems have no such setting, and add no slack that could be taken away.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn precise_timers() -> io::Result<()> {
    Ok(())
}

/// An fd that is readable when the child has ended, and that no other process can take over.
#[cfg(all(feature = "process", any(target_os = "linux", target_os = "android")))]
pub(crate) fn pidfd(child: &std::process::Child) -> io::Result<OwnedFd> {
    use rustix::process::{Pid, PidfdFlags};
    let pidfd = rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    Ok(pidfd)
}

/// Only Linux has them; elsewhere SIGCHLD must do.
#[cfg(all(
    feature = "process",
    not(any(target_os = "linux", target_os = "android"))
))]
pub(crate) fn pidfd(_: &std::process::Child) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use linux::{PeerCredentials, abstract_address};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::{from_abstract, to_abstract};

/// No such names here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn from_abstract(
    _: &rustix::net::SocketAddrUnix,
) -> Option<io::Result<std::os::unix::net::SocketAddr>> {
    None
}

/// No such names here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn to_abstract(
    _: &std::os::unix::net::SocketAddr,
) -> Option<io::Result<rustix::net::SocketAddrUnix>> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::io;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    use rustix::net::SocketAddrUnix;

    use crate::net::UnixStream;

    /// Who made the other end of a Unix connection, or had it listen; fixed at that moment.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct PeerCredentials {
        /// The number of the process. It may have ended, and the number may mean another by now.
        pub pid: i32,
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
        ///     assert_eq!(near.peer_credentials()?.pid, std::process::id() as i32);
        ///     std::io::Result::Ok(())
        /// })??;
        /// # std::io::Result::Ok(())
        /// ```
        pub fn peer_credentials(&self) -> io::Result<PeerCredentials> {
            let peer = rustix::net::sockopt::socket_peercred(&self.io)?;
            Ok(PeerCredentials {
                pid: peer.pid.as_raw_nonzero().get(),
                uid: peer.uid.as_raw(),
                gid: peer.gid.as_raw(),
            })
        }
    }

    /// An address without a file: a name that lives as long as its socket (unix(7), "abstract").
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a name of more than 107 bytes.
    pub fn abstract_address(name: impl AsRef<[u8]>) -> io::Result<SocketAddr> {
        SocketAddr::from_abstract_name(name)
    }

    pub(crate) fn from_abstract(address: &SocketAddrUnix) -> Option<io::Result<SocketAddr>> {
        // An empty one is how an address without any name looks.
        let name = address.abstract_name().filter(|name| !name.is_empty())?;
        Some(SocketAddr::from_abstract_name(name))
    }

    pub(crate) fn to_abstract(address: &SocketAddr) -> Option<io::Result<SocketAddrUnix>> {
        let name = address.as_abstract_name()?;
        Some(SocketAddrUnix::new_abstract_name(name).map_err(io::Error::from))
    }
}
