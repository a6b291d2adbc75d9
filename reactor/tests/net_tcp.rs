//! What can be done with TCP sockets: options before and after, vectors, peeking, halves, streams
//! of connections, and the way from and to std.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::time::Duration;

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, zip};
use reactor::net::{Keepalive, TcpListener, TcpStream};
use selectors_core::os::{AsFd, AsRawFd};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pair, pattern, round_trip};

on_every_backend!(
    a_backlog_of_one_refuses_to_fill,
    two_listeners_share_a_port_if_both_ask,
    an_ipv6_listener_can_leave_ipv4_alone,
    a_connection_starts_from_the_chosen_address,
    a_local_address_that_is_not_ours_names_itself,
    options_of_a_stream_hold,
    accepted_connections_inherit_options,
    incoming_is_a_stream_of_connections,
    try_accept_does_not_wait,
    outside_of_all_a_connection_is_of_its_listeners_reactor,
    vectors_are_read_and_written_in_order,
    peeking_leaves_the_bytes,
    an_idle_connection_needs_no_buffer,
    tries_do_not_wait_and_see_what_has_come,
    borrowed_halves_run_at_the_same_time,
    owned_halves_run_in_two_tasks_and_reunite,
    halves_of_two_streams_do_not_reunite,
    dropping_the_writing_half_ends_the_stream,
    shutting_reading_down_leaves_writing,
    a_read_after_one_that_was_given_up_finds_reading_shut_down,
    zero_linger_resets_the_peer,
    the_error_of_a_socket_can_be_taken,
    sockets_come_from_std_and_go_back,
);

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn a_backlog_of_one_refuses_to_fill(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::options().backlog(1).bind(any_port()).await?;
        let address = listener.local_addr()?;
        let mut connected = Vec::new();
        for _ in 0..16 {
            match TcpStream::connect_timeout(address, Duration::from_millis(100)).await {
                Ok(stream) => connected.push(stream),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::TimedOut);
                    // Accepting makes room again.
                    listener.accept().await?;
                    return TcpStream::connect(address).await.map(drop);
                }
            }
        }
        panic!("{} connections fit into a backlog of one", connected.len());
    })
}

fn two_listeners_share_a_port_if_both_ask(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let one = TcpListener::options()
            .reuse_port(true)
            .bind(any_port())
            .await?;
        let address = one.local_addr()?;
        let other = TcpListener::options()
            .reuse_port(true)
            .bind(address)
            .await?;
        assert_eq!(other.local_addr()?, address);
        let third = TcpListener::bind(address).await;
        assert_eq!(
            third.expect_err("it did not ask").kind(),
            ErrorKind::AddrInUse
        );
        // Whichever of the two the kernel chooses, the connection is served.
        let (near, accepted) = zip(
            TcpStream::connect(address),
            futures_lite::future::or(one.accept(), other.accept()),
        )
        .await;
        accepted?.0.write_all(b"x").await?;
        assert_eq!(near?.read(&mut [0; 2]).await?, 1);
        Ok(())
    })
}

fn an_ipv6_listener_can_leave_ipv4_alone(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let both = match TcpListener::options().only_v6(false).bind("[::]:0").await {
            Ok(both) => both,
            // This machine has no IPv6 at all.
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
            Err(error) => return Err(error),
        };
        let port = both.local_addr()?.port();
        TcpStream::connect(("127.0.0.1", port)).await?;
        drop(both);
        let six = TcpListener::options().only_v6(true).bind(("::", 0)).await?;
        let port = six.local_addr()?.port();
        let error = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect_err("IPv6 alone");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        TcpStream::connect(("::1", port)).await.map(drop)
    })
}

fn a_connection_starts_from_the_chosen_address(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind(any_port()).await?;
        let from: SocketAddr = "127.0.0.2:0".parse().unwrap();
        let options = TcpStream::options().local_address(from);
        let near = options.connect(listener.local_addr()?).await?;
        let (_far, address) = listener.accept().await?;
        assert_eq!(address.ip(), from.ip());
        assert_eq!(address, near.local_addr()?);
        Ok(())
    })
}

