//! Every errno that the table of `ERRNO.md` lists is answered to the call once, in the kernel's
//! place, and what the table says becomes of it.
#![cfg(unix)]

use std::cell::Cell;
use std::io::{self, IoSlice, IoSliceMut};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::zip;
use reactor::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use reactor::time::sleep;
use reactor::{Async, Reactor, errno_of, process};
use selectors_core::sys::fault;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pair};

on_every_backend!(
    every_errno_becomes_what_the_table_says,
    a_listener_that_is_none_says_so,
    who_refuses_every_connection_is_not_asked_without_end,
    a_try_passes_over_lost_connections,
    every_error_of_a_name_keeps_its_errno,
);

fn number_of(name: &str) -> i32 {
    macro_rules! numbers {
        ($($name:ident)*) => { match name { $(stringify!($name) => libc::$name,)* _ => panic!("{name}: no such errno here") } };
    }
    numbers!(
        EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNABORTED ECONNREFUSED
        ECONNRESET EDESTADDRREQ EFAULT EHOSTDOWN EHOSTUNREACH EINPROGRESS EINTR EINVAL EISCONN ELOOP
        EMFILE EMSGSIZE ENAMETOOLONG ENETDOWN ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOMEM ENONET
        ENOPROTOOPT ENOSYS ENOTCONN ENOTDIR ENOTSOCK ENOTTY EOPNOTSUPP EPERM EPIPE EPROTO
        EPROTONOSUPPORT EPROTOTYPE EROFS ESRCH ETIMEDOUT
    )
}

fn file() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("errno-{}-{next}", std::process::id()))
}

/// An operation that makes the call, and nothing else, once it has been told that it fails.
async fn attempt(call: &str, fail: impl Fn(&'static str)) -> io::Result<()> {
    match call {
        "socket" => {
            fail("socket");
            TcpListener::bind("127.0.0.1:0").await.map(drop)
        }
        "bind" => {
            fail("bind");
            TcpListener::bind("127.0.0.1:0").await.map(drop)
        }
        "listen" => {
            fail("listen");
            TcpListener::bind("127.0.0.1:0").await.map(drop)
        }
        "connect" => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            fail("connect");
            TcpStream::connect(listener.local_addr()?).await.map(drop)
        }
        "connect unix" => {
            let path = file();
            let _listener = UnixListener::bind(&path)?;
            fail("connect");
            UnixStream::connect(&path).await.map(drop)
        }
        "accept4" => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let _client = TcpStream::connect(listener.local_addr()?).await?;
            fail("accept4");
            // By edge, who was told WouldBlock hears of the next one only.
            let next = async {
                sleep(Duration::from_millis(1)).await;
                TcpStream::connect(listener.local_addr()?).await
            };
            zip(listener.accept(), next).await.0.map(drop)
        }
        "recv" => {
            let (near, far) = pair().await?;
            near.write_all(b"x").await?;
            fail("recv");
            let next = async {
                sleep(Duration::from_millis(1)).await;
                near.write_all(b"x").await
            };
            zip(far.read(&mut [0; 1]), next).await.0.map(drop)
        }
        "recvmsg" => {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.send_to(b"x", socket.local_addr()?).await?;
            fail("recvmsg");
            socket.recv_from(&mut [0; 1]).await?;
            let (near, far) = UnixStream::pair()?;
            near.write_all(b"x").await?;
            let mut buffer = [0; 1];
            let mut into = [IoSliceMut::new(&mut buffer)];
            far.read_vectored(&mut into).await.map(drop)
        }
        "send" => {
            // Not the end that has waited for its connection: its edge is over.
            let (_near, far) = pair().await?;
            fail("send");
            far.write(b"x").await.map(drop)
        }
        "sendmsg" => {
            let (_near, far) = pair().await?;
            fail("sendmsg");
            far.write_vectored(&[IoSlice::new(b"x")]).await.map(drop)
        }
        "sendto unix" => {
            let (socket, path) = (UnixDatagram::unbound()?, file());
            let _peer = UnixDatagram::bind(&path)?;
            fail("sendto");
            socket.send_to(b"x", &path).await.map(drop)
        }
        "getsockopt" => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            // Else it may be connected at once, and there is nothing to ask.
            fault::inject("connect", libc::EINPROGRESS);
            fail("getsockopt");
            TcpStream::connect(listener.local_addr()?).await.map(drop)
        }
        "ioctl_fionbio" => {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
            fail("ioctl_fionbio");
            UdpSocket::from_std(socket).map(drop)
        }
        "poll" => {
            let (near, far) = std::os::unix::net::UnixStream::pair()?;
            let near = Async::nonblocking(near)?;
            drop(far);
            fail("poll");
            near.exceptional().await.map(drop)
        }
        "prctl" => {
            fail("prctl");
            Reactor::builder().precise(true).build().map(drop)
        }
        "pidfd_open" => {
            fail("pidfd_open");
            let mut child = process::spawn(&mut Command::new("true"))?;
            child.wait().await.map(drop)
        }
        _ => panic!("{call}: the table has a call that the test does not make"),
    }
}

/// The rows of the second table: call, errno, what we do.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let table = include_str!("../ERRNO.md");
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        match cells[..] {
            ["", call, errnos, what, ""] if errnos.starts_with('E') => Some((call, errnos, what)),
            _ => None,
        }
    });
    rows.flat_map(|(call, errnos, what)| errnos.split(' ').map(move |errno| (call, errno, what)))
}

