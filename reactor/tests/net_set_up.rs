//! Sockets that are set up before they are used, names and numbers, and reads that append.

use std::io::{self, ErrorKind};
use std::net::{self, IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net as unix;
use std::time::Duration;

use futures_lite::future::{poll_once, zip};
use reactor::net::{
    Keepalive, TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener,
    UnixSocket, UnixStream, lookup_host,
};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pair};

on_every_backend!(
    a_socket_is_set_up_before_it_connects_or_listens,
    a_unix_socket_is_set_up_before_it_connects_or_listens,
    a_socket_that_is_refused_names_the_address,
    a_socket_that_is_dropped_while_it_connects_is_closed,
    bytes_are_appended_until_the_end,
    halves_lend_and_append,
    a_stream_moves_on_when_its_halves_are_gone,
    names_and_ports_are_an_address,
    the_sender_is_seen_and_its_datagram_stays,
    unix_datagrams_are_shut_down,
    the_type_of_service_is_told,
    numbers_and_conversions_have_the_names_of_std,
);

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn a_socket_is_set_up_before_it_connects_or_listens(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let socket = TcpSocket::new_v4()?;
        assert!(!socket.reuse_address()?);
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        assert!(socket.reuse_address()? && socket.reuse_port()?);
        socket.bind(any_port())?;
        let bound = socket.local_addr()?;
        let listener = socket.listen(16)?;
        assert_eq!(listener.local_addr()?, bound);

        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        socket.set_linger(Some(Duration::from_millis(1)))?;
        socket.set_recv_buffer_size(1 << 16)?;
        socket.set_send_buffer_size(1 << 16)?;
        socket.set_tos(0x10)?;
        let keepalive = Keepalive::new().time(Duration::from_secs(7));
        socket.set_keepalive(Some(keepalive))?;
        assert!(socket.nodelay()? && socket.take_error()?.is_none());
        assert_eq!(socket.linger()?, Some(Duration::from_secs(1)));
        assert!(socket.recv_buffer_size()? >= 1 << 16 && socket.send_buffer_size()? >= 1 << 16);
        assert!(socket.keepalive()?.is_some());
        socket.bind(any_port())?;
        let from = socket.local_addr()?;
        let client = socket.connect(bound).await?;
        let (server, came_from) = listener.accept().await?;
        assert_eq!((from, from), (client.local_addr()?, came_from));
        // What was set holds.
        assert!(client.nodelay()? && client.tos()? == 0x10);
        assert!(client.keepalive()?.is_some());
        client.set_linger(None)?;
        client.write_all(b"hi").await?;
        server.read_exact(&mut [0; 2]).await?;

        let socket = TcpSocket::new_v6()?;
        socket.set_only_v6(true)?;
        assert!(socket.only_v6()?);
        Ok(())
    })
}

fn a_unix_socket_is_set_up_before_it_connects_or_listens(variant: Variant) -> io::Result<()> {
    let name = |of: &str| {
        let file = format!("{of}-{}-{variant:?}", std::process::id());
        std::env::temp_dir().join(file)
    };
    let (servers, clients) = (name("set-up-server"), name("set-up-client"));
    variant.block_on(async {
        let mut socket = UnixSocket::new()?;
        let nameless = UnixSocket::new()?.listen(1).expect_err("it has no name");
        assert_eq!(nameless.kind(), ErrorKind::InvalidInput);
        socket.bind(&servers)?;
        assert_eq!(socket.local_addr()?.as_pathname(), Some(&*servers));
        let taken = UnixSocket::new()?.bind(&servers).expect_err("it is taken");
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        assert!(taken.to_string().contains("set-up-server"), "{taken}");
        let listener = socket.listen(1)?;

        let mut socket = UnixSocket::new()?;
        socket.set_send_buffer_size(1 << 16)?;
        assert!(socket.send_buffer_size()? >= 1 << 16 && socket.take_error()?.is_none());
        socket.bind(&clients)?;
        let client = socket.connect(&servers).await?;
        let (server, from) = listener.accept().await?;
        assert_eq!(from.as_pathname(), Some(&*clients));
        client.write_all(b"hi").await?;
        server.read_exact(&mut [0; 2]).await?;
        drop((client, listener));
        assert!(clients.exists() && !servers.exists());
        std::fs::remove_file(&clients)?;
        let gone = UnixSocket::new()?.connect(&servers).await;
        assert_eq!(
            gone.expect_err("nobody listens").kind(),
            ErrorKind::NotFound
        );
        Ok(())
    })
}