fn a_local_address_that_is_not_ours_names_itself(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind(any_port()).await?;
        let (to, from) = (listener.local_addr()?, "192.0.2.1:0");
        let options = TcpStream::options().local_address(from.parse().unwrap());
        let error = options
            .connect(to)
            .await
            .expect_err("nobody has this address");
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("connect to {to}: from {from}: ")),
            "{text}"
        );
        Ok(())
    })
}

fn options_of_a_stream_hold(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        near.set_nodelay(true)?;
        assert!(near.nodelay()? && !far.nodelay()?);
        near.set_ttl(77)?;
        for refused in [0, 256] {
            let error = near.set_ttl(refused).expect_err("1 to 255");
            let text = error.to_string();
            let what = format!(
                "set IP_TTL of fd {} to {refused}: ",
                near.as_fd().as_raw_fd()
            );
            assert!(text.starts_with(&what), "{text}");
        }
        assert_eq!(near.ttl()?, 77);
        near.set_linger(Some(Duration::ZERO))?;
        assert_eq!(near.linger()?, Some(Duration::ZERO));
        near.set_linger(None)?;
        assert_eq!(near.linger()?, None);
        assert_eq!(near.keepalive()?, None);
        let keepalive = Keepalive::new()
            .time(Duration::from_secs(40))
            .interval(Duration::from_secs(7))
            .retries(3);
        near.set_keepalive(Some(keepalive))?;
        assert_eq!(near.keepalive()?, Some(keepalive));
        near.set_keepalive(None)?;
        assert_eq!(near.keepalive()?, None);
        near.set_recv_buffer_size(30_000)?;
        near.set_send_buffer_size(40_000)?;
        assert!(near.recv_buffer_size()? >= 30_000);
        assert!(near.send_buffer_size()? >= 40_000);
        let listener = TcpListener::bind(any_port()).await?;
        listener.set_ttl(55)?;
        assert_eq!(listener.ttl()?, 55);
        assert!(listener.take_error()?.is_none());
        Ok(())
    })
}

fn accepted_connections_inherit_options(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let keepalive = Keepalive::new().time(Duration::from_secs(33));
        let options = TcpListener::options()
            .nodelay(true)
            .ttl(44)
            .keepalive(keepalive)
            .recv_buffer_size(50_000)
            .send_buffer_size(60_000);
        let listener = options.bind(any_port()).await?;
        let near = options.connect(listener.local_addr()?).await?;
        let (far, _) = listener.accept().await?;
        assert_eq!(near.ttl()?, 44);
        for stream in [&near, &far] {
            assert!(stream.nodelay()?);
            assert!(stream.keepalive()?.is_some());
            assert!(stream.recv_buffer_size()? >= 50_000);
            assert!(stream.send_buffer_size()? >= 60_000);
        }
        Ok(())
    })
}

fn incoming_is_a_stream_of_connections(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind(any_port()).await?;
        let address = listener.local_addr()?;
        let mut incoming = listener.incoming();
        assert!(
            poll_once(incoming.next()).await.is_none(),
            "nobody is there yet"
        );
        for _ in 0..3 {
            let near = TcpStream::connect(address).await?;
            let far = incoming.next().await.expect("the stream has no end")?;
            far.write_all(b"hello").await?;
            let mut hello = [0; 5];
            near.read_exact(&mut hello).await?;
        }
        // Dropped while it waits, it takes its waker along, and the listener goes on.
        assert!(poll_once(incoming.next()).await.is_none());
        drop(incoming);
        let (near, accepted) = zip(TcpStream::connect(address), listener.accept()).await;
        accepted?;
        near.map(drop)
    })
}

fn try_accept_does_not_wait(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind(any_port()).await?;
        let error = listener.try_accept().expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let near = TcpStream::connect(listener.local_addr()?).await?;
        let (_, from) = listener.try_accept()?;
        assert_eq!(from, near.local_addr()?);
        Ok(())
    })
}

