//! Questions and options of a socket that fail say what was asked of which fd, and keep kind and errno.

use std::fmt::Debug;
use std::future::poll_fn;
use std::io;
use std::net;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net as unix;
use std::time::Duration;

use reactor::net::{
    Keepalive, TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener,
    UnixSocket, UnixStream,
};
use reactor::{Async, errno_of};
use socket2::{Domain, SockRef, Socket, Type};

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

/// The error names option, value and range, and what held before still holds.
#[track_caller]
fn refuses<R: PartialEq + Debug>(
    name: &str,
    range: &str,
    set: io::Result<()>,
    get: impl Fn() -> io::Result<R>,
    before: &R,
) {
    let Err(error) = set else {
        panic!("{name} is cut: {:?}", get());
    };
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    let text = error.to_string();
    assert!(text.contains(name) && text.contains(range), "{text}");
    assert_eq!(&get().expect("it is asked"), before, "{text}");
}

/// Numbers that the kernel, or a cast on the way to it, would make others of.
#[test]
fn what_an_option_has_no_room_for_is_refused_and_not_cut() -> io::Result<()> {
    const BYTE: &str = "0 to 255";
    const TTL: &str = "1 to 255";
    const INT: &str = "0 to 2147483647";
    const SECONDS: &str = "to 32767 seconds";
    let (byte, int) = ([256, 257, 65_536, u32::MAX], [1 << 31, 1 << 32, usize::MAX]);
    let long = [
        Duration::from_secs(32_767) + Duration::from_nanos(1),
        Duration::from_secs(1 << 32),
        Duration::MAX,
    ];
    executor::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let tcp = TcpStream::connect(listener.local_addr()?).await?;
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        let (set_up, unix_set_up) = (TcpSocket::new_v4()?, UnixSocket::new()?);
        let (unix, _far) = UnixStream::pair()?;
        tcp.set_tos(0x10)?;
        udp.set_tos(0x10)?;
        set_up.set_tos(0x10)?;
        for number in byte {
            refuses("IP_TOS", BYTE, tcp.set_tos(number), || tcp.tos(), &0x10);
            refuses("IP_TOS", BYTE, udp.set_tos(number), || udp.tos(), &0x10);
            refuses(
                "IP_TOS",
                BYTE,
                set_up.set_tos(number),
                || set_up.tos(),
                &0x10,
            );
            let set = udp.set_multicast_ttl_v4(number);
            refuses("IP_MULTICAST_TTL", BYTE, set, || udp.multicast_ttl_v4(), &1);
            let bound = TcpListener::options().ttl(number).bind("[::1]:0").await;
            refuses("IPV6_UNICAST_HOPS", BYTE, bound.map(drop), || Ok(()), &());
        }
        for number in byte.into_iter().chain([0]) {
            refuses("IP_TTL", TTL, tcp.set_ttl(number), || tcp.ttl(), &64);
            refuses("IP_TTL", TTL, udp.set_ttl(number), || udp.ttl(), &64);
            let set = listener.set_ttl(number);
            refuses("IP_TTL", TTL, set, || listener.ttl(), &64);
            let bound = TcpListener::options().ttl(number).bind("127.0.0.1:0").await;
            refuses("IP_TTL", TTL, bound.map(drop), || Ok(()), &());
        }
        // Whatever is set before, so that a size that is cut is another.
        let (recv, send) = (set_up.recv_buffer_size()?, set_up.send_buffer_size()?);
        for bytes in int {
            let set = set_up.set_recv_buffer_size(bytes);
            refuses("SO_RCVBUF", INT, set, || set_up.recv_buffer_size(), &recv);
            let set = set_up.set_send_buffer_size(bytes);
            refuses("SO_SNDBUF", INT, set, || set_up.send_buffer_size(), &send);
            let send = unix_set_up.send_buffer_size()?;
            let set = unix_set_up.set_send_buffer_size(bytes);
            refuses(
                "SO_SNDBUF",
                INT,
                set,
                || unix_set_up.send_buffer_size(),
                &send,
            );
            let (recv, send) = (udp.recv_buffer_size()?, udp.send_buffer_size()?);
            let set = udp.set_recv_buffer_size(bytes);
            refuses("SO_RCVBUF", INT, set, || udp.recv_buffer_size(), &recv);
            let set = udp.set_send_buffer_size(bytes);
            refuses("SO_SNDBUF", INT, set, || udp.send_buffer_size(), &send);
            let (recv, send) = (unix.recv_buffer_size()?, unix.send_buffer_size()?);
            let set = unix.set_recv_buffer_size(bytes);
            refuses("SO_RCVBUF", INT, set, || unix.recv_buffer_size(), &recv);
            let set = unix.set_send_buffer_size(bytes);
            refuses("SO_SNDBUF", INT, set, || unix.send_buffer_size(), &send);
            for options in [
                TcpListener::options().recv_buffer_size(bytes),
                TcpListener::options().send_buffer_size(bytes),
            ] {
                let bound = options.bind("127.0.0.1:0").await.map(drop);
                refuses("BUF", INT, bound, || Ok(()), &());
            }
        }
        for long in long {
            let set = tcp.set_linger(Some(long));
            refuses("SO_LINGER", SECONDS, set, || tcp.linger(), &None);
            let set = set_up.set_linger(Some(long));
            refuses("SO_LINGER", SECONDS, set, || set_up.linger(), &None);
        }
        let keepalives = long.into_iter().chain([Duration::ZERO]).flat_map(|time| {
            let chosen = Keepalive::new();
            [
                ("keepalive time", SECONDS, chosen.time(time)),
                ("keepalive interval", SECONDS, chosen.interval(time)),
            ]
        });
        let retries = [0, 128, 256, 65_537, u32::MAX].into_iter().map(|retries| {
            let chosen = Keepalive::new().retries(retries);
            ("keepalive retries", "1 to 127", chosen)
        });
        for (name, range, chosen) in keepalives.chain(retries) {
            let set = tcp.set_keepalive(Some(chosen));
            refuses(name, range, set, || tcp.keepalive(), &None);
            let set = set_up.set_keepalive(Some(chosen));
            refuses(name, range, set, || set_up.keepalive(), &None);
            let bound = TcpListener::options()
                .keepalive(chosen)
                .bind("127.0.0.1:0")
                .await;
            refuses(name, range, bound.map(drop), || Ok(()), &());
        }
        // The ends of the ranges are within them.
        for byte in [1, 255] {
            tcp.set_ttl(byte)?;
            udp.set_multicast_ttl_v4(byte)?;
        }
        udp.set_tos(255)?;
        tcp.set_linger(Some(Duration::from_secs(32_767)))?;
        assert_eq!(tcp.linger()?, Some(Duration::from_secs(32_767)));
        tcp.set_linger(None)?;
        let most = Keepalive::new().retries(127);
        let most = most
            .time(Duration::from_secs(32_767))
            .interval(Duration::from_secs(32_767));
        tcp.set_keepalive(Some(most))?;
        assert_eq!(tcp.keepalive()?, Some(most));
        set_up.set_recv_buffer_size(i32::MAX as usize)?;
        Ok(())
    })?
}

