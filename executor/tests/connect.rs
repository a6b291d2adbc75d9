//! Connecting and binding that cannot succeed, and names instead of numbers. Errors are typed,
//! and say which address they are about.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpStream as Blocking};
use std::time::{Duration, Instant};

use futures_lite::future::poll_once;
use reactor::net::{TcpListener, TcpStream};
use socket2::{Domain, Socket, Type};

#[macro_use]
mod harness;
use harness::{Variant, round_trip, serve_echo};

on_every_backend!(
    a_closed_port_refuses,
    a_full_backlog_times_out_and_not_early,
    a_connect_that_is_dropped_leaves_nothing,
    a_used_port_cannot_be_bound,
    every_address_is_tried,
    the_last_address_names_the_error,
    names_are_looked_up,
    what_is_no_address_is_refused,
);

/// A port that is taken, so that nobody else gets it, but on which nobody listens.
fn closed_port() -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = socket.local_addr()?.as_socket().expect("an IPv4 address");
    Ok((socket, address))
}

/// A listener that has no room for one more connection, and what fills it.
fn full_backlog() -> io::Result<(Socket, Vec<Socket>, SocketAddr)> {
    let (listener, address) = closed_port()?;
    listener.listen(0)?;
    let mut filling = Vec::new();
    // One that is still under way when all have had their chance: no more room.
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        // On loopback the answer comes within the call, but never as its result.
        let _ = socket.connect(&address.into());
        filling.push(socket);
    }
    let waiting = filling
        .iter()
        .filter(|socket| socket.peer_addr().is_err())
        .count();
    assert!(waiting > 0, "the backlog is not full");
    Ok((listener, filling, address))
}

fn a_closed_port_refuses(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (_port, address) = closed_port()?;
        let error = TcpStream::connect(address)
            .await
            .expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("connect to {address}: ")),
            "{text}"
        );
        assert_eq!(runtime.reactor().keys(), 0);
        Ok(())
    })?
}

fn a_full_backlog_times_out_and_not_early(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (_listener, _filling, address) = full_backlog()?;
        let limit = Duration::from_millis(150);
        let start = Instant::now();
        let error = TcpStream::connect_timeout(address, limit)
            .await
            .expect_err("no room");
        assert!(start.elapsed() >= limit);
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains("150ms"), "{error}");
        assert_eq!(runtime.reactor().keys(), 0, "the attempt was given up");
        Ok(())
    })?
}

fn a_connect_that_is_dropped_leaves_nothing(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (_listener, _filling, address) = full_backlog()?;
        let mut attempt = Box::pin(TcpStream::connect(address));
        assert!(poll_once(&mut attempt).await.is_none());
        assert_eq!(runtime.reactor().keys(), 1);
        drop(attempt);
        assert_eq!(runtime.reactor().keys(), 0);
        Ok(())
    })?
}

fn a_used_port_cannot_be_bound(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let error = TcpListener::bind(address)
            .await
            .expect_err("the port is used");
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let text = error.to_string();
        assert!(text.starts_with(&format!("bind {address}: ")), "{text}");
        // The next one of a list is taken.
        let other = TcpListener::bind(&[address, "127.0.0.1:0".parse().unwrap()][..]).await?;
        assert_ne!(other.local_addr()?.port(), address.port());
        Ok(())
    })
}

fn every_address_is_tried(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (_port, closed) = closed_port()?;
        let stream = TcpStream::connect(&[closed, serve_echo().await?][..]).await?;
        round_trip(&stream, b"the second one").await
    })
}

fn the_last_address_names_the_error(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let ((_one, first), (_two, last)) = (closed_port()?, closed_port()?);
        let error = TcpStream::connect(&[first, last][..])
            .await
            .expect_err("both are closed");
        assert!(error.to_string().contains(&last.to_string()), "{error}");
        let none: &[SocketAddr] = &[];
        let error = TcpStream::connect(none)
            .await
            .expect_err("no address at all");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        Ok(())
    })
}

fn names_are_looked_up(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("localhost:0").await?;
        let address = listener.local_addr()?;
        assert!(address.ip().is_loopback());
        // The other end blocks, on a thread of its own; the kernel accepts into the backlog.
        Blocking::connect(address)?;
        listener.accept().await?;

        let port = serve_echo().await?.port();
        let stream = TcpStream::connect(("localhost", port)).await?;
        round_trip(&stream, b"by name and number").await?;
        let stream = TcpStream::connect(format!("localhost:{port}")).await?;
        round_trip(&stream, b"by text").await?;

        // Given up before the answer is there: nobody misses it, and nothing breaks.
        let _ = poll_once(TcpStream::connect(("localhost", port))).await;
        round_trip(&stream, b"and on").await
    })
}

fn what_is_no_address_is_refused(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for nonsense in [
            "",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:port",
            "127.0.0.1:70000",
        ] {
            let error = TcpStream::connect(nonsense).await.expect_err(nonsense);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{nonsense}: {error}");
        }
        Ok(())
    })
}
