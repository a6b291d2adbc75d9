//! However a task ends, its keys are unregistered and its descriptors closed, and the rest runs
//! on.
//!
//! A binary of its own, because it compares what /proc/self/fd lists.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_lite::future::{or, poll_once};
use reactor::net::{TcpListener, TcpStream};
use reactor::time::{sleep, timeout};

#[macro_use]
mod harness;
use harness::{Variant, echo, pair, round_trip, serve_echo, until};

on_every_backend!(
    a_task_that_panics_closes_its_socket,
    a_task_that_panics_while_it_waits_closes_its_socket,
    an_aborted_task_closes_the_socket_that_it_waits_for,
    a_read_dropped_in_the_middle_loses_nothing,
    a_task_dropped_in_the_middle_of_a_read_closes_its_socket,
    a_dropped_runtime_closes_everything,
    a_socket_outlives_its_runtime_and_is_closed_later,
    a_socket_that_lives_on_elsewhere_disturbs_nobody,
);

/// One test at a time: what the others open would be counted.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is open: the number, and what it leads to.
fn open_files() -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        // The listing's own descriptor is in the list, and gone by now.
        if let Ok(target) = fs::read_link(entry.path()) {
            files.insert(entry.file_name().to_string_lossy().into_owned(), target);
        }
    }
    files.retain(|_, target| !target.ends_with("fd"));
    Ok(files)
}

/// The socket itself, which keeps its name while numbers are used again.
fn socket(fd: impl AsFd) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

fn is_open(socket: &PathBuf) -> io::Result<bool> {
    Ok(open_files()?.values().any(|open| open == socket))
}

/// Runs `body` with a neighbour that is served before and after, and checks that nothing is left.
fn leaves_nothing(
    variant: Variant,
    body: impl AsyncFnOnce(TcpStream, TcpStream) -> io::Result<()>,
) -> io::Result<()> {
    let _alone = alone();
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let neighbour = TcpStream::connect(serve_echo().await?).await?;
        round_trip(&neighbour, b"before").await?;
        let (keys, tasks, files) = (runtime.reactor().keys(), runtime.tasks(), open_files()?);

        let (near, far) = pair().await?;
        body(near, far).await?;

        round_trip(&neighbour, b"after").await?;
        assert_eq!(runtime.tasks(), tasks);
        assert_eq!(runtime.reactor().keys(), keys);
        assert_eq!(open_files()?, files);
        Ok(())
    })?
}

fn a_task_that_panics_closes_its_socket(variant: Variant) -> io::Result<()> {
    leaves_nothing(variant, async |near, far| {
        let name = socket(&far)?;
        let task = executor::spawn(async move {
            let mut byte = [0];
            far.read_exact(&mut byte).await.expect("one byte");
            panic!("the task has had enough of {}", byte[0]);
        });
        until(|| true).await;
        near.write_all(&[7]).await?;
        let error = match task.await {
            Ok(never) => never,
            Err(error) => error,
        };
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(error.panic_message(), Some("the task has had enough of 7"));
        assert!(!is_open(&name)?);
        // The peer sees an end, not silence.
        assert_eq!(near.read(&mut [0; 8]).await?, 0);
        Ok(())
    })
}

fn a_task_that_panics_while_it_waits_closes_its_socket(variant: Variant) -> io::Result<()> {
    leaves_nothing(variant, async |near, far| {
        let name = socket(&far)?;
        // The read is still waiting in the slot when its task panics.
        let task = executor::spawn(async move {
            or(async { far.read(&mut [0; 8]).await.map(drop) }, async {
                sleep(Duration::from_millis(1)).await;
                panic!("while the read waits");
            })
            .await
        });
        assert!(task.await.expect_err("it panicked").is_panic());
        assert!(!is_open(&name)?);
        assert_eq!(near.read(&mut [0; 8]).await?, 0);
        Ok(())
    })
}

fn an_aborted_task_closes_the_socket_that_it_waits_for(variant: Variant) -> io::Result<()> {
    leaves_nothing(variant, async |near, far| {
        let name = socket(&far)?;
        let task = executor::spawn(echo(far));
        round_trip(&near, b"it waits for more").await?;
        task.abort();
        assert!(!task.is_finished(), "it ends in the loop, not in the call");
        assert!(task.await.expect_err("it was aborted").is_cancelled());
        assert!(!is_open(&name)?);
        assert_eq!(near.read(&mut [0; 8]).await?, 0);
        Ok(())
    })
}

