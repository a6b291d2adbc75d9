//! Waiting without making a call: `readable`, `writable` and `ready` say what poll(2) says, whoever
//! makes the call, on every pollable fd; and nothing that lasts makes a loop turn for nothing.
#![cfg(unix)]

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::{poll_once, zip};
use reactor::net::UdpSocket;
use reactor::time::sleep;
use reactor::{Async, Direction, errno_of};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use selectors_core::{Backend, Readiness, poll_now};
use socket2::SockRef;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    every_pollable_fd_is_readable_when_poll_says_so_and_not_before,
    who_makes_the_call_does_not_matter,
    writable_is_what_poll_says,
    poll_style_forms_say_the_same,
    a_readable_socket_is_told_to_all_who_ask,
    what_a_call_said_can_be_told_and_nothing_is_lost,
    each_interest_can_be_awaited_with_the_rest,
    a_lasting_condition_that_nobody_asked_for_does_not_turn_the_loop,
    a_lasting_condition_that_a_call_does_not_clear_does_not_turn_the_loop,
    a_file_is_always_readable,
    an_fd_without_events_says_so_where_the_kernel_does,
    every_socket_and_half_takes_calls_of_the_program,
    a_short_read_of_what_is_no_tcp_proves_nothing,
);

/// Polls `future` to its end, and says how often.
async fn counted<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut polls = 0;
    let mut future = pin!(future);
    let output = poll_fn(|cx| {
        polls += 1;
        future.as_mut().poll(cx)
    })
    .await;
    (output, polls)
}

/// Waits until `source` is readable, which `make_ready` brings about and `use_up` ends.
async fn check<T: AsFd + 'static>(
    what: &str,
    source: Async<T>,
    make_ready: impl FnOnce() -> io::Result<()>,
    use_up: impl FnOnce(&T) -> io::Result<()>,
) -> io::Result<()> {
    let says_poll = |source: &Async<T>| {
        let now = poll_now(source, Readiness::READABLE).expect("an open fd");
        !now.is_empty()
    };
    assert!(
        poll_once(source.readable()).await.is_none(),
        "{what}: fresh"
    );
    let waits = async {
        source.readable().await?;
        assert!(says_poll(&source), "{what}: told too early");
        io::Result::Ok(())
    };
    let (waited, made) = zip(counted(waits), async {
        for _ in 0..3 {
            executor::yield_now().await;
        }
        make_ready()
    })
    .await;
    made?;
    let (told, polls) = waited;
    told?;
    assert!(polls < 8, "{what}: {polls} polls of one wait");
    assert!(
        poll_once(source.readable()).await.is_some(),
        "{what}: still"
    );
    use_up(source.get_ref())?;
    assert!(!says_poll(&source));
    assert!(
        poll_once(source.readable()).await.is_none(),
        "{what}: used up"
    );
    Ok(())
}

fn every_pollable_fd_is_readable_when_poll_says_so_and_not_before(
    variant: Variant,
) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = UnixStream::pair()?;
        check(
            "socket",
            Async::nonblocking(far)?,
            || near.write_all(b"x"),
            |mut far| far.read(&mut [0; 8]).map(drop),
        )
        .await?;

        let (reader, writer) = rustix::pipe::pipe()?;
        check(
            "pipe",
            Async::nonblocking(reader)?,
            || Ok(rustix::io::write(&writer, b"x").map(drop)?),
            |reader| Ok(rustix::io::read(reader, &mut [0; 8]).map(drop)?),
        )
        .await?;

        let event = eventfd(0, EventfdFlags::NONBLOCK)?;
        let theirs = event.try_clone()?;
        check(
            "eventfd",
            Async::new(event),
            || Ok(rustix::io::write(&theirs, &1_u64.to_ne_bytes()).map(drop)?),
            |event| Ok(rustix::io::read(event, &mut [0; 8]).map(drop)?),
        )
        .await?;

        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        let theirs = timer.try_clone()?;
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec {
                tv_sec: 0,
                tv_nsec: 1_000_000,
            },
        };
        check(
            "timerfd",
            Async::new(timer),
            || Ok(timerfd_settime(&theirs, TimerfdTimerFlags::empty(), &once).map(drop)?),
            |timer| Ok(rustix::io::read(timer, &mut [0; 8]).map(drop)?),
        )
        .await?;

        // Nothing is read from a pidfd, and nothing ends it.
        let mut child = Command::new("sleep").arg("100").spawn()?;
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
        let pidfd = Async::new(pidfd);
        assert!(poll_once(pidfd.readable()).await.is_none(), "it lives");
        let (told, killed) = zip(counted(pidfd.readable()), async { child.kill() }).await;
        killed?;
        told.0?;
        assert!(told.1 < 8, "{} polls of a pidfd", told.1);
        assert!(child.try_wait()?.is_some(), "it is over");
        Ok(())
    })
}