fn a_socket_that_is_refused_names_the_address(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind(any_port()).await?;
        let address = listener.local_addr()?;
        let taken = TcpSocket::new_v4()?.bind(address).expect_err("it is taken");
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        assert!(taken.to_string().contains(&address.to_string()), "{taken}");
        drop(listener);
        let refused = TcpSocket::new_v4()?.connect(address).await;
        let refused = refused.expect_err("nobody listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert!(
            refused.to_string().contains(&address.to_string()),
            "{refused}"
        );
        Ok(())
    })
}

fn a_socket_that_is_dropped_while_it_connects_is_closed(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(any_port()).await?;
        let connect = TcpSocket::new_v4()?.connect(listener.local_addr()?);
        let connected = poll_once(connect).await;
        drop(connected);
        assert_eq!(runtime.reactor().keys(), 0);
        io::Result::Ok(())
    })?
}

fn bytes_are_appended_until_the_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let sent = harness::pattern(7, 100_000);
        let sends = async {
            near.write_all(&sent).await?;
            near.shutdown(Shutdown::Write)
        };
        let appends = async {
            let mut bytes = b"before".to_vec();
            loop {
                match far.read_append(&mut bytes).await? {
                    0 => return io::Result::Ok(bytes),
                    some => assert!(some <= 16 << 10),
                }
            }
        };
        let (sends, bytes) = zip(sends, appends).await;
        sends?;
        let bytes = bytes?;
        assert!(bytes.starts_with(b"before") && bytes[6..] == sent);
        Ok(())
    })
}

fn halves_lend_and_append(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let (reader, _writer) = far.into_split();
        near.write_all(b"lent").await?;
        assert_eq!(reader.read_lent(<[u8]>::to_vec).await?, b"lent");
        let mut bytes = Vec::new();
        // Given up, it has taken nothing.
        assert!(poll_once(reader.read_append(&mut bytes)).await.is_none());
        near.write_all(b"more").await?;
        assert_eq!(
            (reader.read_append(&mut bytes).await?, &*bytes),
            (4, &b"more"[..])
        );
        Ok(())
    })
}

fn a_stream_moves_on_when_its_halves_are_gone(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        {
            let (reader, writer) = near.split();
            let (read, written) = zip(reader.read_lent(<[u8]>::len), async {
                writer.write_all(b"ping").await?;
                far.write_all(b"pong").await
            })
            .await;
            written?;
            assert_eq!(read?, 4);
        }
        // The halves have not ended it, and it is its owner's.
        let moved = executor::spawn(async move { near.write_all(b"on").await });
        moved.await.expect("it ends")?;
        let mut bytes = [0; 6];
        far.read_exact(&mut bytes).await?;
        assert_eq!(&bytes, b"pingon");
        Ok(())
    })
}

fn names_and_ports_are_an_address(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1".to_owned(), 0)).await?;
        let port = listener.local_addr()?.port();
        TcpStream::connect(("127.0.0.1", port)).await?;
        TcpStream::connect(("localhost".to_owned(), port)).await?;
        TcpStream::connect(&("127.0.0.1".to_owned(), port)).await?;
        assert_eq!(lookup_host(any_port()).await?, [any_port()]);
        let found = lookup_host("localhost:7").await?;
        assert!(found.contains(&SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7)));
        let error = lookup_host("no such host:7")
            .await
            .expect_err("no name has spaces");
        assert!(error.to_string().contains("no such host"), "{error}");
        for no_port in ["localhost", "", "localhost:99999", "localhost:http"] {
            let error = lookup_host(no_port).await.expect_err("it has no port");
            assert!(error.to_string().contains("no host:port"), "{error}");
        }
        Ok(())
    })
}