fn every_errno_becomes_what_the_table_says(variant: Variant) -> io::Result<()> {
    assert!(rows().count() > 100, "the table is read");
    for (call, errno, what) in rows() {
        let number = number_of(errno);
        variant.block_on(async {
            let name = Cell::new("");
            let calls = Cell::new(0);
            let start = Instant::now();
            let result = attempt(call, |name_of_call| {
                fault::inject(name_of_call, number);
                name.set(name_of_call);
                calls.set(fault::count(name_of_call));
            })
            .await;
            let calls = fault::count(name.get()) - calls.get();
            let case = format!("{call} {errno}: {result:?} after {calls} calls");
            match what {
                "report" => {
                    let error = result.expect_err(&case);
                    assert_eq!(errno_of(&error), Some(number), "{case}");
                }
                "wait" | "fall back" => result.expect(&case),
                "retry" | "pass over" => {
                    result.expect(&case);
                    assert!(calls >= 2, "{case}");
                }
                "pause" => {
                    result.expect(&case);
                    assert!(start.elapsed() >= Duration::from_millis(50), "{case}");
                }
                _ => panic!("{what}: the table has a word that the test does not know"),
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn a_listener_that_is_none_says_so(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let udp = std::os::fd::OwnedFd::from(std::net::UdpSocket::bind("127.0.0.1:0")?);
        let listener = TcpListener::from_std(udp.into())?;
        for error in [listener.accept().await, listener.try_accept()] {
            let error = error.expect_err("it cannot");
            assert_eq!(errno_of(&error), Some(libc::EOPNOTSUPP), "{error}");
            assert!(error.to_string().contains("does not listen"), "{error}");
        }
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        let listener = TcpListener::from_std(socket.into())?;
        let error = listener.accept().await.expect_err("it does not");
        assert_eq!(errno_of(&error), Some(libc::EINVAL), "{error}");
        Ok(())
    })
}

fn who_refuses_every_connection_is_not_asked_without_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let _client = TcpStream::connect(listener.local_addr()?).await?;
        let start = Instant::now();
        (0..150).for_each(|_| fault::inject("accept4", libc::EPERM));
        listener.accept().await?;
        assert!(
            start.elapsed() >= Duration::from_millis(100),
            "it pauses twice"
        );
        Ok(())
    })
}

fn a_try_passes_over_lost_connections(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let _client = TcpStream::connect(listener.local_addr()?).await?;
        fault::inject("accept4", libc::ENONET);
        fault::inject("accept4", libc::EPERM);
        listener.try_accept()?;
        (0..200).for_each(|_| fault::inject("accept4", libc::EPERM));
        let error = listener.try_accept().expect_err("all are refused");
        assert_eq!(errno_of(&error), Some(libc::EPERM));
        fault::clear();
        Ok(())
    })
}

fn every_error_of_a_name_keeps_its_errno(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let first = TcpListener::bind("127.0.0.1:0").await?;
        let address = first.local_addr()?;
        let taken = TcpListener::bind(address).await.expect_err("it is taken");
        assert_eq!(errno_of(&taken), Some(libc::EADDRINUSE), "{taken}");
        let taken = UdpSocket::bind("192.0.2.1:1").await.expect_err("not ours");
        assert_eq!(errno_of(&taken), Some(libc::EADDRNOTAVAIL), "{taken}");
        drop(first);
        let refused = TcpStream::connect(address)
            .await
            .expect_err("nobody listens");
        assert_eq!(errno_of(&refused), Some(libc::ECONNREFUSED), "{refused}");
        let path = file();
        let nobody = UnixStream::connect(&path)
            .await
            .expect_err("nobody is there");
        assert_eq!(errno_of(&nobody), Some(libc::ENOENT), "{nobody}");
        let (udp, unix) = (
            UdpSocket::bind("127.0.0.1:0").await?,
            UnixDatagram::bind(&path)?,
        );
        let long = vec![0; 70_000];
        let too_long = udp.send_to(&long, address).await.expect_err("too long");
        assert_eq!(errno_of(&too_long), Some(libc::EMSGSIZE), "{too_long}");
        let long = vec![0; 10_000_000];
        let too_long = unix.send_to(&long, &path).await.expect_err("too long");
        assert_eq!(errno_of(&too_long), Some(libc::EMSGSIZE), "{too_long}");
        // Options say which they are.
        for keepalive in [
            reactor::net::Keepalive::new().time(Duration::from_secs(40_000)),
            reactor::net::Keepalive::new().time(Duration::ZERO),
            reactor::net::Keepalive::new().interval(Duration::from_secs(40_000)),
            reactor::net::Keepalive::new().retries(1000),
        ] {
            let listener = TcpListener::options().keepalive(keepalive);
            let error = listener
                .bind("127.0.0.1:0")
                .await
                .expect_err("beyond limits");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().contains("keepalive"), "{error}");
        }
        let (near, _far) = pair().await?;
        let moment = Duration::from_millis(300);
        near.set_keepalive(Some(reactor::net::Keepalive::new().time(moment)))?;
        let chosen = near.keepalive()?.expect("it is on");
        assert_eq!(chosen, chosen.time(Duration::from_secs(1)), "rounded up");
        near.set_linger(Some(moment))?;
        assert_eq!(near.linger()?, Some(Duration::from_secs(1)), "no reset");
        Ok(())
    })
}
