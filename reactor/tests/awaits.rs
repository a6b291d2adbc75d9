//! An await that is ready again and again starves nobody: each row of the table of awaits in
//! `reactor::contracts` is a test here, and each public await of the sources is a row.
#![cfg(unix)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{poll_fn, ready};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncWrite, StreamExt};
use reactor::blocking::unblock;
use reactor::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream, copy, copy_bidirectional, lookup_host,
};
use reactor::signal::{Signals, consts, ctrl_c};
use reactor::time::{MissedTick, interval, sleep, timeout};
use reactor::{Async, Direction, Reactor, process};
use selectors_core::Readiness;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

#[path = "../../executor/tests/source_reader/mod.rs"]
mod source_reader;
use source_reader::{Function, functions, table_of_awaits};

on_every_backend!(
    no_await_that_is_ready_again_and_again_keeps_the_others_waiting,
    no_error_that_comes_again_and_again_keeps_the_others_waiting,
);

/// How many operations a task may complete in one poll: by level, and half of them by edge.
const BUDGET: usize = 32;
/// How often another task has to run.
const RUNS: usize = 3;

/// The rows that were tried, as `of::what`.
#[derive(Default)]
struct Tried(RefCell<BTreeSet<&'static str>>);

impl Tried {
    /// Awaits again and again until another task has run as often as it must.
    async fn again(
        &self,
        row: &'static str,
        mut awaits: impl AsyncFnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        self.0.borrow_mut().insert(row);
        let runs = Rc::new(Cell::new(0));
        let counted = Rc::clone(&runs);
        let _other = executor::spawn(async move {
            loop {
                counted.set(counted.get() + 1);
                executor::yield_now().await;
            }
        })
        .abort_on_drop();
        executor::yield_now().await;
        let (before, mut times) = (runs.get(), 0);
        while runs.get() < before + RUNS {
            assert!(
                times <= (RUNS + 1) * BUDGET,
                "{row}: {times} times, and the other task has run {} times",
                runs.get() - before
            );
            let done = awaits().await;
            done.map_err(|error| io::Error::other(format!("{row}: {error}")))?;
            times += 1;
        }
        Ok(())
    }
}

/// Nothing but the await that is tried may spend: all else in a row is a `try_`, or std's.
macro_rules! again {
    ($tried:ident, $($row:literal: { $($awaits:tt)* })*) => {$(
        $tried.again($row, async || {
            $($awaits)*;
            Ok(())
        }).await?;
    )*};
}

fn no_await_that_is_ready_again_and_again_keeps_the_others_waiting(
    variant: Variant,
) -> io::Result<()> {
    let tried = Tried::default();
    variant.block_on(async {
        any_fd(&tried).await?;
        streams(&tried).await?;
        halves(&tried).await?;
        streams_of_others(&tried).await?;
        own_calls(&tried).await?;
        connections(&tried).await?;
        udp(&tried).await?;
        unix(&tried).await?;
        time(&tried).await?;
        threads_and_signals(&tried).await?;
        children(&tried).await
    })?;
    let table = table_of_awaits();
    assert_eq!(
        tried.0.into_inner(),
        table.iter().map(|row| &**row).collect()
    );
    Ok(())
}

#[test]
fn every_public_await_of_the_sources_is_in_the_table() -> io::Result<()> {
    // `async`, `poll_`, or what returns a future.
    let awaits = |function: &Function| {
        function.before == "pub async "
            || function.name.starts_with("poll")
            || function.signature.contains("-> impl Future")
    };
    let found: BTreeSet<_> = functions()?
        .iter()
        .filter(|function| function.is_public && awaits(function))
        .map(Function::full_name)
        .collect();
    assert_eq!(found, table_of_awaits());
    Ok(())
}

fn socket_file(name: &str) -> PathBuf {
    let thread = std::thread::current().id();
    let name = format!("awaits-{name}-{}-{thread:?}", std::process::id());
    std::env::temp_dir().join(name)
}

fn no_error_that_comes_again_and_again_keeps_the_others_waiting(
    variant: Variant,
) -> io::Result<()> {
    let tried = Tried::default();
    variant.block_on(async {
        let too_long = "x".repeat(200);
        let (near, far) = UnixStream::pair()?;
        drop(far);
        let datagram = UnixDatagram::unbound()?;
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        let any = Async::nonblocking(std::os::unix::net::UnixStream::pair()?.0)?;
        let mut cat = Command::new("cat");
        let mut cat = process::spawn(cat.stdin(Stdio::piped()))?;
        let mut stdin = cat.stdin.take().expect("a pipe");
        poll_fn(|cx| Pin::new(&mut stdin).poll_close(cx)).await?;
        again!(tried,
            "write to nobody": { near.write(b"x").await.unwrap_err() }
            "write all to nobody": { near.write_all(b"x").await.unwrap_err() }
            "Async write to nobody": { any.write(b"x").await.unwrap_err() }
            "ready for nothing": { any.ready(Readiness::EMPTY).await.unwrap_err() }
            "Stream::ready for nothing": { near.ready(Readiness::EMPTY).await.unwrap_err() }
            "send to no path": { datagram.send_to(b"x", &too_long).await.unwrap_err() }
            "poll_send_to no path": {
                poll_fn(|cx| datagram.poll_send_to(cx, b"x", &too_long)).await.unwrap_err()
            }
            "send to nobody": { datagram.send_to(b"x", "/nobody").await.unwrap_err() }
            "send without a peer": { datagram.send(b"x").await.unwrap_err() }
            "connect to no path": { UnixStream::connect(&too_long).await.map(drop).unwrap_err() }
            "connect to nobody": { UnixStream::connect("/nobody").await.map(drop).unwrap_err() }
            "no such network": {
                TcpStream::connect("255.255.255.255:1").await.map(drop).unwrap_err()
            }
            "no address": { TcpListener::bind(&[][..]).await.map(drop).unwrap_err() }
            "not ours": { UdpSocket::bind("192.0.2.1:1").await.map(drop).unwrap_err() }
            "connect to no address": { udp.connect(&[][..]).await.unwrap_err() }
            "no such program": {
                process::output(&mut Command::new("/nobody")).await.map(drop).unwrap_err()
            }
            "write to a closed pipe": { stdin.write(b"x").await.unwrap_err() }
            "write all to a closed pipe": { stdin.write_all(b"x").await.unwrap_err() }
            "poll_write to a closed pipe": {
                poll_fn(|cx| Pin::new(&mut stdin).poll_write(cx, b"x")).await.unwrap_err()
            }
            "poll_write_vectored to a closed pipe": {
                let vectors = [IoSlice::new(b"x")];
                poll_fn(|cx| Pin::new(&mut stdin).poll_write_vectored(cx, &vectors))
                    .await
                    .unwrap_err()
            }
            "poll_flush of a closed pipe": {
                poll_fn(|cx| Pin::new(&mut stdin).poll_flush(cx)).await?
            }
        );
        cat.wait().await.map(drop)
    })
}

async fn any_fd(tried: &Tried) -> io::Result<()> {
    let (near, far) = std::os::unix::net::UnixStream::pair()?;
    let (near, far) = (Async::nonblocking(near)?, Async::nonblocking(far)?);
    let send = || {
        near.try_with(Direction::Write, |mut near| {
            io::Write::write(&mut near, b"x")
        })
    };
    let take = || {
        far.try_with(Direction::Read, |mut far| {
            io::Read::read(&mut far, &mut [0; 1])
        })
    };
    let byte = &mut [0; 1];
    again!(tried,
        "Async::read_with": {
            send()?;
            far.read_with(|mut far| io::Read::read(&mut far, byte)).await?
        }
        "Async::poll_read_with": {
            send()?;
            poll_fn(|cx| far.poll_read_with(cx, |mut far| io::Read::read(&mut far, byte))).await?
        }
        "Async::write_with": {
            near.write_with(|mut near| io::Write::write(&mut near, b"x")).await?;
            take()?
        }
        "Async::poll_write_with": {
            poll_fn(|cx| near.poll_write_with(cx, |mut near| io::Write::write(&mut near, b"x")))
                .await?;
            take()?
        }
        "Async::read": { send()?; far.read(byte).await? }
        "Async::read": { far.read(&mut []).await? }
        "Async::poll_read": {
            send()?;
            poll_fn(|cx| AsyncRead::poll_read(Pin::new(&mut &far), cx, byte)).await?
        }
        "Async::poll_read_vectored": {
            send()?;
            let vectors = &mut [IoSliceMut::new(byte)];
            poll_fn(|cx| AsyncRead::poll_read_vectored(Pin::new(&mut &far), cx, vectors)).await?
        }
        "Async::write": { near.write(b"x").await?; take()? }
        "Async::write": { near.write(&[]).await? }
        "Async::write_all": { near.write_all(b"x").await?; take()? }
        "Async::write_all": { near.write_all(&[]).await? }
        "Async::poll_write": {
            poll_fn(|cx| AsyncWrite::poll_write(Pin::new(&mut &near), cx, b"x")).await?;
            take()?
        }
        "Async::poll_write_vectored": {
            let vectors = &[IoSlice::new(b"x")];
            poll_fn(|cx| AsyncWrite::poll_write_vectored(Pin::new(&mut &near), cx, vectors))
                .await?;
            take()?
        }
        "Async::poll_flush": {
            poll_fn(|cx| AsyncWrite::poll_flush(Pin::new(&mut &near), cx)).await?
        }
        "Async::poll_close": {
            poll_fn(|cx| AsyncWrite::poll_close(Pin::new(&mut &near), cx)).await?
        }
    );
    send()?;
    again!(tried,
        "Async::readable": { far.readable().await? }
        "Async::writable": { far.writable().await? }
        "Async::poll_readable": { poll_fn(|cx| far.poll_readable(cx)).await? }
        "Async::poll_writable": { poll_fn(|cx| far.poll_writable(cx)).await? }
        "Async::ready": { far.ready(Readiness::READABLE).await? }
    );
    // Not by closing it: a child that another test is starting may have it for a moment.
    near.get_ref().shutdown(Shutdown::Both)?;
    again!(tried,
        "Async::exceptional": { far.exceptional().await? }
        "Async::read_to_end": { far.read_to_end(&mut Vec::new()).await? }
        "Reactor::poll_budget": { poll_fn(|cx| Reactor::current().poll_budget(cx)).await }
    );
    Ok(())
}

async fn streams(tried: &Tried) -> io::Result<()> {
    let (near, far) = harness::pair().await?;
    near.set_nodelay(true)?;
    let byte = &mut [0; 1];
    again!(tried,
        "Stream::read": { near.try_write(b"x")?; far.read(byte).await? }
        "Stream::read": { far.read(&mut []).await? }
        "Stream::read_vectored": {
            near.try_write(b"x")?;
            far.read_vectored(&mut [IoSliceMut::new(byte)]).await?
        }
        "Stream::read_exact": { near.try_write(b"x")?; far.read_exact(byte).await? }
        "Stream::read_exact": { far.read_exact(&mut []).await? }
        "Stream::poll_read": {
            near.try_write(b"x")?;
            poll_fn(|cx| far.poll_read(cx, byte)).await?
        }
        "Stream::poll_read_vectored": {
            near.try_write(b"x")?;
            let vectors = &mut [IoSliceMut::new(byte)];
            poll_fn(|cx| far.poll_read_vectored(cx, vectors)).await?
        }
        "Stream::write": { near.write(b"x").await?; far.try_read(byte)? }
        "Stream::write": { near.write(&[]).await? }
        "Stream::write_vectored": {
            near.write_vectored(&[IoSlice::new(b"x")]).await?;
            far.try_read(byte)?
        }
        "Stream::write_all": { near.write_all(b"x").await?; far.try_read(byte)? }
        "Stream::write_all": { near.write_all(&[]).await? }
        "Stream::poll_write": {
            poll_fn(|cx| near.poll_write(cx, b"x")).await?;
            far.try_read(byte)?
        }
        "Stream::poll_write_vectored": {
            poll_fn(|cx| near.poll_write_vectored(cx, &[IoSlice::new(b"x")])).await?;
            far.try_read(byte)?
        }
    );
    near.try_write(b"x")?;
    again!(tried,
        "Stream::peek": { far.peek(byte).await? }
        "Stream::readable": { far.readable().await? }
        "Stream::writable": { far.writable().await? }
        "Stream::poll_read_ready": { poll_fn(|cx| far.poll_read_ready(cx)).await? }
        "Stream::poll_write_ready": { poll_fn(|cx| far.poll_write_ready(cx)).await? }
    );
    // The end comes again and again.
    near.shutdown(Shutdown::Write)?;
    far.read(byte).await?;
    again!(tried,
        "Stream::read": { far.read(byte).await? }
        "Stream::read_exact": { far.read_exact(byte).await.unwrap_err() }
        "Stream::read_lent": { far.read_lent(<[u8]>::len).await? }
        "Stream::read_append": { far.read_append(&mut Vec::new()).await? }
        "copy": { copy(&far, &near).await? }
    );
    far.shutdown(Shutdown::Write)?;
    near.read(byte).await?;
    again!(tried, "copy_bidirectional": { copy_bidirectional(&near, &far).await? });
    Ok(())
}

async fn halves(tried: &Tried) -> io::Result<()> {
    let (near, far) = UnixStream::pair()?;
    let ((reader, _), (_, writer)) = (far.split(), near.split());
    let byte = &mut [0; 1];
    again!(tried,
        "ReadHalf::read": { near.try_write(b"x")?; reader.read(byte).await? }
        "ReadHalf::read_vectored": {
            near.try_write(b"x")?;
            reader.read_vectored(&mut [IoSliceMut::new(byte)]).await?
        }
        "ReadHalf::read_exact": { near.try_write(b"x")?; reader.read_exact(byte).await? }
        "ReadHalf::poll_read": {
            near.try_write(b"x")?;
            poll_fn(|cx| reader.poll_read(cx, byte)).await?
        }
        "WriteHalf::write": { writer.write(b"x").await?; far.try_read(byte)? }
        "WriteHalf::write_vectored": {
            writer.write_vectored(&[IoSlice::new(b"x")]).await?;
            far.try_read(byte)?
        }
        "WriteHalf::write_all": { writer.write_all(b"x").await?; far.try_read(byte)? }
        "WriteHalf::poll_write": {
            poll_fn(|cx| writer.poll_write(cx, b"x")).await?;
            far.try_read(byte)?
        }
        "WriteHalf::writable": { writer.writable().await? }
    );
    near.try_write(b"x")?;
    again!(tried,
        "ReadHalf::peek": { reader.peek(byte).await? }
        "ReadHalf::readable": { reader.readable().await? }
    );
    near.shutdown(Shutdown::Both)?;
    again!(tried,
        "ReadHalf::read_lent": { reader.read_lent(<[u8]>::len).await? }
        "ReadHalf::read_append": { reader.read_append(&mut Vec::new()).await? }
    );
    Ok(())
}

/// The traits of futures-io.
async fn streams_of_others(tried: &Tried) -> io::Result<()> {
    let (near, far) = UnixStream::pair()?;
    let byte = &mut [0; 1];
    again!(tried,
        "every stream and half::poll_read": {
            near.try_write(b"x")?;
            poll_fn(|cx| AsyncRead::poll_read(Pin::new(&mut &far), cx, byte)).await?
        }
        "every stream and half::poll_read_vectored": {
            near.try_write(b"x")?;
            let vectors = &mut [IoSliceMut::new(byte)];
            poll_fn(|cx| AsyncRead::poll_read_vectored(Pin::new(&mut &far), cx, vectors)).await?
        }
        "every stream and half::poll_write": {
            poll_fn(|cx| AsyncWrite::poll_write(Pin::new(&mut &near), cx, b"x")).await?;
            far.try_read(byte)?
        }
        "every stream and half::poll_write_vectored": {
            let vectors = &[IoSlice::new(b"x")];
            poll_fn(|cx| AsyncWrite::poll_write_vectored(Pin::new(&mut &near), cx, vectors))
                .await?;
            far.try_read(byte)?
        }
        "every stream and half::poll_flush": {
            poll_fn(|cx| AsyncWrite::poll_flush(Pin::new(&mut &near), cx)).await?
        }
        "every stream and half::poll_close": {
            poll_fn(|cx| AsyncWrite::poll_close(Pin::new(&mut &near), cx)).await?
        }
    );
    Ok(())
}

async fn own_calls(tried: &Tried) -> io::Result<()> {
    let (near, far) = UnixStream::pair()?;
    again!(tried,
        "every socket and half::async_io": {
            near.async_io(Direction::Write, || near.try_write(b"x")).await?;
            far.try_read(&mut [0; 1])?
        }
        "every socket and half::ready": { near.ready(Readiness::WRITABLE).await? }
    );
    Ok(())
}

async fn connections(tried: &Tried) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let come = || std::net::TcpStream::connect(address);
    let go = || loop {
        match listener.try_accept() {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    };
    let second = Duration::from_secs(1000);
    again!(tried,
        "TcpStream::connect": { TcpStream::connect(address).await?; go()? }
        "TcpStream::connect_timeout": {
            TcpStream::connect_timeout(address, second).await?;
            go()?
        }
        "TcpSocket::connect": { TcpSocket::new_v4()?.connect(address).await?; go()? }
        "lookup_host": { lookup_host(address).await? }
        "TcpOptions::connect": { TcpStream::options().connect(address).await?; go()? }
        "TcpOptions::bind": { TcpListener::options().bind("127.0.0.1:0").await? }
        "TcpListener::bind": { TcpListener::bind("127.0.0.1:0").await? }
        "TcpListener::bind": { TcpListener::bind("localhost:0").await? }
        "Listener::poll_accept": {
            let _near = come()?;
            poll_fn(|cx| listener.poll_accept(cx)).await?
        }
        "Listener::accept": { let _near = come()?; listener.accept().await? }
    );
    let mut incoming = listener.incoming();
    again!(tried,
        "Incoming::poll_next": { let _near = come()?; incoming.next().await.expect("one")? }
    );
    // A connection, and who takes it.
    again!(tried,
        "Listener::accept": {
            let _near = TcpStream::connect(address).await?;
            listener.accept().await?
        }
    );
    Ok(())
}

async fn udp(tried: &Tried) -> io::Result<()> {
    let near = UdpSocket::bind("127.0.0.1:0").await?;
    let far = UdpSocket::bind("127.0.0.1:0").await?;
    let address = far.local_addr()?;
    let byte = &mut [0; 1];
    again!(tried,
        "UdpSocket::bind": { UdpSocket::bind("127.0.0.1:0").await? }
        "UdpSocket::bind": { UdpSocket::bind("localhost:0").await? }
        "UdpSocket::connect": { near.connect(address).await? }
        "UdpSocket::send_to": { near.send_to(b"x", address).await?; far.try_recv(byte)? }
        "UdpSocket::poll_send_to": {
            poll_fn(|cx| near.poll_send_to(cx, b"x", address)).await?;
            far.try_recv(byte)?
        }
        "Datagrams::poll_send": { poll_fn(|cx| near.poll_send(cx, b"x")).await?; far.try_recv(byte)? }
        "Datagrams::poll_recv": { near.try_send(b"x")?; poll_fn(|cx| far.poll_recv(cx, byte)).await? }
        "Datagrams::poll_recv_from": {
            near.try_send(b"x")?;
            poll_fn(|cx| far.poll_recv_from(cx, byte)).await?
        }
        "Datagrams::recv_from": { near.try_send(b"x")?; far.recv_from(byte).await? }
        "Datagrams::send": { near.send(b"x").await?; far.try_recv(byte)? }
        "Datagrams::recv": { near.try_send(b"x")?; far.recv(byte).await? }
        "Datagrams::writable": { near.writable().await?; near.try_send_to(b"x", address)? }
    );
    while far.try_recv(byte).is_ok() {}
    near.try_send(b"x")?;
    again!(tried,
        "Datagrams::poll_peek_from": { poll_fn(|cx| far.poll_peek_from(cx, byte)).await? }
        "Datagrams::peek_from": { far.peek_from(byte).await? }
        "Datagrams::peek_sender": { far.peek_sender().await? }
        "Datagrams::peek": { far.peek(byte).await? }
        "Datagrams::readable": { far.readable().await? }
    );
    Ok(())
}

async fn unix(tried: &Tried) -> io::Result<()> {
    let path = socket_file("stream");
    let listener = UnixListener::bind(&path)?;
    let address = listener.local_addr()?;
    let come = || std::os::unix::net::UnixStream::connect(&path);
    again!(tried,
        "UnixStream::connect": { UnixStream::connect(&path).await?; listener.try_accept()? }
        "UnixSocket::connect": { UnixSocket::new()?.connect(&path).await?; listener.try_accept()? }
        "UnixSocket::connect_addr": { UnixSocket::new()?.connect_addr(&address).await?; listener.try_accept()? }
        "UnixStream::connect_addr": {
            UnixStream::connect_addr(&address).await?;
            listener.try_accept()?
        }
        "Listener::accept": { let _near = come()?; listener.accept().await? }
    );
    let mut incoming = listener.incoming();
    again!(tried,
        "Incoming::poll_next": { let _near = come()?; incoming.next().await.expect("one")? }
    );

    let path = socket_file("datagram");
    let (near, far) = (UnixDatagram::unbound()?, UnixDatagram::bind(&path)?);
    let address = far.local_addr()?;
    let byte = &mut [0; 1];
    again!(tried,
        "UnixDatagram::send_to": { near.send_to(b"x", &path).await?; far.try_recv(byte)? }
        "UnixDatagram::poll_send_to": {
            poll_fn(|cx| near.poll_send_to(cx, b"x", &path)).await?;
            far.try_recv(byte)?
        }
        "UnixDatagram::poll_send_to_addr": {
            poll_fn(|cx| near.poll_send_to_addr(cx, b"x", &address)).await?;
            far.try_recv(byte)?
        }
        "UnixDatagram::send_to_addr": {
            near.send_to_addr(b"x", &address).await?;
            far.try_recv(byte)?
        }
    );
    near.connect(&path)?;
    again!(tried,
        "Datagrams::send": { near.send(b"x").await?; far.try_recv(byte)? }
        "Datagrams::recv": { near.try_send(b"x")?; far.recv(byte).await? }
        "Datagrams::recv_from": { near.try_send(b"x")?; far.recv_from(byte).await? }
        "Datagrams::writable": { near.writable().await? }
    );
    near.try_send(b"x")?;
    again!(tried, "Datagrams::readable": { far.readable().await? });
    Ok(())
}

async fn time(tried: &Tried) -> io::Result<()> {
    let instant = Duration::from_nanos(1);
    let mut over = sleep(instant);
    (&mut over).await;
    let mut ticks = interval(instant).missed_tick(MissedTick::Burst);
    again!(tried,
        "Sleep::poll": { sleep(Duration::ZERO).await }
        "Sleep::poll": { (&mut over).await }
        "Timeout::poll": { timeout(Duration::from_secs(1000), ready(())).await? }
        "Interval::tick": { ticks.tick().await }
        "Interval::poll_tick": { poll_fn(|cx| ticks.poll_tick(cx)).await }
        "Interval::poll_next": { ticks.next().await }
    );
    Ok(())
}

async fn threads_and_signals(tried: &Tried) -> io::Result<()> {
    // Results that are there already, nearly all of them.
    let mut results: Vec<_> = (0..=(RUNS + 1) * BUDGET).map(|_| unblock(|| ())).collect();
    unblock(|| ()).await?;
    again!(tried, "unblock": { results.pop().expect("enough").await? });
    drop(results);

    let raise = |signal| signal_hook::low_level::raise(signal);
    let mut signals = Signals::new([consts::SIGUSR1, consts::SIGUSR2, consts::SIGINT])?;
    let both = || {
        raise(consts::SIGUSR1)?;
        raise(consts::SIGUSR2)
    };
    again!(tried,
        "Signals::next": { raise(consts::SIGUSR1)?; signals.next().await? }
        "Signals::poll_signal": { both()?; poll_fn(|cx| signals.poll_signal(cx)).await? }
        "Signals::poll_next": { both()?; StreamExt::next(&mut signals).await.expect("one")? }
        "ctrl_c": {
            let mut ctrl_c = std::pin::pin!(ctrl_c());
            poll_fn(|cx| {
                let ended = ctrl_c.as_mut().poll(cx);
                raise(consts::SIGINT)?;
                ended
            })
            .await?
        }
    );
    Ok(())
}

async fn children(tried: &Tried) -> io::Result<()> {
    let mut cat = Command::new("cat");
    let mut cat = process::spawn(cat.stdin(Stdio::piped()).stdout(Stdio::null()))?;
    let mut stdin = cat.stdin.take().expect("a pipe");
    again!(tried,
        "ChildStdin::write": { stdin.write(b"x").await? }
        "ChildStdin::write_all": { stdin.write_all(b"x").await? }
        "ChildStdin::poll_write": {
            poll_fn(|cx| Pin::new(&mut stdin).poll_write(cx, b"x")).await?
        }
        "ChildStdin::poll_write_vectored": {
            let vectors = [IoSlice::new(b"x")];
            poll_fn(|cx| Pin::new(&mut stdin).poll_write_vectored(cx, &vectors)).await?
        }
        "ChildStdin::poll_flush": { poll_fn(|cx| Pin::new(&mut stdin).poll_flush(cx)).await? }
        "ChildStdin::poll_close": { poll_fn(|cx| Pin::new(&mut stdin).poll_close(cx)).await? }
        "Child::wait": { cat.wait().await? }
        "Child::wait_with_output": {
            process::spawn(&mut Command::new("true"))?.wait_with_output().await?
        }
        "output": { process::output(&mut Command::new("true")).await? }
    );
    Ok(())
}

/// Each number of the table names a test, and the test is there.
#[test]
fn each_number_names_the_test_that_begins_near_its_end() {
    let contracts = include_str!("../src/contracts.rs");
    let tests = [
        include_str!("../src/heart/shared.rs"),
        include_str!("../src/timers/mod.rs"),
        include_str!("../src/timers/places.rs"),
        include_str!("../src/blocking.rs"),
        include_str!("entered.rs"),
        include_str!("lasting.rs"),
    ];
    let rows = contracts
        .lines()
        .skip_while(|line| *line != "//! # Numbers")
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    let mut named = 0;
    for row in rows.skip(1) {
        let name = row
            .rsplit(" | ")
            .next()
            .unwrap_or_default()
            .trim_matches('`');
        if row.ends_with('`') {
            named += 1;
            let there = tests
                .iter()
                .any(|source| source.contains(&format!("fn {name}(")));
            assert!(there, "no test {name}");
        }
    }
    assert!(named >= 6, "{named} rows name a test");
}