fn who_makes_the_call_does_not_matter(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        // The program's own call, on the object.
        let us = Rc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let peer = UdpSocket::bind("127.0.0.1:0").await?;
        let to = us.local_addr()?;
        // A library's, on an fd of its own.
        let (lib, mut far) = UnixStream::pair()?;
        lib.set_nonblocking(true)?;
        let watch = Async::new(lib.try_clone()?);
        let tries = Cell::new(0);
        let own = async {
            loop {
                us.readable().await?;
                tries.set(tries.get() + 1);
                match rustix::net::recv(&us, &mut [0; 8], RecvFlags::DONTWAIT) {
                    Err(Errno::AGAIN) => {}
                    received => return received.map(|(bytes, _)| bytes).map_err(io::Error::from),
                }
            }
        };
        let library = async {
            loop {
                watch.readable().await?;
                tries.set(tries.get() + 1);
                match (&lib).read(&mut [0; 8]) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => return read,
                }
            }
        };
        let others = async {
            // Runs, beside two that wait.
            for _ in 0..20 {
                executor::yield_now().await;
            }
            peer.send_to(b"hi", to).await?;
            far.write_all(b"hello")
        };
        let before = runtime.metrics().polls;
        let ((own, library), sent) = zip(zip(own, library), others).await;
        sent?;
        assert_eq!((own?, library?), (2, 5));
        assert!(tries.get() <= 4, "{} tries for two messages", tries.get());
        assert!(runtime.metrics().polls - before < 60);
        Ok(())
    })?
}

fn writable_is_what_poll_says(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        let far = Async::nonblocking(far)?;
        assert!(poll_once(far.writable()).await.is_some());
        // Filled behind its back.
        while far.get_ref().write(&[0; 4096]).is_ok() {}
        assert!(poll_once(far.writable()).await.is_none());
        let (told, ()) = zip(counted(far.writable()), async {
            executor::yield_now().await;
            let mut sink = vec![0; 1 << 16];
            while (&near).read(&mut sink).is_ok() {}
        })
        .await;
        told.0?;
        assert!(told.1 < 8, "{} polls", told.1);
        assert!((far.get_ref()).write(b"x").is_ok());
        Ok(())
    })
}

fn poll_style_forms_say_the_same(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        let readable = || poll_fn(|cx| far.poll_readable(cx));
        assert!(poll_once(readable()).await.is_none());
        near.write_all(b"x")?;
        let (told, polls) = counted(readable()).await;
        told?;
        assert!(polls < 8);
        assert!(poll_once(readable()).await.is_some());
        assert_eq!(far.get_ref().read(&mut [0; 8])?, 1);
        assert!(poll_once(readable()).await.is_none());
        assert!(
            poll_once(poll_fn(|cx| far.poll_writable(cx)))
                .await
                .is_some()
        );
        while far.get_ref().write(&[0; 4096]).is_ok() {}
        assert!(
            poll_once(poll_fn(|cx| far.poll_writable(cx)))
                .await
                .is_none()
        );
        Ok(())
    })
}

fn a_readable_socket_is_told_to_all_who_ask(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = UnixStream::pair()?;
        let far = Rc::new(Async::nonblocking(far)?);
        let all: Vec<_> = (0..5)
            .map(|_| {
                let far = Rc::clone(&far);
                executor::spawn(async move { far.readable().await })
            })
            .collect();
        executor::yield_now().await;
        near.write_all(b"x")?;
        for told in all {
            told.await.expect("no panic")?;
        }
        Ok(())
    })
}

fn what_a_call_said_can_be_told_and_nothing_is_lost(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        let read = || far.read_with(|mut far| far.read(&mut [0; 8]));
        assert!(poll_once(read()).await.is_none());
        near.write_all(b"x")?;
        far.readable().await?;
        // Not true: it would be lost by edge, if it were believed.
        far.clear_readiness(Direction::Read)?;
        assert_eq!(read().await?, 1);
        far.clear_readiness(Direction::Read)?;
        let calls = Cell::new(0);
        let counted = far.read_with(|mut far| {
            calls.set(calls.get() + 1);
            far.read(&mut [0; 8])
        });
        let (read, sent) = zip(counted, async {
            executor::yield_now().await;
            near.write_all(b"yz")
        })
        .await;
        sent?;
        assert_eq!((read?, calls.get()), (2, 1), "it waited without a try");
        Ok(())
    })
}

