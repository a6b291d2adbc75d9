//! A panic for misuse is at the line that misuses: where something is made without a reactor, and where
//! something is awaited that nobody drives. Each await of the table in `reactor::contracts` is tried.

use std::collections::BTreeSet;
use std::future::{Future, pending, poll_fn};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net;
use std::os::unix::net as unix;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures_lite::{AsyncRead, AsyncWrite, Stream};
use reactor::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream, copy, copy_bidirectional, lookup_host,
};
use reactor::signal::{Signals, consts::SIGUSR1, ctrl_c};
use reactor::time::{
    advance, interval, interval_at, pause, resume, sleep, sleep_until, timeout, timeout_at,
};
use reactor::{Async, Direction, Reactor, process};
use selectors_core::Readiness;

#[path = "../../executor/tests/source_reader/mod.rs"]
mod source_reader;
use source_reader::{
    functions, table_of_awaits, who_hides_the_callers_line, who_says_that_it_panics,
};

/// Awaits that wait for nothing of a reactor's.
const WAIT_FOR_NOTHING: [&str; 9] = [
    "Async::poll_close",
    "Async::poll_flush",
    "Reactor::poll_budget",
    "UdpSocket::connect",
    "ChildStdin::poll_close",
    "ChildStdin::poll_flush",
    "every stream and half::poll_close",
    "every stream and half::poll_flush",
    "unblock",
];

/// They never panic themselves, and the line at which a guard is dropped is nobody's.
const WHOSE_GUARDS_PANIC: [&str; 2] = ["Reactor::drive", "Reactor::enter"];

/// What our panics for misuse say.
const OURS: [&str; 3] = [
    "no reactor on this thread",
    "nobody drives",
    "longer than zero",
];

/// The line of the last panic, and what it said.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(u32, String)>>);

impl Heard {
    /// Where `misuse` panics.
    fn line_of(&self, what: &str, misuse: impl FnOnce()) -> u32 {
        catch_unwind(AssertUnwindSafe(misuse)).expect_err(what);
        let (line, said) = self.0.lock().expect("no panic").clone();
        assert!(
            OURS.iter().any(|text| said.contains(text)),
            "{what}: {said}"
        );
        // That of the panic, and that at which the future was made if the text has it.
        let ours = format!("misuse_lines.rs:{line}:");
        let places = said.matches(".rs:").count();
        assert!(
            places > 0 && places == said.matches(&ours).count(),
            "{what}: {said}"
        );
        line
    }
}

fn poll_once<T>(future: impl Future<Output = T>) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// Rows, each on a line of its own: the panic of each is further down than that of the one before it.
macro_rules! at_their_lines {
    ($heard:ident, $last:ident, $tried:ident: $($row:literal: $misuse:expr;)*) => {$(
        let line = $heard.line_of($row, || poll_once(async { let _made = $misuse; }));
        assert!(line > $last, "{}: line {line} is that of another", $row);
        $last = line;
        $tried.insert($row);
    )*};
}

