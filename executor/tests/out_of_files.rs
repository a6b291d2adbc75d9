//! Out of descriptors: `accept` waits instead of spinning or failing, everything else goes on,
//! and connections are accepted as soon as something was closed.
//!
//! A binary of its own, because it lowers the limit of open files.
#![cfg(unix)]

use std::cell::Cell;
use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpStream as Blocking};
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_gettime};
use reactor::net::{TcpListener, TcpStream, UnixDatagram, UnixStream};
use reactor::time::sleep;
use selectors_core::Readiness;

#[macro_use]
mod harness;
use harness::{Variant, pair, round_trip, serve_echo};

on_every_backend!(
    accept_waits_for_descriptors_without_spinning,
    poll_accept_waits_for_descriptors_without_spinning,
    connect_and_bind_say_that_there_are_too_many_files,
    a_runtime_that_cannot_be_opened_is_an_error,
    what_makes_descriptors_says_what_it_tried,
);

/// One at a time: they share the limit of open files.
static ALONE: Mutex<()> = Mutex::new(());

/// Refuses every new descriptor until it is dropped.
struct NoMoreFiles {
    soft: u64,
    hard: u64,
}

impl NoMoreFiles {
    fn new() -> io::Result<Self> {
        // The lowest free number: everything below is in use.
        let lowest_free = File::open("/dev/null")?.as_raw_fd();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, lowest_free as u64, hard)?;
        assert!(
            File::open("/dev/null").is_err(),
            "there is room for one more file"
        );
        Ok(NoMoreFiles { soft, hard })
    }
}

impl Drop for NoMoreFiles {
    fn drop(&mut self) {
        setrlimit(Resource::RLIMIT_NOFILE, self.soft, self.hard).expect("the old limit");
    }
}

fn cpu_time_of_this_thread() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// Counts how often `future` is polled.
async fn counted<F: Future>(polls: &Cell<usize>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(cx)
    })
    .await
}

fn accept_waits_for_descriptors_without_spinning(variant: Variant) -> io::Result<()> {
    waits_for_descriptors(variant, async |listener, polls| {
        counted(polls, listener.accept()).await
    })
}

fn poll_accept_waits_for_descriptors_without_spinning(variant: Variant) -> io::Result<()> {
    waits_for_descriptors(variant, async |listener, polls| {
        counted(polls, poll_fn(|cx| listener.poll_accept(cx))).await
    })
}

fn waits_for_descriptors(
    variant: Variant,
    accept: impl AsyncFn(&TcpListener, &Cell<usize>) -> io::Result<(TcpStream, SocketAddr)> + 'static,
) -> io::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    variant.block_on(async {
        let established = TcpStream::connect(serve_echo().await?).await?;
        round_trip(&established, b"before").await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // Connected as far as they know: the kernel keeps them in the backlog.
        let clients: io::Result<Vec<_>> = (0..3).map(|_| Blocking::connect(address)).collect();
        let clients = clients?;
        let spare = [
            File::open("/dev/null")?,
            File::open("/dev/null")?,
            File::open("/dev/null")?,
        ];
        let limit = NoMoreFiles::new()?;

        let polls = Rc::new(Cell::new(0));
        let polled = Rc::clone(&polls);
        let accepting = executor::spawn(async move {
            let mut accepted = Vec::new();
            while accepted.len() < 3 {
                let (stream, from) = accept(&listener, &polled).await?;
                accepted.push((stream, from));
            }
            io::Result::Ok(accepted)
        });
        for number in 0..200 {
            round_trip(&established, &[number; 500]).await?;
        }

        // Now the loop has nothing to do but to try again now and then.
        let (polls_before, cpu_before) = (polls.get(), cpu_time_of_this_thread()?);
        assert_ne!(polls_before, 0);
        sleep(Duration::from_millis(400)).await;
        let spent = cpu_time_of_this_thread()? - cpu_before;
        assert!(
            !accepting.is_finished(),
            "accepted without a descriptor, or given up"
        );
        let attempts = polls.get() - polls_before;
        assert!(
            attempts <= 20,
            "{attempts} attempts to accept while nothing changed"
        );
        assert!(
            spent < Duration::from_millis(200),
            "{spent:?} of CPU time spent waiting"
        );

        // The limit stays; what makes room is that something is closed.
        drop(spare);
        let accepted = accepting.await??;
        for ((stream, from), client) in accepted.iter().zip(&clients) {
            assert_eq!(*from, client.local_addr()?);
            stream.write_all(b"welcome").await?;
        }
        drop(limit);
        round_trip(&established, b"after").await
    })
}

fn is_too_many_files(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::EMFILE as i32)
        || error.to_string().contains("Too many open files")
}

fn connect_and_bind_say_that_there_are_too_many_files(variant: Variant) -> io::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    variant.block_on(async {
        let address = serve_echo().await?;
        let (near, far) = pair().await?;
        let limit = NoMoreFiles::new()?;
        let error = TcpStream::connect(address)
            .await
            .expect_err("no descriptor");
        assert!(is_too_many_files(&error), "{error}");
        let error = TcpListener::bind("127.0.0.1:0")
            .await
            .expect_err("no descriptor");
        assert!(is_too_many_files(&error), "{error}");
        // What is open goes on.
        near.write_all(b"hello").await?;
        assert_eq!(far.read(&mut [0; 8]).await?, 5);
        drop(limit);
        round_trip(&TcpStream::connect(address).await?, b"after").await
    })
}

fn a_runtime_that_cannot_be_opened_is_an_error(variant: Variant) -> io::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let limit = NoMoreFiles::new()?;
    let error = variant.runtime().expect_err("no descriptor");
    assert!(is_too_many_files(&error), "{error}");
    drop(limit);
    variant.runtime()?.block_on(async {})
}

fn what_makes_descriptors_says_what_it_tried(variant: Variant) -> io::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    variant.block_on(async {
        let (near, _far) = UnixStream::pair()?;
        let limit = NoMoreFiles::new()?;
        let refused = [
            UnixStream::pair().map(drop),
            UnixDatagram::pair().map(drop),
            UnixDatagram::unbound().map(drop),
            near.ready(Readiness::PRIORITY).await.map(drop),
            #[cfg(feature = "signal")]
            reactor::signal::Signals::new([signal_hook::consts::SIGUSR2]).map(drop),
            #[cfg(feature = "signal")]
            reactor::signal::ctrl_c().await,
        ];
        drop(limit);
        for (nth, refused) in refused.into_iter().enumerate() {
            let error = refused.expect_err("no descriptor");
            assert!(is_too_many_files(&error), "{nth}: {error}");
            // One with the errno alone has no text of ours.
            assert_eq!(error.raw_os_error(), None, "{nth}: {error}");
        }
        Ok(())
    })
}