fn the_sender_is_seen_and_its_datagram_stays(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (ours, theirs) = (
            UdpSocket::bind(any_port()).await?,
            UdpSocket::bind(any_port()).await?,
        );
        assert!(poll_once(ours.peek_sender()).await.is_none());
        let sent = async {
            executor::yield_now().await;
            theirs.send_to(b"hello", ours.local_addr()?).await
        };
        let (seen, sent) = zip(ours.peek_sender(), sent).await;
        assert_eq!((seen?, sent?), (theirs.local_addr()?, 5));
        assert_eq!(ours.peek_sender().await?, theirs.local_addr()?);
        assert_eq!(ours.recv(&mut [0; 8]).await?.len(), 5);
        Ok(())
    })
}

fn unix_datagrams_are_shut_down(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixDatagram::pair()?;
        far.shutdown(Shutdown::Read)?;
        let error = near.send(b"x").await.expect_err("nobody reads");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        // Who waits for readiness is told.
        assert!(poll_once(near.readable()).await.is_none());
        let (told, shut) = zip(near.readable(), async {
            executor::yield_now().await;
            near.shutdown(Shutdown::Both)
        })
        .await;
        shut.and(told)?;
        let alone = UnixDatagram::unbound()?;
        let error = alone.shutdown(Shutdown::Both).err();
        assert!(error.is_none_or(|error| error.kind() == ErrorKind::NotConnected));
        Ok(())
    })
}

fn the_type_of_service_is_told(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let udp = UdpSocket::bind(any_port()).await?;
        udp.set_tos(0x08)?;
        assert_eq!(udp.tos()?, 0x08);
        let (tcp, _far) = pair().await?;
        tcp.set_tos(0x10)?;
        assert_eq!(tcp.tos()?, 0x10);
        Ok(())
    })
}

fn numbers_and_conversions_have_the_names_of_std(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let theirs = net::TcpListener::bind(any_port())?;
        let number = theirs.as_raw_fd();
        let ours = TcpListener::try_from(theirs)?;
        assert_eq!(ours.as_raw_fd(), number);
        let client = net::TcpStream::connect(ours.local_addr()?)?;
        let client = TcpStream::try_from(client)?;
        let number = client.as_raw_fd();
        let client = net::TcpStream::try_from(client)?;
        assert_eq!(client.as_raw_fd(), number);
        net::TcpListener::try_from(ours)?;
        let (tcp, unix) = (TcpSocket::new_v4()?, UnixSocket::new()?);
        assert_eq!(tcp.as_raw_fd(), tcp.as_fd().as_raw_fd());
        assert_eq!(unix.as_raw_fd(), unix.as_fd().as_raw_fd());
        let udp = UdpSocket::try_from(net::UdpSocket::bind(any_port())?)?;
        net::UdpSocket::try_from(udp)?;
        let (near, _far) = unix::UnixStream::pair()?;
        let near = UnixStream::try_from(near)?;
        unix::UnixStream::try_from(near)?;
        let (near, _far) = unix::UnixDatagram::pair()?;
        let near = UnixDatagram::try_from(near)?;
        unix::UnixDatagram::try_from(near)?;
        let file = std::env::temp_dir().join(format!("set-up-{}-{variant:?}", std::process::id()));
        let listener = unix::UnixListener::bind(&file)?;
        std::fs::remove_file(&file)?;
        unix::UnixListener::try_from(UnixListener::try_from(listener)?)?;
        Ok(())
    })
}
