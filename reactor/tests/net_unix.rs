//! Unix sockets: streams, listeners and their files, abstract names, credentials, datagrams, and
//! the two full queues that the kernel offers no event for.
#![cfg(unix)]

use std::io::{self, ErrorKind, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, zip};
use reactor::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream, abstract_address};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pattern};

on_every_backend!(
    a_listener_serves_connections,
    incoming_is_a_stream_of_connections,
    the_file_goes_with_its_listener,
    the_file_stays_when_it_was_kept,
    a_file_that_replaced_ours_is_left_alone,
    abstract_names_need_no_file,
    every_socket_tells_its_address_and_its_peers_of_whatever_form,
    a_full_backlog_is_waited_for,
    the_peer_has_credentials,
    much_data_gets_through_a_pair,
    a_read_that_stops_behind_passed_fds_loses_nothing,
    datagrams_keep_their_bounds_and_names,
    a_cut_datagram_says_so,
    a_full_queue_of_a_connected_peer_is_waited_for,
    a_full_queue_of_any_peer_is_waited_for,
    errors_name_the_file,
);

/// A path that nobody else uses; the file is removed at the end, if it is still there.
struct Private(PathBuf);

impl Private {
    fn new() -> Private {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Private(env::temp_dir().join(format!("reactor-unix-{}-{number}", process::id())))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn a_listener_serves_connections(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let listener = UnixListener::bind(&path.0)?;
        assert_eq!(listener.local_addr()?.as_pathname(), Some(path.0.as_path()));
        let error = listener.try_accept().expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let (near, accepted) = zip(UnixStream::connect(&path.0), listener.accept()).await;
        let (near, (far, from)) = (near?, accepted?);
        assert!(from.is_unnamed());
        assert_eq!(near.peer_addr()?.as_pathname(), Some(path.0.as_path()));
        near.write_all(b"hello").await?;
        let mut buffer = [0; 8];
        assert_eq!(far.peek(&mut buffer).await?, 5);
        assert_eq!(far.read(&mut buffer).await?, 5);
        drop(near);
        assert_eq!(far.read(&mut buffer).await?, 0);
        Ok(())
    })
}

fn incoming_is_a_stream_of_connections(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let listener = UnixListener::bind(&path.0)?;
        let mut incoming = listener.incoming();
        for _ in 0..3 {
            let (near, far) = zip(UnixStream::connect(&path.0), incoming.next()).await;
            far.expect("the stream has no end")?.write_all(b"x").await?;
            assert_eq!(near?.read(&mut [0; 2]).await?, 1);
        }
        Ok(())
    })
}

fn the_file_goes_with_its_listener(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        for _ in 0..2 {
            let listener = UnixListener::bind(&path.0)?;
            let error = UnixListener::bind(&path.0).expect_err("it is taken");
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            drop(listener);
            assert!(!path.0.exists());
            let datagram = UnixDatagram::bind(&path.0)?;
            drop(datagram);
            assert!(!path.0.exists());
        }
        Ok(())
    })
}

fn the_file_stays_when_it_was_kept(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (one, other) = (Private::new(), Private::new());
        let mut kept = UnixListener::bind(&one.0)?;
        kept.keep_file();
        drop(kept);
        assert!(one.0.exists());
        let error = UnixStream::connect(&one.0)
            .await
            .expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let handed_out = UnixListener::bind(&other.0)?.into_std()?;
        drop(UnixListener::from_std(handed_out)?);
        assert!(other.0.exists());
        Ok(())
    })
}

fn a_file_that_replaced_ours_is_left_alone(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let old = UnixListener::bind(&path.0)?;
        fs::remove_file(&path.0)?;
        let new = UnixListener::bind(&path.0)?;
        drop(old);
        assert!(path.0.exists(), "the new one's file");
        UnixStream::connect(&path.0).await?;
        drop(new);
        assert!(!path.0.exists());
        Ok(())
    })
}

fn abstract_names_need_no_file(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let name = path.0.to_string_lossy().into_owned();
        let address = abstract_address(&name)?;
        let listener = UnixListener::bind_addr(&address)?;
        assert!(!path.0.exists());
        let (near, accepted) = zip(UnixStream::connect_addr(&address), listener.accept()).await;
        accepted?.0.write_all(b"x").await?;
        assert_eq!(near?.read(&mut [0; 2]).await?, 1);
        drop(listener);
        let error = UnixStream::connect_addr(&address)
            .await
            .expect_err("the name went too");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(error.to_string().contains(&name), "{error}");

        // A sender with such a name is known by it.
        let (sender, receiver) = (
            UnixDatagram::bind_addr(&address)?,
            UnixDatagram::bind(&path.0)?,
        );
        sender.send_to(b"x", &path.0).await?;
        let (_, from) = receiver.recv_from(&mut [0; 2]).await?;
        receiver.send_to_addr(b"back", &from).await?;
        assert_eq!(sender.recv(&mut [0; 8]).await?.len(), 4);
        Ok(())
    })
}

