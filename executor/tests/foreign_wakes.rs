//! Wakes from other threads: none is lost, and the notifier is written only for a loop that
//! would not look by itself.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

#[macro_use]
mod harness;
use harness::{Variant, proc_number, until};

on_every_backend!(
    a_hundred_thousand_wakes_from_four_threads_all_count,
    wakes_to_a_loop_that_is_awake_cost_one_write_at_most,
    a_wake_ends_the_sleep_of_a_quiet_loop,
    a_wake_between_two_runs_is_not_lost,
    a_wake_after_the_end_is_ignored,
);

const THREADS: usize = 4;
const WAKES: usize = 25_000;

/// What one thread has sent, and what the loop has seen of it.
#[derive(Default)]
struct Channel {
    sent: AtomicUsize,
    seen: AtomicUsize,
}

/// How often this thread has called write(2); wakes make no other use of it.
fn writes() -> io::Result<u64> {
    proc_number("/proc/thread-self/io", "syscw")
}

/// Wakes in bursts, and waits after each one until the loop has seen it: a lost wake stops here
/// for ever. Returns the number of writes to the notifier.
fn wake_in_bursts(channel: &Channel, waker: &Waker, seed: u64) -> io::Result<u64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let before = writes()?;
    let mut sent = 0;
    while sent < WAKES {
        for _ in 0..random.usize(1..=100).min(WAKES - sent) {
            sent += 1;
            channel.sent.store(sent, Ordering::Relaxed);
            waker.wake_by_ref();
        }
        while channel.seen.load(Ordering::Relaxed) != sent {
            thread::yield_now();
        }
    }
    Ok(writes()? - before)
}

fn a_hundred_thousand_wakes_from_four_threads_all_count(variant: Variant) -> io::Result<()> {
    let channels: Arc<[Channel; THREADS]> = Arc::default();
    let mut polls = 0;
    let mut threads = Vec::new();
    variant.runtime()?.block_on(poll_fn(|cx| {
        polls += 1;
        if threads.is_empty() {
            for number in 0..THREADS {
                let (channels, waker) = (Arc::clone(&channels), cx.waker().clone());
                threads.push(thread::spawn(move || {
                    wake_in_bursts(&channels[number], &waker, number as u64)
                }));
            }
        }
        let mut total = 0;
        for channel in channels.iter() {
            let sent = channel.sent.load(Ordering::Relaxed);
            channel.seen.store(sent, Ordering::Relaxed);
            total += sent;
        }
        if total == THREADS * WAKES {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }))?;
    let mut written = 0;
    for thread in threads {
        written += thread.join().expect("a waking thread")?;
    }
    // Every sleep is ended by mail, and mail is a poll; one more notification may come too late
    // for the sleep it was meant for.
    assert!(
        written <= 2 * polls + 2,
        "{written} writes for {polls} polls"
    );
    Ok(())
}

fn wakes_to_a_loop_that_is_awake_cost_one_write_at_most(variant: Variant) -> io::Result<()> {
    let mut written = None;
    variant.runtime()?.block_on(poll_fn(|cx| {
        if written.is_some() {
            return Poll::Ready(());
        }
        // The loop is busy in this very poll until the thread is done.
        let waker = cx.waker().clone();
        let count = move || -> io::Result<u64> {
            let before = writes()?;
            (0..1000).for_each(|_| waker.wake_by_ref());
            Ok(writes()? - before)
        };
        written = Some(thread::spawn(count).join().expect("the waking thread"));
        Poll::Pending
    }))?;
    let written = written.expect("it was polled")?;
    assert!(written <= 1, "{written} writes for one poll");
    Ok(())
}

fn a_wake_ends_the_sleep_of_a_quiet_loop(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        // Long enough without mail for the loop to sleep without saying so.
        for _ in 0..100 {
            reactor::time::sleep(Duration::from_micros(100)).await;
        }
        for _ in 0..20 {
            let mut thread = None;
            poll_fn(|cx| match thread.take() {
                None => {
                    let waker = cx.waker().clone();
                    thread = Some(thread::spawn(move || {
                        thread::sleep(Duration::from_millis(2));
                        waker.wake();
                    }));
                    Poll::Pending
                }
                Some(thread) => Poll::Ready(thread),
            })
            .await
            .join()
            .expect("the waking thread");
        }
        Ok(())
    })
}

fn a_wake_between_two_runs_is_not_lost(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (sender, receiver) = mpsc::channel::<Waker>();
    let mut polls = 0;
    let task = runtime.spawn(poll_fn(move |cx| {
        polls += 1;
        let _ = sender.send(cx.waker().clone());
        if polls == 2 {
            Poll::Ready(polls)
        } else {
            Poll::Pending
        }
    }));
    runtime.block_on(async { executor::yield_now().await })?;
    let waker = receiver.recv().expect("the task was polled");
    thread::spawn(|| waker.wake())
        .join()
        .expect("the waking thread");
    assert_eq!(runtime.block_on(task)??, 2);
    Ok(())
}

fn a_wake_after_the_end_is_ignored(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (sender, receiver) = mpsc::channel::<Waker>();
    let stale = runtime.block_on(async {
        executor::spawn(poll_fn(move |cx| {
            let _ = sender.send(cx.waker().clone());
            Poll::Ready(())
        }))
        .await?;
        let stale = receiver.recv().expect("the task was polled");
        // The next task lives where the first one lived. It is polled when it is woken, and not
        // when somebody wakes the one before it.
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let successor = executor::spawn(poll_fn(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        }));
        until(|| polls.load(Ordering::Relaxed) == 1).await;
        stale.wake_by_ref();
        let foreign = stale.clone();
        thread::spawn(move || foreign.wake())
            .join()
            .expect("the waking thread");
        for _ in 0..10 {
            executor::yield_now().await;
        }
        assert_eq!(
            polls.load(Ordering::Relaxed),
            1,
            "a stale waker woke another task"
        );
        drop(successor);
        io::Result::Ok(stale)
    })??;
    // Now the runtime is gone as well.
    drop(runtime);
    stale.wake();
    Ok(())
}
