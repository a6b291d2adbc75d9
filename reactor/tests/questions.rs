//! Questions and options of a socket that fail say what was asked of which fd, and keep kind and errno.

use std::io;
use std::net;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net as unix;
use std::time::Duration;

use reactor::net::{
    Keepalive, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
};
use reactor::{Async, errno_of};

/// What is no socket: whatever is asked of it is refused.
fn none() -> io::Result<OwnedFd> {
    Ok(rustix::pipe::pipe()?.0)
}

/// The error names the fd and `what`.
#[track_caller]
fn refused<R>(of: &impl AsFd, what: &str, answer: io::Result<R>) {
    let Err(error) = answer else {
        panic!("{what} is answered");
    };
    let text = error.to_string();
    let fd = format!("fd {}", of.as_fd().as_raw_fd());
    assert!(text.contains(&fd) && text.contains(what), "{what}: {text}");
    let kernels = errno_of(&error).expect("it is the kernel's");
    assert_eq!(error.kind(), io::Error::from_raw_os_error(kernels).kind());
}

#[test]
fn what_was_asked_of_which_fd_is_said() -> io::Result<()> {
    executor::block_on(async {
        let tcp = TcpStream::from_std(net::TcpStream::from(none()?))?;
        refused(&tcp, "its address", tcp.local_addr());
        refused(&tcp, "the address of its peer", tcp.peer_addr());
        refused(&tcp, "its error", tcp.take_error());
        refused(&tcp, "down (Both)", tcp.shutdown(net::Shutdown::Both));
        refused(&tcp, "TCP_NODELAY", tcp.nodelay());
        refused(&tcp, "TCP_NODELAY", tcp.set_nodelay(true));
        refused(&tcp, "SO_LINGER", tcp.linger());
        refused(&tcp, "SO_LINGER", tcp.set_linger(Some(Duration::ZERO)));
        refused(&tcp, "SO_KEEPALIVE", tcp.keepalive());
        refused(
            &tcp,
            "SO_KEEPALIVE",
            tcp.set_keepalive(Some(Keepalive::new())),
        );
        refused(&tcp, "IP_TTL", tcp.ttl());
        refused(&tcp, "IP_TTL", tcp.set_ttl(7));
        refused(&tcp, "SO_RCVBUF", tcp.recv_buffer_size());
        refused(&tcp, "SO_RCVBUF", tcp.set_recv_buffer_size(7));
        refused(&tcp, "SO_SNDBUF", tcp.send_buffer_size());
        refused(&tcp, "SO_SNDBUF", tcp.set_send_buffer_size(7));

        let listener = TcpListener::from_std(net::TcpListener::from(none()?))?;
        refused(&listener, "its address", listener.local_addr());
        refused(&listener, "its error", listener.take_error());
        refused(&listener, "IP_TTL", listener.ttl());
        refused(&listener, "IP_TTL", listener.set_ttl(7));

        let udp = UdpSocket::from_std(net::UdpSocket::from(none()?))?;
        refused(&udp, "its address", udp.local_addr());
        refused(&udp, "the address of its peer", udp.peer_addr());
        refused(&udp, "its error", udp.take_error());
        refused(&udp, "SO_BROADCAST", udp.broadcast());
        refused(&udp, "SO_BROADCAST", udp.set_broadcast(true));
        refused(&udp, "IP_MULTICAST_TTL", udp.multicast_ttl_v4());
        refused(&udp, "IP_MULTICAST_TTL", udp.set_multicast_ttl_v4(7));
        refused(&udp, "IP_TTL", udp.ttl());
        refused(&udp, "IP_TTL", udp.set_ttl(7));

        let unix = UnixStream::from_std(unix::UnixStream::from(none()?))?;
        refused(&unix, "its address", unix.local_addr());
        refused(&unix, "the address of its peer", unix.peer_addr());
        #[cfg(any(target_os = "linux", target_os = "android"))]
        refused(&unix, "SO_PEERCRED", unix.peer_credentials());
        let listener = UnixListener::from_std(unix::UnixListener::from(none()?))?;
        refused(&listener, "its address", listener.local_addr());
        let datagrams = UnixDatagram::from_std(unix::UnixDatagram::from(none()?))?;
        refused(&datagrams, "its address", datagrams.local_addr());
        refused(&datagrams, "the address of its peer", datagrams.peer_addr());

        // The usual one: nobody is connected.
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        refused(&udp, "the address of its peer", udp.peer_addr());
        let kind = udp.peer_addr().expect_err("there is none").kind();
        assert_eq!(kind, io::ErrorKind::NotConnected);
        Ok(())
    })?
}

#[test]
fn a_registration_that_is_refused_names_the_call_and_the_fd() -> io::Result<()> {
    executor::block_on(async {
        let (near, _far) = unix::UnixStream::pair()?;
        let near = Async::nonblocking(near)?;
        selectors_core::sys::fault::inject("epoll_ctl", libc::ENOMEM);
        selectors_core::sys::fault::inject("ioctl_fionbio", libc::ENOMEM);
        refused(&near, "epoll_ctl", near.readable().await);
        let (other, _far) = unix::UnixStream::pair()?;
        let fd = other.try_clone()?;
        let error = Async::nonblocking(other).expect_err("it is refused");
        assert!(error.to_string().contains("non-blocking"), "{error}");
        assert_eq!(errno_of(&error), Some(libc::ENOMEM));
        drop(fd);
        Ok(())
    })?
}