/// A file, an abstract name, or nothing.
fn every_socket_tells_its_address_and_its_peers_of_whatever_form(
    variant: Variant,
) -> io::Result<()> {
    let file = |file: &Private| SocketAddr::from_pathname(&file.0);
    let name = |of: &str| abstract_address(format!("{of}-{variant:?}-{}", process::id()));
    let longest = |of: &str| {
        let name = format!("{of}-{variant:?}-{}", process::id());
        abstract_address(format!("{name:0<107}"))
    };
    let (servers, clients, datagrams) = (Private::new(), Private::new(), Private::new());
    variant.block_on(async {
        assert!(UnixSocket::new()?.local_addr()?.is_unnamed());
        assert!(UnixDatagram::unbound()?.local_addr()?.is_unnamed());
        for (server, client, datagram) in [
            (file(&servers)?, file(&clients)?, file(&datagrams)?),
            (name("server")?, name("client")?, name("datagram")?),
            // As long as they can be; std and the kernel agree about that.
            (longest("server")?, longest("client")?, longest("datagram")?),
        ] {
            let mut socket = UnixSocket::new()?;
            socket.bind_addr(&server)?;
            same(&socket.local_addr()?, &server);
            let listener = socket.listen(2)?;
            same(&listener.local_addr()?, &server);

            let mut socket = UnixSocket::new()?;
            socket.bind_addr(&client)?;
            same(&socket.local_addr()?, &client);
            let near = socket.connect_addr(&server).await?;
            same(&near.local_addr()?, &client);
            same(&near.peer_addr()?, &server);
            let (far, from) = listener.accept().await?;
            same(&from, &client);
            same(&far.local_addr()?, &server);
            same(&far.peer_addr()?, &client);

            let (named, nameless) = (
                UnixDatagram::bind_addr(&datagram)?,
                UnixDatagram::unbound()?,
            );
            same(&named.local_addr()?, &datagram);
            nameless.connect_addr(&datagram)?;
            same(&nameless.peer_addr()?, &datagram);
            named.send_to_addr(b"x", &datagram).await?;
            same(&named.recv_from(&mut [0; 2]).await?.1, &datagram);
            nameless.send(b"x").await?;
            assert!(named.recv_from(&mut [0; 2]).await?.1.is_unnamed());

            let near = UnixSocket::new()?.connect_addr(&server).await?;
            assert!(near.local_addr()?.is_unnamed());
            let (far, from) = listener.accept().await?;
            assert!(from.is_unnamed() && far.peer_addr()?.is_unnamed());
        }
        Ok(())
    })
}

/// Those of std cannot be compared.
fn same(one: &SocketAddr, other: &SocketAddr) {
    assert!(!one.is_unnamed());
    assert_eq!(
        (one.as_pathname(), one.as_abstract_name()),
        (other.as_pathname(), other.as_abstract_name())
    );
}

fn a_full_backlog_is_waited_for(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let std = std::os::unix::net::UnixListener::bind(&path.0)?;
        // listen(2) again sets the backlog anew.
        rustix::net::listen(&std, 1)?;
        let listener = UnixListener::from_std(std)?;
        let mut connected = Vec::new();
        let mut waiting = loop {
            assert!(connected.len() < 100, "the backlog has no end");
            let mut attempt = Box::pin(UnixStream::connect(&path.0));
            match poll_once(&mut attempt).await {
                Some(stream) => connected.push(stream?),
                None => break attempt,
            }
        };
        // Others go on meanwhile; the first accept makes room.
        for _ in 0..20 {
            executor::yield_now().await;
        }
        assert!(poll_once(&mut waiting).await.is_none());
        listener.accept().await?;
        waiting.await?.write_all(b"in").await
    })
}

fn the_peer_has_credentials(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let listener = UnixListener::bind(&path.0)?;
        let (near, far) = zip(UnixStream::connect(&path.0), listener.accept()).await;
        let (near, far) = (near?, far?.0);
        let ours = i32::try_from(process::id()).expect("a number of a process");
        for stream in [&near, &far] {
            let peer = stream.peer_credentials()?;
            assert_eq!(peer.pid, Some(ours));
            assert_eq!(peer.uid, rustix::process::getuid().as_raw());
            assert_eq!(peer.gid, rustix::process::getgid().as_raw());
        }
        Ok(())
    })
}

fn much_data_gets_through_a_pair(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let message = pattern(3, 5_000_000);
        let mut copy = vec![0; message.len()];
        let (sent, read) = zip(near.write_all(&message), far.read_exact(&mut copy)).await;
        sent.and(read)?;
        assert!(copy == message);
        Ok(())
    })
}