fn a_read_dropped_in_the_middle_loses_nothing(variant: Variant) -> io::Result<()> {
    leaves_nothing(variant, async |near, far| {
        let mut buffer = [0; 16];
        for round in 0..20 {
            let given_up = timeout(Duration::from_micros(300), far.read(&mut buffer)).await;
            assert!(given_up.is_err());
            near.write_all(&[round; 3]).await?;
            if round % 2 == 0 {
                // The bytes are there before anybody waits for them again.
                sleep(Duration::from_micros(300)).await;
            }
            assert_eq!(far.read(&mut buffer).await?, 3);
            assert_eq!(buffer[..3], [round; 3]);
        }
        Ok(())
    })
}

fn a_task_dropped_in_the_middle_of_a_read_closes_its_socket(variant: Variant) -> io::Result<()> {
    leaves_nothing(variant, async |near, far| {
        let name = socket(&far)?;
        let mut echoing = Box::pin(echo(far));
        assert!(poll_once(&mut echoing).await.is_none());
        // Its key is armed, and its event is on the way when it goes.
        near.write_all(b"too late").await?;
        drop(echoing);
        assert!(!is_open(&name)?);
        // Unread bytes make it a reset.
        let end = near.read(&mut [0; 8]).await.map_err(|error| error.kind());
        assert!(
            matches!(end, Ok(0) | Err(io::ErrorKind::ConnectionReset)),
            "{end:?}"
        );
        Ok(())
    })
}

fn a_dropped_runtime_closes_everything(variant: Variant) -> io::Result<()> {
    let _alone = alone();
    let files = open_files()?;
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let address = serve_echo().await?;
        for _ in 0..20 {
            let stream = TcpStream::connect(address).await?;
            round_trip(&stream, b"hello").await?;
            executor::spawn(async move { stream.read(&mut [0; 8]).await }).detach();
        }
        executor::spawn(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
            let waiting = timeout(Duration::from_secs(3600), listener.accept());
            let _ = waiting.await;
        })
        .detach();
        executor::spawn(pending::<()>()).detach();
        until(|| runtime.reactor().keys() == 42).await;
        io::Result::Ok(())
    })??;
    assert_eq!(runtime.tasks(), 43);
    drop(runtime);
    assert_eq!(open_files()?, files);
    Ok(())
}

fn a_socket_outlives_its_runtime_and_is_closed_later(variant: Variant) -> io::Result<()> {
    let _alone = alone();
    let files = open_files()?;
    let runtime = variant.runtime()?;
    let (near, far) = runtime.block_on(async {
        let (near, far) = pair().await?;
        // Registered, with nobody waiting.
        assert!(poll_once(near.read(&mut [0; 8])).await.is_none());
        io::Result::Ok((near, far))
    })??;
    drop(runtime);
    assert!(is_open(&socket(&near)?)?);
    drop((near, far));
    assert_eq!(open_files()?, files);
    Ok(())
}

/// Closing a socket unregisters it, but for one that lives on, by a duplicate or in another process:
/// its events are nobody's, they keep nobody awake, and the next one of its number has its own.
fn a_socket_that_lives_on_elsewhere_disturbs_nobody(variant: Variant) -> io::Result<()> {
    let _alone = alone();
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let neighbour = TcpStream::connect(serve_echo().await?).await?;
        for _ in 0..3 {
            let (near, far) = pair().await?;
            let lives_on = far.as_fd().try_clone_to_owned()?;
            assert!(poll_once(far.read(&mut [0])).await.is_none());
            drop(far);
            let (peer, next) = pair().await?;
            let mut buffer = [0; 8];
            let mut read = pin!(next.read(&mut buffer));
            assert!(poll_once(read.as_mut()).await.is_none());
            near.write_all(b"nobody").await?;
            let turns = runtime.metrics().turns;
            sleep(Duration::from_millis(5)).await;
            let turns = runtime.metrics().turns - turns;
            assert!(turns < 50, "it turned {turns} times");
            assert!(poll_once(read.as_mut()).await.is_none());
            peer.write_all(b"x").await?;
            assert_eq!(read.await?, 1);
            round_trip(&neighbour, b"beside").await?;
            // It comes back, perhaps under the number that it had.
            let back = std::net::TcpStream::from(lives_on);
            let back = TcpStream::from_std(back)?;
            assert_eq!(back.read(&mut [0; 8]).await?, 6);
            assert!(poll_once(back.read(&mut [0])).await.is_none());
            near.write_all(b"again").await?;
            assert_eq!(back.read(&mut [0; 8]).await?, 5);
        }
        Ok(())
    })?
}
