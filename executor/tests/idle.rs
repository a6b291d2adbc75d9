//! Thousands of idle connections: while nothing happens the loop does not run at all, and one
//! active connection among them is served as if it were alone.
//!
//! A binary of its own, because it raises the limit of open files.
#![cfg(unix)]

use std::future::poll_fn;
use std::io;
use std::iter;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use reactor::net::TcpStream;
use selectors_core::Backend;

#[macro_use]
mod harness;
use harness::{Variant, proc_number, round_trip, serve_echo, thread_number, until};

on_every_backend!(idle_connections_cost_nothing_and_one_active_one_is_served);

/// One at a time: they share the limit of open files.
static ALONE: Mutex<()> = Mutex::new(());

const FEW: usize = 1000;
/// With select(2) every wait looks at all fds, and 1000 are painful enough.
const MANY: usize = 5000;
/// Connections made at once: far less than the backlog of the listener.
const BATCH: usize = 250;
/// Descriptors for everything else.
const SPARE: u64 = 100;

/// How many connections fit, both ends in this process.
fn connections(backend: Backend) -> io::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = 2 * MANY as u64 + SPARE;
    if soft < wanted && wanted <= hard {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    let enough = getrlimit(Resource::RLIMIT_NOFILE)?.0 >= wanted;
    Ok(if enough && backend != Backend::Select {
        MANY
    } else {
        FEW
    })
}

/// How often a thread has left the CPU, of its own will or not. Every turn that waits adds one.
fn switches(thread: &str) -> io::Result<u64> {
    let status = format!("/proc/self/task/{thread}/status");
    Ok(proc_number(&status, "voluntary_ctxt_switches")?
        + proc_number(&status, "nonvoluntary_ctxt_switches")?)
}

fn sleeps(thread: &str) -> io::Result<bool> {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat"))?;
    // The state follows the name, which is in parentheses and may hold anything.
    Ok(stat
        .rsplit(") ")
        .next()
        .is_some_and(|rest| rest.starts_with('S')))
}

/// How often `thread` ran in a time in which it had nothing to do. A thread that sleeps before
/// and after, and has not left the CPU in between, has made no system call.
fn runs_while_idle(thread: &str) -> io::Result<u64> {
    // It has to fall asleep first: wait until it keeps still.
    let mut before = switches(thread)?;
    for sample in 0.. {
        assert!(sample < 1000, "the loop does not come to rest");
        thread::sleep(Duration::from_millis(20));
        let now = switches(thread)?;
        if now == before && sleeps(thread)? {
            break;
        }
        before = now;
    }
    thread::sleep(Duration::from_millis(300));
    assert!(sleeps(thread)?, "the loop is not even asleep");
    Ok(switches(thread)? - before)
}

/// Lets the loop sleep, and asks another thread what it saw meanwhile.
async fn watched_from_outside() -> io::Result<u64> {
    let number = thread_number()?;
    let done = Arc::new(AtomicBool::new(false));
    let mut watching = None;
    poll_fn(|cx| {
        watching.get_or_insert_with(|| {
            let (number, done, waker) = (number.clone(), Arc::clone(&done), cx.waker().clone());
            thread::spawn(move || {
                let runs = runs_while_idle(&number);
                done.store(true, Ordering::Release);
                waker.wake();
                runs
            })
        });
        if done.load(Ordering::Acquire) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    watching
        .expect("it was polled")
        .join()
        .expect("the watching thread")
}

fn idle_connections_cost_nothing_and_one_active_one_is_served(variant: Variant) -> io::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let count = connections(variant.backend)?;
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let address = serve_echo().await?;
        let mut idle = Vec::new();
        while idle.len() < count {
            // Many at once: a wait on poll(2) costs in proportion to all that is there already.
            let connect = || executor::spawn(TcpStream::connect(address));
            for connecting in iter::repeat_with(connect).take(BATCH).collect::<Vec<_>>() {
                // Both ends wait: the server's task for a message, the client's for an answer.
                let stream = Rc::new(connecting.await??);
                let waiting = Rc::clone(&stream);
                executor::spawn(async move { waiting.read(&mut [0; 64]).await }).detach();
                idle.push(stream);
            }
        }
        let active = TcpStream::connect(address).await?;
        round_trip(&active, b"the first").await?;
        until(|| runtime.reactor().keys() == 2 * count + 3).await;

        assert_eq!(
            watched_from_outside().await?,
            0,
            "the loop ran with nothing to do"
        );
        for number in 0..20 {
            round_trip(&active, &[number; 100]).await?;
        }
        assert_eq!(
            watched_from_outside().await?,
            0,
            "the loop ran after the activity"
        );

        // One that was idle all the time speaks up, while its other end still waits.
        idle[count / 2].write_all(b"hello").await?;
        until(|| runtime.tasks() == 2 * count + 1).await;
        Ok(())
    })?
}