fn each_interest_can_be_awaited_with_the_rest(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let near = std::net::TcpStream::connect(listener.local_addr()?)?;
        let far = Async::nonblocking(listener.accept()?.0)?;
        let both = Readiness::READABLE | Readiness::PRIORITY;
        assert!(poll_once(far.ready(both)).await.is_none());
        let (found, sent) = zip(far.ready(both), async {
            executor::yield_now().await;
            SockRef::from(&near).send_out_of_band(b"!")
        })
        .await;
        sent?;
        assert!(found?.is_priority());
        let (found, sent) = zip(far.ready(Readiness::READABLE), async {
            executor::yield_now().await;
            (&near).write_all(b"bytes")
        })
        .await;
        sent?;
        assert!(found?.is_readable());
        let all = both | Readiness::WRITABLE | Readiness::ERROR;
        let found = far.ready(all).await?;
        assert!(found.is_writable() && found.is_readable());

        // Full, so that WRITABLE has to be waited for; and nobody reads.
        let (reader, writer) = rustix::pipe::pipe()?;
        let writer: Async<OwnedFd> = Async::nonblocking(writer)?;
        while rustix::io::write(writer.get_ref(), &[0; 4096]).is_ok() {}
        assert!(poll_once(writer.ready(Readiness::WRITABLE)).await.is_none());
        let (found, read) = zip(
            writer.ready(Readiness::WRITABLE | Readiness::ERROR),
            async {
                executor::yield_now().await;
                rustix::io::read(&reader, &mut vec![0; 1 << 16])
            },
        )
        .await;
        read?;
        assert!(found?.is_writable());
        if variant.backend != Backend::Select {
            let (found, ()) = zip(writer.ready(Readiness::ERROR), async {
                executor::yield_now().await;
                drop(reader);
            })
            .await;
            assert!(found?.is_error());
        }
        let nothing = writer.ready(Readiness::EMPTY).await;
        assert_eq!(
            nothing.expect_err("nothing is asked").kind(),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(runtime.reactor().keys(), 0, "no key is left");
        Ok(())
    })?
}

/// Turns while `waits` waits, which it does in vain.
async fn turns_beside(
    runtime: &executor::Runtime,
    waits: impl Future<Output = io::Result<()>>,
) -> io::Result<u64> {
    let mut waits = pin!(waits);
    let before = runtime.reactor().metrics().turns;
    for _ in 0..20 {
        let ticks = sleep(Duration::from_millis(5));
        let over = futures_lite::future::or(async { Some(waits.as_mut().await) }, async {
            ticks.await;
            None
        });
        assert!(over.await.is_none(), "it waits for something else");
    }
    Ok(runtime.reactor().metrics().turns - before)
}

/// A hundred milliseconds of turns that find nothing are tens of thousands.
const FEW: u64 = 1000;

fn a_lasting_condition_that_nobody_asked_for_does_not_turn_the_loop(
    variant: Variant,
) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (reader, writer) = rustix::pipe::pipe()?;
        let writer: Async<OwnedFd> = Async::nonblocking(writer)?;
        drop(reader);
        let urgent = async { writer.ready(Readiness::PRIORITY).await.map(drop) };
        let turns = turns_beside(&runtime, urgent).await?;
        assert!(turns < FEW, "{turns} turns for nothing");
        Ok(())
    })?
}

fn a_lasting_condition_that_a_call_does_not_clear_does_not_turn_the_loop(
    variant: Variant,
) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        // As a socket whose error queue nobody reads: the kernel reports an error, the call says
        // WouldBlock.
        let (reader, writer) = rustix::pipe::pipe()?;
        let writer: Async<OwnedFd> = Async::nonblocking(writer)?;
        drop(reader);
        let turns = turns_beside(&runtime, writer.read_with(|_| Err(Errno::AGAIN.into()))).await?;
        assert!(turns < FEW, "{turns} turns for nothing");

        // Beside it everything goes on, and so does this key once there is something.
        let (near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        let calls = Cell::new(0_u32);
        let read = far.read_with(|mut far| {
            calls.set(calls.get() + 1);
            far.read(&mut [0; 8])
        });
        let (read, sent) = zip(read, async {
            executor::yield_now().await;
            (&near).write_all(b"x")
        })
        .await;
        sent?;
        assert_eq!(read?, 1);
        Ok(())
    })?
}

/// Waits with a call of the program's own on this socket, which `send` ends.
macro_rules! own_calls {
    ($socket:expr, $send:expr) => {{
        let socket = $socket;
        let receive = || Ok(rustix::net::recv(socket, &mut [0; 8], RecvFlags::DONTWAIT)?.1);
        let nothing = socket.try_io(Direction::Read, receive);
        assert_eq!(
            nothing.expect_err("nothing came").kind(),
            io::ErrorKind::WouldBlock
        );
        let calls = Cell::new(0);
        let receives = socket.async_io(Direction::Read, || {
            calls.set(calls.get() + 1);
            receive()
        });
        let (received, sent) = zip(receives, async {
            executor::yield_now().await;
            $send.await
        })
        .await;
        assert_eq!((received?, sent?), (2, 2));
        assert!(calls.get() <= 2, "{} calls", calls.get());
        let found = socket
            .ready(Readiness::READABLE | Readiness::WRITABLE)
            .await?;
        assert!(found.is_writable() && !found.is_readable());
        let send = || {
            Ok(rustix::net::send(
                socket,
                b"hi",
                rustix::net::SendFlags::DONTWAIT,
            )?)
        };
        assert_eq!(socket.try_io(Direction::Write, send)?, 2);
        assert_eq!(socket.async_io(Direction::Write, send).await?, 2);
    }};
}