fn a_read_that_stops_behind_passed_fds_loses_nothing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let mut buffer = [0; 64];
        // Registered, and all that is known about it is up to date.
        assert!(poll_once(far.read(&mut buffer)).await.is_none());
        let fds = [near.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
        sendmsg(
            &near,
            &[IoSlice::new(b"with")],
            &mut control,
            SendFlags::empty(),
        )?;
        near.write_all(b"out").await?;
        executor::yield_now().await;
        // The kernel stops behind the message with fds, far from the end of the buffer.
        assert_eq!(far.read(&mut buffer).await?, 4);
        let rest = far.read(&mut buffer).await?;
        assert_eq!(&buffer[..rest], b"out");
        Ok(())
    })
}

fn datagrams_keep_their_bounds_and_names(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (one, other) = (Private::new(), Private::new());
        let (server, client) = (UnixDatagram::bind(&one.0)?, UnixDatagram::bind(&other.0)?);
        client.connect(&one.0)?;
        assert_eq!(client.peer_addr()?.as_pathname(), Some(one.0.as_path()));
        client.send(b"first").await?;
        client.send(b"second").await?;
        let mut buffer = [0; 64];
        let (received, from) = server.recv_from(&mut buffer).await?;
        assert_eq!(
            (received.len(), from.as_pathname()),
            (5, Some(other.0.as_path()))
        );
        assert_eq!(server.recv(&mut buffer).await?.len(), 6);
        server.send_to(b"answer", &other.0).await?;
        client.readable().await?;
        assert_eq!(client.try_recv(&mut buffer)?.len(), 6);
        // One without a name can send, but not be answered.
        let stranger = UnixDatagram::unbound()?;
        stranger.send_to(b"anonymous", &one.0).await?;
        let (_, from) = server.recv_from(&mut buffer).await?;
        assert!(from.is_unnamed());
        Ok(())
    })
}

fn a_cut_datagram_says_so(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixDatagram::pair()?;
        near.send(b"too long").await?;
        let mut buffer = [0; 4];
        let received = far.recv(&mut buffer).await?;
        assert!(received.is_truncated());
        assert_eq!((received.len(), received.full_len()), (4, 8));
        Ok(())
    })
}

/// Fills the queue of a peer; returns how many messages it took.
fn fill(mut send: impl FnMut() -> io::Result<usize>) -> usize {
    let mut sent = 0;
    loop {
        match send() {
            Ok(_) => sent += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert!(sent > 0);
                return sent;
            }
        }
    }
}

fn a_full_queue_of_a_connected_peer_is_waited_for(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixDatagram::pair()?;
        let sent = fill(|| near.try_send(b"x"));
        let mut waiting = Box::pin(near.send(b"late"));
        assert!(poll_once(&mut waiting).await.is_none());
        let mut buffer = [0; 8];
        let (late, ()) = zip(waiting, async {
            for _ in 0..sent {
                far.recv(&mut buffer).await.expect("they are there");
            }
        })
        .await;
        late?;
        assert_eq!(far.recv(&mut buffer).await?.len(), 4);
        Ok(())
    })
}

fn a_full_queue_of_any_peer_is_waited_for(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let (near, far) = (UnixDatagram::unbound()?, UnixDatagram::bind(&path.0)?);
        let address = far.local_addr()?;
        let sent = fill(|| near.try_send_to_addr(b"x", &address));
        let mut waiting = Box::pin(near.send_to(b"late", &path.0));
        assert!(poll_once(&mut waiting).await.is_none());
        let mut buffer = [0; 8];
        let (late, ()) = zip(waiting, async {
            for _ in 0..sent {
                far.recv(&mut buffer).await.expect("they are there");
            }
        })
        .await;
        late?;
        assert_eq!(far.recv(&mut buffer).await?.len(), 4);
        Ok(())
    })
}

fn errors_name_the_file(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let path = Private::new();
        let name = path.0.display().to_string();
        let error = UnixStream::connect(&path.0)
            .await
            .expect_err("no such file");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error
                .to_string()
                .starts_with(&format!("connect to \"{name}\": ")),
            "{error}"
        );
        let nowhere = path.0.join("below");
        let error = UnixListener::bind(&nowhere).expect_err("no such folder");
        assert!(
            error
                .to_string()
                .starts_with(&format!("bind \"{name}/below\": ")),
            "{error}"
        );
        let error = UnixDatagram::unbound()?
            .send_to(b"x", &path.0)
            .await
            .expect_err("no file");
        assert!(
            error
                .to_string()
                .starts_with(&format!("send to \"{name}\": ")),
            "{error}"
        );
        let too_long = "x".repeat(200);
        let error = UnixListener::bind(&too_long).expect_err("longer than an address");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&too_long), "{error}");
        Ok(())
    })
}