/// Whichever errno the kernel has for it.
#[test]
fn who_accepts_on_what_does_not_listen_is_told_what_to_do() -> io::Result<()> {
    executor::block_on(async {
        let does_not = "does not listen; have it listen first";
        let idle = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let tcp = TcpListener::from_std(idle.into())?;
        refused(&tcp, does_not, tcp.try_accept());
        refused(&tcp, does_not, tcp.accept().await);
        refused(&tcp, does_not, poll_fn(|cx| tcp.poll_accept(cx)).await);
        let datagrams = net::UdpSocket::bind("127.0.0.1:0")?;
        let udp = TcpListener::from_std(OwnedFd::from(datagrams).into())?;
        refused(&udp, does_not, udp.accept().await);
        let (near, _far) = unix::UnixStream::pair()?;
        let unix = UnixListener::from_std(OwnedFd::from(near).into())?;
        refused(&unix, does_not, unix.try_accept());
        // It did.
        let closed = TcpListener::bind("127.0.0.1:0").await?;
        SockRef::from(&closed).shutdown(net::Shutdown::Both)?;
        refused(&closed, does_not, closed.accept().await);
        let pipe = TcpListener::from_std(net::TcpListener::from(none()?))?;
        refused(&pipe, "accept", pipe.accept().await);
        let error = UnixSocket::new()?.listen(1).expect_err("it has no name");
        assert!(error.to_string().starts_with("listen on fd "), "{error}");
        Ok(())
    })?
}