/// One test, because the panic hook is the process's.
#[test]
fn a_panic_for_misuse_is_at_the_line_that_misuses() -> io::Result<()> {
    let heard = Heard::default();
    let hears = heard.clone();
    panic::set_hook(Box::new(move |panic| {
        let line = panic.location().map_or(0, panic::Location::line);
        let said = panic.to_string();
        if !OURS.iter().any(|text| said.contains(text)) {
            eprintln!("{said}");
        }
        *hears.0.lock().expect("no panic") = (line, said);
    }));
    let mut last = line!();
    let mut tried = BTreeSet::new();
    let second = Duration::from_secs(1);
    let unix_pair = || unix::UnixStream::pair().expect("a pair").0;
    let listener = net::TcpListener::bind("127.0.0.1:0")?;
    let client = net::TcpStream::connect(listener.local_addr()?)?;
    let udp = net::UdpSocket::bind("127.0.0.1:0")?;
    let nobody = "127.0.0.1:1";
    let elsewhere = Reactor::new()?.enter();
    let unused = TcpSocket::new_v4()?;
    let (unheard, unheard_too) = (TcpSocket::new_v4()?, UnixSocket::new()?);
    let (one, other) = (UnixSocket::new()?, UnixSocket::new()?);
    let somewhere = unix::SocketAddr::from_pathname("/x")?;
    drop(elsewhere);
    at_their_lines! { heard, last, tried:
        "sleep": sleep(second);
        "sleep_until": sleep_until(Instant::now());
        "timeout": timeout(second, pending::<()>());
        "timeout_at": timeout_at(Instant::now(), pending::<()>());
        "interval": interval(second);
        "interval of nothing": interval(Duration::ZERO);
        "interval_at": interval_at(Instant::now(), second);
        "interval_at of nothing": interval_at(Instant::now(), Duration::ZERO);
        "Async::new": Async::new(unix_pair());
        "Async::nonblocking": Async::nonblocking(unix_pair());
        "Stream::from_std": TcpStream::from_std(client.try_clone().expect("a clone"));
        "Listener::from_std": TcpListener::from_std(listener.try_clone().expect("a clone"));
        "Datagrams::from_std": UdpSocket::from_std(udp.try_clone().expect("a clone"));
        "UnixStream::pair": UnixStream::pair();
        "UnixDatagram::pair": UnixDatagram::pair();
        "UnixDatagram::unbound": UnixDatagram::unbound();
        "UnixDatagram::bind": UnixDatagram::bind("/nobody/nowhere");
        "UnixDatagram::bind_addr": UnixDatagram::bind_addr(&somewhere);
        "UnixListener::bind": UnixListener::bind("/nobody/nowhere");
        "UnixListener::bind_addr": UnixListener::bind_addr(&somewhere);
        "every socket::try_from": TcpStream::try_from(client.try_clone().expect("a clone"));
        "Signals::new": Signals::new([SIGUSR1]);
        "spawn": process::spawn(&mut Command::new("true"));
        "Reactor::current": Reactor::current();
        "output": process::output(&mut Command::new("true")).await;
        "ctrl_c": ctrl_c().await;
        "TcpStream::connect": TcpStream::connect(nobody).await;
        "TcpStream::connect_timeout": TcpStream::connect_timeout(nobody, second).await;
        "TcpOptions::connect": TcpStream::options().connect(nobody).await;
        "TcpSocket::new_v4": TcpSocket::new_v4();
        "TcpSocket::new_v6": TcpSocket::new_v6();
        "TcpSocket::connect": unused.connect(([127, 0, 0, 1], 1).into()).await;
        "TcpSocket::listen": unheard.listen(1);
        "UnixSocket::new": UnixSocket::new();
        "UnixSocket::listen": unheard_too.listen(1);
        "UnixSocket::connect": one.connect("/x").await;
        "UnixSocket::connect_addr": other.connect_addr(&somewhere).await;
        "lookup_host": lookup_host(nobody).await;
        "pause": pause();
        "resume": resume();
        "advance": advance(second);
        "TcpListener::bind": TcpListener::bind(nobody).await;
        "TcpOptions::bind": TcpListener::options().bind(nobody).await;
        "UdpSocket::bind": UdpSocket::bind(nobody).await;
        "UnixStream::connect": UnixStream::connect("/nobody").await;
        "UnixStream::connect_addr": UnixStream::connect_addr(&somewhere).await;
    }

    // What follows is made in a reactor, which nobody drives any more.
    let reactor = Reactor::new()?;
    let _entered = reactor.enter();
    let (near, far) = unix::UnixStream::pair()?;
    let (near, far) = (Async::nonblocking(near)?, Async::nonblocking(far)?);
    while far
        .try_with(Direction::Write, |mut far| {
            io::Write::write(&mut far, &[0; 4096])
        })
        .is_ok()
    {}
    // One that can be neither read nor written.
    let io = &far;
    let (stream, peer) = UnixStream::pair()?;
    while stream.try_write(&[0; 4096]).is_ok() {}
    let (reader, _writer) = peer.split();
    let (_, writer) = stream.split();
    let server = TcpListener::from_std(listener)?;
    let (_accepted, _) = server.try_accept()?;
    let udp = UdpSocket::from_std(udp)?;
    let (datagrams, _other) = UnixDatagram::pair()?;
    while datagrams.try_send(&[0; 1024]).is_ok() {}
    let file = std::env::temp_dir().join(format!("misuse-lines-{}", std::process::id()));
    let bound = UnixDatagram::bind(&file)?;
    let sender = UnixDatagram::unbound()?;
    while sender.try_send_to(&[0; 1024], &file).is_ok() {}
    let address = bound.local_addr()?;
    let mut signals = Signals::new([SIGUSR1])?;
    let hour = Duration::from_secs(3600);
    let mut ticks = interval_at(Instant::now() + hour, hour);
    let waits = sleep(hour);
    let (early, late) = (
        timeout(hour, pending::<()>()),
        timeout(hour, pending::<()>()),
    );
    let mut child = Command::new("sleep");
    let child = child
        .arg("100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let (mut child, mut other) = (process::spawn(child)?, process::spawn(child)?);
    child.kill_on_drop(true);
    other.kill_on_drop(true);
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut cx = Context::from_waker(Waker::noop());
    reactor.refill_budget();
    while Pin::new(&mut stdin)
        .poll_write(&mut cx, &[0; 4096])
        .is_ready()
    {
        reactor.refill_budget();
    }
    reactor.refill_budget();
    // Nor is it driven by a loop that drives another one.
    let another = Reactor::new()?;
    let _drives = another.drive();

    let (byte, vector) = (&mut [0; 1], &[IoSlice::new(b"x")]);
    let refuse = |_: &unix::UnixStream| io::Result::<()>::Err(ErrorKind::WouldBlock.into());
    let again = || io::Result::<()>::Err(ErrorKind::WouldBlock.into());
    let (mut by_ref, mut reads, mut writes, mut accepts) =
        (&far, &peer, &stream, server.incoming());
    at_their_lines! { heard, last, tried:
        "Async::read_with": io.read_with(refuse).await;
        "Async::write_with": io.write_with(refuse).await;
        "Async::poll_read_with": poll_fn(|cx| io.poll_read_with(cx, refuse)).await;
        "Async::poll_write_with": poll_fn(|cx| io.poll_write_with(cx, refuse)).await;
        "Async::read": io.read(byte).await;
        "Async::write": io.write(b"x").await;
        "Async::read_to_end": io.read_to_end(&mut Vec::new()).await;
        "Async::write_all": io.write_all(b"x").await;
        "Async::readable": io.readable().await;
        "Async::writable": io.writable().await;
        "Async::poll_readable": poll_fn(|cx| io.poll_readable(cx)).await;
        "Async::poll_writable": poll_fn(|cx| io.poll_writable(cx)).await;
        "Async::ready": io.ready(Readiness::PRIORITY).await;
        "Async::exceptional": io.exceptional().await;
        "Async::poll_read": poll_fn(|cx| AsyncRead::poll_read(Pin::new(&mut by_ref), cx, byte)).await;
        "Async::poll_read_vectored": poll_fn(|cx| Pin::new(&mut by_ref).poll_read_vectored(cx, &mut [IoSliceMut::new(byte)])).await;
        "Async::poll_write": poll_fn(|cx| AsyncWrite::poll_write(Pin::new(&mut by_ref), cx, b"x")).await;
        "Async::poll_write_vectored": poll_fn(|cx| Pin::new(&mut by_ref).poll_write_vectored(cx, vector)).await;
        "Stream::read": stream.read(byte).await;
        "Stream::read_vectored": stream.read_vectored(&mut [IoSliceMut::new(byte)]).await;
        "Stream::read_exact": stream.read_exact(byte).await;
        "Stream::peek": stream.peek(byte).await;
        "Stream::read_lent": stream.read_lent(<[u8]>::len).await;
        "Stream::read_append": stream.read_append(&mut Vec::new()).await;
        "copy": copy(&stream, &peer).await;
        "copy_bidirectional": copy_bidirectional(&stream, &stream).await;
        "Stream::write": stream.write(b"x").await;
        "Stream::write_vectored": stream.write_vectored(vector).await;
        "Stream::write_all": stream.write_all(b"x").await;
        "Stream::poll_read": poll_fn(|cx| stream.poll_read(cx, byte)).await;
        "Stream::poll_read_vectored": poll_fn(|cx| stream.poll_read_vectored(cx, &mut [IoSliceMut::new(byte)])).await;
        "Stream::poll_write": poll_fn(|cx| stream.poll_write(cx, b"x")).await;
        "Stream::poll_write_vectored": poll_fn(|cx| stream.poll_write_vectored(cx, vector)).await;
        "Stream::readable": stream.readable().await;
        "Stream::writable": stream.writable().await;
        "Stream::poll_read_ready": poll_fn(|cx| stream.poll_read_ready(cx)).await;
        "Stream::poll_write_ready": poll_fn(|cx| stream.poll_write_ready(cx)).await;
    }
    // The other end has bytes to be read, until here.
    while peer.try_read(&mut [0; 65536]).is_ok() {}
    at_their_lines! { heard, last, tried:
        "ReadHalf::read": reader.read(byte).await;
        "ReadHalf::read_vectored": reader.read_vectored(&mut [IoSliceMut::new(byte)]).await;
        "ReadHalf::read_exact": reader.read_exact(byte).await;
        "ReadHalf::read_lent": reader.read_lent(<[u8]>::len).await;
        "ReadHalf::read_append": reader.read_append(&mut Vec::new()).await;
        "ReadHalf::peek": reader.peek(byte).await;
        "ReadHalf::readable": reader.readable().await;
        "ReadHalf::poll_read": poll_fn(|cx| reader.poll_read(cx, byte)).await;
    }
    while stream.try_write(&[0; 4096]).is_ok() {}
    at_their_lines! { heard, last, tried:
        "WriteHalf::write": writer.write(b"x").await;
        "WriteHalf::write_vectored": writer.write_vectored(vector).await;
        "WriteHalf::write_all": writer.write_all(b"x").await;
        "WriteHalf::writable": writer.writable().await;
        "WriteHalf::poll_write": poll_fn(|cx| writer.poll_write(cx, b"x")).await;
        "every stream and half::poll_write": poll_fn(|cx| AsyncWrite::poll_write(Pin::new(&mut writes), cx, b"x")).await;
        "every stream and half::poll_write_vectored": poll_fn(|cx| AsyncWrite::poll_write_vectored(Pin::new(&mut writes), cx, vector)).await;
    }
    while peer.try_read(&mut [0; 65536]).is_ok() {}
    at_their_lines! { heard, last, tried:
        "every stream and half::poll_read": poll_fn(|cx| AsyncRead::poll_read(Pin::new(&mut reads), cx, byte)).await;
        "every stream and half::poll_read_vectored": poll_fn(|cx| AsyncRead::poll_read_vectored(Pin::new(&mut reads), cx, &mut [IoSliceMut::new(byte)])).await;
        "every socket and half::ready": reader.ready(Readiness::READABLE).await;
        "every socket and half::async_io": udp.async_io(Direction::Read, again).await;
        "Listener::accept": server.accept().await;
        "Listener::poll_accept": poll_fn(|cx| server.poll_accept(cx)).await;
        "Incoming::poll_next": poll_fn(|cx| Pin::new(&mut accepts).poll_next(cx)).await;
        "UdpSocket::send_to": fault(|| udp.send_to(b"x", ([127, 0, 0, 1], 1).into())).await;
        "UdpSocket::poll_send_to": { poll_fn(|cx| { refuse_next(); udp.poll_send_to(cx, b"x", ([127, 0, 0, 1], 1).into()) }).await };
        "Datagrams::send": datagrams.send(b"x").await;
        "Datagrams::recv": udp.recv(byte).await;
        "Datagrams::peek": udp.peek(byte).await;
        "Datagrams::recv_from": udp.recv_from(byte).await;
        "Datagrams::peek_from": udp.peek_from(byte).await;
        "Datagrams::peek_sender": udp.peek_sender().await;
        "Datagrams::poll_send": poll_fn(|cx| datagrams.poll_send(cx, b"x")).await;
        "Datagrams::poll_recv": poll_fn(|cx| udp.poll_recv(cx, byte)).await;
        "Datagrams::poll_recv_from": poll_fn(|cx| udp.poll_recv_from(cx, byte)).await;
        "Datagrams::poll_peek_from": poll_fn(|cx| udp.poll_peek_from(cx, byte)).await;
        "Datagrams::readable": udp.readable().await;
        "Datagrams::writable": datagrams.writable().await;
        "UnixDatagram::send_to": sender.send_to(b"x", &file).await;
        "UnixDatagram::send_to_addr": sender.send_to_addr(b"x", &address).await;
        "UnixDatagram::poll_send_to": poll_fn(|cx| sender.poll_send_to(cx, b"x", &file)).await;
        "UnixDatagram::poll_send_to_addr": poll_fn(|cx| sender.poll_send_to_addr(cx, b"x", &address)).await;
        "Sleep::poll": waits.await;
        "Timeout::poll": early.await;
        "Interval::tick": ticks.tick().await;
        "Interval::poll_tick": poll_fn(|cx| ticks.poll_tick(cx)).await;
        "Interval::poll_next": poll_fn(|cx| Pin::new(&mut ticks).poll_next(cx)).await;
        "Signals::next": signals.next().await;
        "Signals::poll_signal": poll_fn(|cx| signals.poll_signal(cx)).await;
        "Signals::poll_next": poll_fn(|cx| Pin::new(&mut signals).poll_next(cx)).await;
        "ChildStdin::write": stdin.write(b"x").await;
        "ChildStdin::write_all": stdin.write_all(b"x").await;
        "ChildStdin::poll_write": poll_fn(|cx| Pin::new(&mut stdin).poll_write(cx, b"x")).await;
        "ChildStdin::poll_write_vectored": poll_fn(|cx| Pin::new(&mut stdin).poll_write_vectored(cx, vector)).await;
        "Child::wait": child.wait().await;
        "Child::wait_with_output": other.wait_with_output().await;
    }
    drop(panic::take_hook());
    drop((near, late));
    assert!(last < line!());

    let table = table_of_awaits();
    let missing: Vec<_> = table
        .iter()
        .filter(|row| !tried.contains(&***row) && !WAIT_FOR_NOTHING.contains(&&***row))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let functions = functions()?;
    let says_so = who_says_that_it_panics(&functions);
    let missing: Vec<_> = says_so
        .iter()
        .filter(|function| {
            !tried.contains(&***function) && !WHOSE_GUARDS_PANIC.contains(&&***function)
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(says_so.len() > 40, "the sources are read: {says_so:?}");
    Ok(())
}

#[test]
fn nobody_between_the_caller_and_a_panic_hides_the_callers_line() -> io::Result<()> {
    let hidden = who_hides_the_callers_line(&functions()?);
    assert!(hidden.is_empty(), "{hidden:#?}");
    Ok(())
}

/// The next datagram finds no room.
fn refuse_next() {
    selectors_core::sys::fault::inject("sendto", libc::EAGAIN);
}

fn fault<F>(make: impl FnOnce() -> F) -> F {
    refuse_next();
    make()
}
