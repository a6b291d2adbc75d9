//! `Async` over fds that are no sockets: pipes, eventfd, timerfd, inotify, and a number that is
//! handed back.
#![cfg(unix)]

use std::cell::Cell;
use std::env;
use std::fs::{self, File};
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::pin::pin;
use std::process;
use std::time::{Duration, Instant};

use futures_lite::future::{poll_once, zip};
use reactor::Async;
use reactor::time::sleep;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify;
use rustix::io::{read, write};
use rustix::pipe::pipe;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use selectors_core::Backend;
use socket2::SockRef;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{Variant, pattern};

on_every_backend!(
    a_pipe_carries_more_than_it_holds,
    a_pipe_without_readers_is_broken_for_a_waiting_writer,
    a_pipe_without_writers_is_over_for_a_waiting_reader,
    an_eventfd_wakes_who_reads_it,
    a_timerfd_is_never_early,
    inotify_tells_of_a_new_file,
    a_source_handed_back_is_open_and_not_registered,
    two_sources_of_one_file_do_not_disturb_each_other,
    urgent_data_is_told_apart_from_what_can_be_read,
    a_writer_learns_that_its_reader_has_gone,
);

/// A pipe, both ends in non-blocking mode.
fn watched_pipe() -> io::Result<(Async<File>, Async<File>)> {
    let (reader, writer) = pipe()?;
    Ok((
        Async::nonblocking(reader.into())?,
        Async::nonblocking(writer.into())?,
    ))
}

fn a_pipe_carries_more_than_it_holds(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = watched_pipe()?;
        let message = pattern(5, 1_000_000);
        let mut copy = Vec::new();
        let (sent, read) = zip(
            async {
                writer.write_all(&message).await?;
                drop(writer);
                io::Result::Ok(())
            },
            reader.read_to_end(&mut copy),
        )
        .await;
        sent?;
        assert_eq!(read?, message.len());
        assert!(copy == message);
        Ok(())
    })
}

fn a_pipe_without_readers_is_broken_for_a_waiting_writer(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = watched_pipe()?;
        while poll_once(writer.write(&[0; 4096])).await.is_some() {}
        let (written, ()) = zip(writer.write(&[0; 4096]), async {
            executor::yield_now().await;
            drop(reader);
        })
        .await;
        assert_eq!(
            written.expect_err("nobody reads").kind(),
            ErrorKind::BrokenPipe
        );
        Ok(())
    })
}

fn a_pipe_without_writers_is_over_for_a_waiting_reader(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = watched_pipe()?;
        let mut buffer = [0; 8];
        let (read, ()) = zip(reader.read(&mut buffer), async {
            executor::yield_now().await;
            drop(writer);
        })
        .await;
        assert_eq!(read?, 0);
        Ok(())
    })
}

/// The 8 bytes of a counter, as one number.
fn counter(source: &impl AsFd) -> io::Result<u64> {
    let mut bytes = [0; 8];
    assert_eq!(read(source, &mut bytes)?, 8);
    Ok(u64::from_ne_bytes(bytes))
}

fn an_eventfd_wakes_who_reads_it(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let event: Async<OwnedFd> = Async::new(eventfd(0, EventfdFlags::NONBLOCK)?);
        let theirs = event.get_ref().try_clone()?;
        assert!(poll_once(event.read_with(counter)).await.is_none());
        let thread = std::thread::spawn(move || write(&theirs, &7_u64.to_ne_bytes()));
        assert_eq!(event.read_with(counter).await?, 7);
        assert_eq!(thread.join().expect("no panic")?, 8);
        assert!(poll_once(event.read_with(counter)).await.is_none());
        Ok(())
    })
}

fn a_timerfd_is_never_early(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        let timer = Async::new(timer);
        let period = Timespec {
            tv_sec: 0,
            tv_nsec: 5_000_000,
        };
        let every = Itimerspec {
            it_interval: period,
            it_value: period,
        };
        let start = Instant::now();
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &every)?;
        let mut expired = 0;
        while expired < 4 {
            expired += timer.read_with(counter).await?;
            assert!(start.elapsed() >= Duration::from_millis(5 * expired));
        }
        Ok(())
    })
}

