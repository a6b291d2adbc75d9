//! What lasts, and helps nobody: by level a loop does not turn for it, whoever says WouldBlock, and
//! nobody misses an ending that a backend does not tell of.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use executor::Runtime;
use futures_lite::future::{or, poll_once, zip};
use reactor::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram};
use reactor::time::sleep;
use reactor::{Async, Trigger};
use selectors_core::sys::fault;
use selectors_core::{Readiness, poll_now};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    a_writer_hears_of_a_hang_up,
    a_writer_hears_of_a_hang_up_behind_what_nobody_reads,
    a_writer_to_a_peer_that_never_reads_is_left_alone,
    a_writer_hears_of_a_child_that_was_waited_for,
    a_closure_that_makes_up_would_block_does_not_turn_the_loop,
    two_closures_that_make_it_up_do_not_either,
    a_closure_that_made_it_up_is_called_again,
    a_datagram_socket_that_was_shut_down_does_not_turn_the_loop,
    a_kernel_that_contradicts_itself_does_not_turn_the_loop,
);

/// The reading end of a pipe: it can never be written to, and hangs up when the writer has gone.
fn pipe() -> io::Result<(Async<OwnedFd>, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe()?;
    Ok((Async::nonblocking(reader)?, writer))
}

/// `waits` waits, and goes on waiting when others run; after `end` it is told.
async fn hears(
    waits: impl Future<Output = io::Result<()>>,
    end: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let told = Cell::new(false);
    let waits = async {
        waits.await?;
        told.set(true);
        io::Result::Ok(())
    };
    let ends = async {
        sleep(Duration::from_millis(25)).await;
        assert!(!told.get(), "told too early");
        end()
    };
    let (waited, ended) = zip(waits, ends).await;
    ended.and(waited)
}

fn a_writer_hears_of_a_hang_up(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = pipe()?;
        hears(reader.writable(), || {
            drop(writer);
            Ok(())
        })
        .await?;
        let (reader, writer) = pipe()?;
        hears(poll_fn(|cx| reader.poll_writable(cx)), || {
            drop(writer);
            Ok(())
        })
        .await?;
        let (reader, writer) = pipe()?;
        let ready = async { reader.ready(Readiness::WRITABLE).await.map(drop) };
        hears(ready, || {
            drop(writer);
            Ok(())
        })
        .await
    })
}

fn a_writer_hears_of_a_hang_up_behind_what_nobody_reads(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = pipe()?;
        rustix::io::write(&writer, b"x")?;
        let both = async {
            let (readable, writable) = zip(reader.readable(), reader.writable()).await;
            readable.and(writable)
        };
        hears(both, || {
            drop(writer);
            Ok(())
        })
        .await?;
        assert_eq!(rustix::io::read(reader.get_ref(), &mut [0; 8])?, 1);
        Ok(())
    })
}

/// select(2) does not tell of it, so somebody has to ask, but not a hundred times a second.
fn a_writer_to_a_peer_that_never_reads_is_left_alone(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (mut near, _far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        while near.write(&[0; 4096]).is_ok() {}
        let near = Async::new(near);
        let before = runtime.reactor().metrics().turns;
        or(near.writable(), async {
            sleep(Duration::from_millis(400)).await;
            Ok(())
        })
        .await?;
        let turns = runtime.reactor().metrics().turns - before;
        assert!(turns < 20, "{turns} turns");
        Ok(())
    })?
}

/// A pidfd is readable when its process has ended, and hangs up when somebody has taken the status; not
/// on kernels before 6.9, where poll(2) says no such thing and neither do we.
fn a_writer_hears_of_a_child_that_was_waited_for(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut child = Command::new("sleep").arg("100").spawn()?;
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
        let pidfd = Async::new(pidfd);
        let theirs = pidfd.get_ref().try_clone()?;
        let hung_up = async {
            let mut waits = std::pin::pin!(pidfd.writable());
            loop {
                if poll_once(waits.as_mut()).await.transpose()?.is_some() {
                    return Ok(true);
                }
                let over = !poll_now(&theirs, Readiness::READABLE)?.is_empty();
                if over && !poll_now(&theirs, Readiness::READABLE)?.is_hangup() {
                    return io::Result::Ok(false);
                }
                // Until the clock has made a turn that waits.
                sleep(Duration::from_millis(1)).await;
            }
        };
        let (told, ended) = zip(hung_up, async {
            sleep(Duration::from_millis(5)).await;
            child.kill()?;
            child.wait()
        })
        .await;
        ended?;
        let hangs_up = poll_now(&theirs, Readiness::WRITABLE)?.is_hangup();
        assert_eq!(told?, hangs_up);
        Ok(())
    })
}

/// More turns than this in a tenth of a second are for nothing: what lasts rests for 10 ms at a time.
const FEW: u64 = 300;

/// How many turns the loop takes in a tenth of a second beside `waits`, which does not end.
async fn turns_beside<T>(runtime: &Runtime, waits: impl Future<Output = T>) -> u64 {
    let before = runtime.reactor().metrics().turns;
    let waits = async {
        waits.await;
        unreachable!("it goes on waiting")
    };
    or(waits, sleep(Duration::from_millis(100))).await;
    runtime.reactor().metrics().turns - before
}

fn refuse<T>(calls: &Cell<u64>) -> io::Result<T> {
    calls.set(calls.get() + 1);
    Err(ErrorKind::WouldBlock.into())
}