fn outside_of_all_a_connection_is_of_its_listeners_reactor(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let listener = runtime.block_on(TcpListener::bind(any_port()))??;
    let mut client = net::TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.try_accept()?;
    client.write_all(b"x")?;
    let read = runtime.block_on(async { server.read(&mut [0; 2]).await })??;
    assert_eq!(read, 1);
    Ok(())
}

fn vectors_are_read_and_written_in_order(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(near.write_vectored(&parts).await?, 5);
        let (mut one, mut two) = ([0; 3], [0; 8]);
        let mut into = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(far.read_vectored(&mut into).await?, 5);
        assert_eq!((&one, &two[..2]), (b"abc", &b"de"[..]));

        assert_eq!(near.try_write_vectored(&parts)?, 5);
        far.readable().await?;
        let mut into = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(far.try_read_vectored(&mut into)?, 5);
        assert_eq!((&one, &two[..2]), (b"abc", &b"de"[..]));
        let mut into = [IoSliceMut::new(&mut one)];
        let error = far
            .try_read_vectored(&mut into)
            .expect_err("nothing is left");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        Ok(())
    })
}

fn peeking_leaves_the_bytes(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let mut buffer = [0; 8];
        let (sent, peeked) = zip(near.write_all(b"twice"), far.peek(&mut buffer)).await;
        sent?;
        assert_eq!(&buffer[..peeked?], b"twice");
        assert_eq!(far.peek(&mut buffer[..2]).await?, 2);
        assert_eq!(far.read(&mut buffer).await?, 5);
        assert!(poll_once(far.peek(&mut buffer)).await.is_none());
        Ok(())
    })
}

fn an_idle_connection_needs_no_buffer(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        far.writable().await?;
        let reader = async {
            loop {
                far.readable().await?;
                let mut buffer = [0; 8];
                match far.try_read(&mut buffer) {
                    // A hint may be wrong.
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    read => return read,
                }
            }
        };
        let (read, sent) = zip(reader, near.write_all(b"now")).await;
        sent?;
        assert_eq!(read?, 3);
        Ok(())
    })
}

fn tries_do_not_wait_and_see_what_has_come(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let mut buffer = vec![0; 1 << 16];
        let error = far.try_read(&mut buffer).expect_err("nothing is there");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let mut sent = 0;
        let error = loop {
            match near.try_write(&buffer) {
                Ok(written) => sent += written,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // The way is full: now a waiting write gets through as soon as somebody reads.
        let (more, read) = zip(near.write(b"more"), async {
            let mut read = 0;
            while read < sent {
                read += far.read(&mut buffer).await?;
            }
            io::Result::Ok(read)
        })
        .await;
        assert_eq!(more?, 4);
        assert!(read? >= sent);
        Ok(())
    })
}

fn borrowed_halves_run_at_the_same_time(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let (reader, writer) = near.split();
        let message = pattern(1, 3_000_000);
        let mut echo = vec![0; message.len()];
        let server = executor::spawn(harness::echo(far));
        let (sent, read) = zip(writer.write_all(&message), reader.read_exact(&mut echo)).await;
        sent.and(read)?;
        assert!(echo == message);
        // Borrowed halves end nothing when they go.
        let _ = (reader, writer);
        round_trip(&near, b"still here").await?;
        near.shutdown(Shutdown::Write)?;
        server.await.expect("the echo does not panic").map(drop)
    })
}

fn owned_halves_run_in_two_tasks_and_reunite(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let (reader, writer) = near.into_split();
        let message = pattern(2, 1_000_000);
        let length = message.len();
        executor::spawn(harness::echo(far)).detach();
        let sending = executor::spawn(async move {
            writer.write_all(&message).await.expect("the echo reads");
            (writer, message)
        });
        let receiving = executor::spawn(async move {
            let mut echo = vec![0; length];
            reader.read_exact(&mut echo).await.expect("the echo writes");
            (reader, echo)
        });
        let (writer, message) = sending.await.expect("no panic");
        let (reader, echo) = receiving.await.expect("no panic");
        assert!(echo == message);
        let near = reader.reunite(writer).expect("two halves of one stream");
        round_trip(&near, b"one again, and nothing was shut down").await
    })
}