fn every_socket_and_half_takes_calls_of_the_program(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = reactor::net::UnixStream::pair()?;
        own_calls!(&far, near.write(b"hi"));
        let (reader, writer) = far.split();
        let fd = far.as_fd();
        let receive = || Ok(rustix::net::recv(fd, &mut [0; 8], RecvFlags::DONTWAIT)?.1);
        let (received, sent) = zip(reader.async_io(Direction::Read, receive), async {
            executor::yield_now().await;
            near.write(b"hi").await
        })
        .await;
        assert_eq!((received?, sent?), (2, 2));
        let sent = writer.async_io(Direction::Write, || {
            Ok(rustix::net::send(
                fd,
                b"ho",
                rustix::net::SendFlags::DONTWAIT,
            )?)
        });
        assert_eq!(sent.await?, 2);

        let (one, two) = (
            UdpSocket::bind("127.0.0.1:0").await?,
            UdpSocket::bind("127.0.0.1:0").await?,
        );
        one.connect(two.local_addr()?).await?;
        two.connect(one.local_addr()?).await?;
        own_calls!(&one, two.send(b"hi"));
        let (one, two) = reactor::net::UnixDatagram::pair()?;
        own_calls!(&one, two.send(b"hi"));

        let listener = reactor::net::TcpListener::bind("127.0.0.1:0").await?;
        let accept = || Ok(rustix::net::accept(&listener)?);
        assert!(listener.try_io(Direction::Read, accept).is_err());
        let (accepted, connected) = zip(
            listener.async_io(Direction::Read, accept),
            reactor::net::TcpStream::connect(listener.local_addr()?),
        )
        .await;
        accepted?;
        connected?;
        Ok(())
    })
}

/// A Unix socket that somebody has put into a `TcpStream` of std: a read stops behind a message
/// that carries fds, and the rest is still there.
fn a_short_read_of_what_is_no_tcp_proves_nothing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let carried = near.try_clone()?;
        let far = std::net::TcpStream::from(OwnedFd::from(far));
        let far = reactor::net::TcpStream::from_std(far)?;
        let mut buffer = [0; 64];
        assert!(poll_once(far.read(&mut buffer)).await.is_none());
        send_with_fd(&near, b"one", &carried)?;
        (&near).write_all(b"two")?;
        assert_eq!(far.read(&mut buffer).await?, 3);
        assert_eq!(far.read(&mut buffer).await?, 3, "behind the fd");
        assert!(poll_once(far.read(&mut buffer)).await.is_none());
        Ok(())
    })
}

fn send_with_fd(socket: &UnixStream, bytes: &[u8], carried: &UnixStream) -> io::Result<()> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [carried.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    let slices = [io::IoSlice::new(bytes)];
    sendmsg(socket, &slices, &mut control, SendFlags::empty())?;
    Ok(())
}

fn a_file_is_always_readable(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let file = Async::new(std::fs::File::open("/proc/self/stat")?);
        for _ in 0..3 {
            file.readable().await?;
            assert_ne!(file.get_ref().read(&mut [0; 1])?, 0);
        }
        Ok(())
    })
}

fn an_fd_without_events_says_so_where_the_kernel_does(variant: Variant) -> io::Result<()> {
    let refuses = matches!(variant.backend, Backend::Epoll | Backend::Kqueue);
    variant.block_on(async {
        for path in ["/dev/null", "/", "Cargo.toml"] {
            let file = Async::new(std::fs::File::open(path)?);
            let both = Readiness::READABLE | Readiness::WRITABLE;
            assert_eq!(
                file.ready(both | Readiness::PRIORITY).await?,
                both,
                "{path}"
            );
            let waits = poll_once(file.ready(Readiness::PRIORITY)).await;
            if !refuses {
                assert!(waits.is_none(), "{path}");
                continue;
            }
            let error = waits.expect("an answer").expect_err("no events");
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{path}: {error}");
            assert_eq!(errno_of(&error), Some(libc::EPERM), "{path}: {error}");
            assert!(error.to_string().starts_with("ready: "), "{path}: {error}");
        }
        Ok(())
    })
}