fn a_closure_that_makes_up_would_block_does_not_turn_the_loop(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (mut near, far) = UnixStream::pair()?;
        near.write_all(b"x")?;
        let far = Async::nonblocking(far)?;
        let calls = Cell::new(0);
        let reads = far.read_with(|_| refuse::<()>(&calls));
        let turns = turns_beside(&runtime, reads).await;
        assert!(turns < FEW, "{turns} turns, {} calls to read", calls.get());
        let writes = far.write_with(|_| refuse::<()>(&calls));
        let turns = turns_beside(&runtime, writes).await;
        assert!(turns < FEW, "{turns} turns, {} calls to write", calls.get());
        let polled = poll_fn(|cx| far.poll_read_with(cx, |_| refuse::<()>(&calls)));
        let turns = turns_beside(&runtime, polled).await;
        assert!(turns < FEW, "{turns} turns, {} calls to poll", calls.get());
        Ok(())
    })?
}

fn two_closures_that_make_it_up_do_not_either(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (mut near, far) = UnixStream::pair()?;
        near.write_all(b"x")?;
        let far = Async::nonblocking(far)?;
        let calls = Cell::new(0);
        let one = far.read_with(|_| refuse::<()>(&calls));
        let other = far.read_with(|_| refuse::<()>(&calls));
        let turns = turns_beside(&runtime, zip(one, other)).await;
        assert!(turns < FEW, "{turns} turns, {} calls", calls.get());
        Ok(())
    })?
}

/// By level, where what is there is told again and again; by edge nobody tells of it twice.
fn a_closure_that_made_it_up_is_called_again(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = UnixStream::pair()?;
        near.write_all(b"x")?;
        let far = Async::nonblocking(far)?;
        let (calls, may_read) = (Cell::new(0), Cell::new(false));
        let reads = far.read_with(|mut far| match may_read.get() {
            true => far.read(&mut [0; 8]),
            false => refuse(&calls),
        });
        let allows = async {
            sleep(Duration::from_millis(60)).await;
            may_read.set(true);
            near.write_all(b"y")
        };
        let (read, allowed) = zip(reads, allows).await;
        allowed?;
        assert_eq!(read?, 2);
        // The count begins anew: nothing is doubted any more, and nobody rests.
        for _ in 0..100 {
            near.write_all(b"z")?;
            assert_eq!(far.read(&mut [0; 8]).await?, 1);
        }
        Ok(())
    })
}

/// poll(2) says that it is readable, for that is its end; recv(2) knows no end of datagrams.
fn a_datagram_socket_that_was_shut_down_does_not_turn_the_loop(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let theirs = UdpSocket::bind("127.0.0.1:0").await?;
        let ours = UdpSocket::bind("127.0.0.1:0").await?;
        ours.connect(theirs.local_addr()?).await?;
        ours.shutdown(Shutdown::Read)?;
        let turns = turns_beside(&runtime, ours.recv(&mut [0; 8])).await;
        assert!(turns < FEW, "{turns} turns to recv by UDP");

        let (near, far) = UnixDatagram::pair()?;
        near.send(b"x").await?;
        assert_eq!(far.recv(&mut [0; 8]).await?.len(), 1);
        far.shutdown(Shutdown::Read)?;
        let (mut one, mut other) = ([0; 8], [0; 8]);
        let turns = turns_beside(&runtime, far.recv(&mut one)).await;
        assert!(turns < FEW, "{turns} turns to recv");
        let both = zip(far.recv_from(&mut one), far.recv(&mut other));
        let turns = turns_beside(&runtime, both).await;
        assert!(turns < FEW, "{turns} turns to recv twice");
        let turns = turns_beside(&runtime, far.peek(&mut one)).await;
        assert!(turns < FEW, "{turns} turns to peek");
        let polled = poll_fn(|cx| far.poll_recv(cx, &mut one));
        let turns = turns_beside(&runtime, polled).await;
        assert!(turns < FEW, "{turns} turns to poll_recv");
        Ok(())
    })?
}

/// As where `SO_PEEK_OFF` is set, or there is no memory: poll(2) says yes, and the call WouldBlock. By
/// edge nobody would tell of it twice.
fn a_kernel_that_contradicts_itself_does_not_turn_the_loop(variant: Variant) -> io::Result<()> {
    if variant.trigger == Trigger::Edge {
        return Ok(());
    }
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let refuse_all = |call| (0..2 * FEW).for_each(|_| fault::inject(call, libc::EAGAIN));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let near = TcpStream::connect(listener.local_addr()?).await?;
        refuse_all("accept4");
        let turns = turns_beside(&runtime, listener.accept()).await;
        assert!(turns < FEW, "{turns} turns to accept");
        fault::clear();
        let far = listener.accept().await?.0;

        near.write_all(b"x").await?;
        far.readable().await?;
        refuse_all("recv");
        let turns = turns_beside(&runtime, far.read(&mut [0; 8])).await;
        assert!(turns < FEW, "{turns} turns to read");
        fault::clear();
        assert_eq!(far.read(&mut [0; 8]).await?, 1);

        refuse_all("send");
        let turns = turns_beside(&runtime, near.write_all(b"x")).await;
        assert!(turns < FEW, "{turns} turns to write");
        fault::clear();
        near.write_all(b"x").await?;
        assert_eq!(far.read(&mut [0; 8]).await?, 1);
        Ok(())
    })?
}