fn halves_of_two_streams_do_not_reunite(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let ((near_reader, near_writer), (far_reader, far_writer)) =
            (near.into_split(), far.into_split());
        let error = near_reader.reunite(far_writer).expect_err("of two streams");
        let (near_reader, far_writer) = (error.0, error.1);
        near_reader.reunite(near_writer).expect("of one");
        far_reader.reunite(far_writer).expect("of the other");
        Ok(())
    })
}

fn dropping_the_writing_half_ends_the_stream(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let (reader, writer) = near.into_split();
        writer.write_all(b"last").await?;
        drop(writer);
        let mut all = [0; 8];
        far.read_exact(&mut all[..4]).await?;
        assert_eq!(far.read(&mut all).await?, 0, "the end was told");
        far.write_all(b"answer").await?;
        assert_eq!(
            reader.read(&mut all).await?,
            6,
            "the other direction goes on"
        );
        // The reading half keeps the socket open, and is the last to go.
        assert!(reader.as_ref().peer_addr().is_ok());
        Ok(())
    })
}

fn shutting_reading_down_leaves_writing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let mut buffer = [0; 8];
        let (read, down) = zip(near.read(&mut buffer), async {
            executor::yield_now().await;
            near.shutdown(Shutdown::Read)
        })
        .await;
        down?;
        assert_eq!(read?, 0, "a waiting read learns of it");
        near.write_all(b"on").await?;
        assert_eq!(far.read(&mut buffer).await?, 2);
        Ok(())
    })
}

fn a_read_after_one_that_was_given_up_finds_reading_shut_down(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, _far) = pair().await?;
        let mut buffer = [0; 8];
        assert!(poll_once(near.read(&mut buffer)).await.is_none());
        near.shutdown(Shutdown::Read)?;
        assert_eq!(near.read(&mut buffer).await?, 0);
        Ok(())
    })
}

fn zero_linger_resets_the_peer(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        near.set_linger(Some(Duration::ZERO))?;
        let mut buffer = [0; 8];
        let (read, ()) = zip(far.read(&mut buffer), async { drop(near) }).await;
        assert_eq!(
            read.expect_err("a reset").kind(),
            ErrorKind::ConnectionReset
        );
        Ok(())
    })
}

fn the_error_of_a_socket_can_be_taken(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        assert!(near.take_error()?.is_none());
        far.set_linger(Some(Duration::ZERO))?;
        drop(far);
        near.readable().await?;
        let error = near.take_error()?.expect("the reset waits in the socket");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(near.take_error()?.is_none(), "it was taken");
        Ok(())
    })
}

fn sockets_come_from_std_and_go_back(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(std::net::TcpListener::bind(any_port())?)?;
        let near = std::net::TcpStream::connect(listener.local_addr()?)?;
        let (far, _) = listener.accept().await?;
        let near = TcpStream::from_std(near)?;
        let mut buffer = [0; 8];
        let (read, sent) = zip(far.read(&mut buffer), near.write_all(b"in")).await;
        sent?;
        assert_eq!(read?, 2);
        assert!(poll_once(near.read(&mut buffer)).await.is_none());
        assert!(runtime.reactor().keys() >= 2);

        let (mut near, mut far) = (near.into_std()?, far.into_std()?);
        let listener = listener.into_std()?;
        assert_eq!(runtime.reactor().keys(), 0, "all keys are gone");
        near.set_nonblocking(false)?;
        far.write_all(b"out")?;
        near.read_exact(&mut buffer[..3])?;
        let again = std::net::TcpStream::connect(listener.local_addr()?)?;
        again.local_addr().map(drop)
    })?
}