fn inotify_tells_of_a_new_file(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let folder = env::temp_dir().join(format!("reactor-inotify-{}-{variant:?}", process::id()));
        fs::create_dir_all(&folder)?;
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK)?;
        inotify::add_watch(&watch, &folder, inotify::WatchFlags::CREATE)?;
        let watch = Async::new(watch);
        let next = |watch: &OwnedFd| {
            let mut space = [MaybeUninit::uninit(); 512];
            let mut reader = inotify::Reader::new(watch, &mut space);
            let event = reader.next()?;
            Ok(event
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()))
        };
        assert!(poll_once(watch.read_with(next)).await.is_none());
        let (name, made) = zip(watch.read_with(next), async {
            executor::yield_now().await;
            File::create(folder.join("new"))
        })
        .await;
        made?;
        assert_eq!(name?.as_deref(), Some("new"));
        fs::remove_dir_all(&folder)
    })
}

fn a_source_handed_back_is_open_and_not_registered(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (reader, writer) = watched_pipe()?;
        let number = reader.as_fd().as_raw_fd();
        let mut buffer = [0; 8];
        assert!(poll_once(reader.read(&mut buffer)).await.is_none());
        assert_eq!(runtime.reactor().keys(), 1);
        let mut file = reader.into_inner()?;
        assert_eq!(runtime.reactor().keys(), 0, "its key is gone");
        assert_eq!(file.as_raw_fd(), number);
        writer.get_ref().write_all(b"open")?;
        assert_eq!(file.read(&mut buffer)?, 4, "and it is open");
        // It can come back, and hears its events again.
        let reader = Async::new(file);
        let (read, sent) = zip(reader.read(&mut buffer), writer.write_all(b"again")).await;
        sent?;
        assert_eq!(read?, 5);
        Ok(())
    })?
}

fn two_sources_of_one_file_do_not_disturb_each_other(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = watched_pipe()?;
        let other = Async::new(reader.get_ref().try_clone()?);
        let mut buffer = [0; 8];
        assert!(
            poll_once(reader.readable()).await.is_none(),
            "nothing is there"
        );
        assert!(poll_once(other.read(&mut [0; 8])).await.is_none());
        assert!(poll_once(reader.read(&mut buffer)).await.is_none());
        // One number is closed; the file lives on under the other one.
        drop(other);
        let (read, sent) = zip(reader.read(&mut buffer), writer.write_all(b"on")).await;
        sent?;
        assert_eq!(read?, 2);
        Ok(())
    })
}

fn urgent_data_is_told_apart_from_what_can_be_read(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let near = std::net::TcpStream::connect(listener.local_addr()?)?;
        let far = Async::nonblocking(listener.accept()?.0)?;
        let polls = Cell::new(0);
        let mut waiting = pin!(far.exceptional());
        let counted = poll_fn(|cx| {
            polls.set(polls.get() + 1);
            waiting.as_mut().poll(cx)
        });
        let sender = executor::spawn(async move {
            (&near).write_all(b"bytes that nobody reads")?;
            // Each of these is a turn at least; a key that is ready would wake in every one.
            for _ in 0..40 {
                sleep(Duration::from_millis(1)).await;
            }
            SockRef::from(&near).send_out_of_band(b"!").map(|_| near)
        });
        let found = counted.await?;
        assert!(found.is_priority() && !found.is_error() && !found.is_hangup());
        assert!(
            polls.get() < 20,
            "{} polls: bytes to read end the wait",
            polls.get()
        );
        assert!(far.exceptional().await?.is_priority(), "it lasts");
        assert_eq!(runtime.reactor().keys(), 0, "and leaves no key");
        sender.await.expect("no panic").map(drop)
    })?
}

fn a_writer_learns_that_its_reader_has_gone(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (reader, writer) = watched_pipe()?;
        assert!(poll_once(writer.exceptional()).await.is_none());
        if variant.backend == Backend::Select {
            // select(2) has no word for it, as documented; asked later, poll(2) has.
            drop(reader);
            assert!(writer.exceptional().await?.is_error());
            return Ok(());
        }
        let (found, ()) = zip(writer.exceptional(), async {
            executor::yield_now().await;
            drop(reader);
        })
        .await;
        assert!(found?.is_error());
        Ok(())
    })
}
