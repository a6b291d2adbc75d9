//! Metrics: each counter moves for its own cause, and stands still when nothing happens.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::{Metrics, Runtime, spawn, yield_now};
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, pair, until};

on_every_backend!(
    polls_are_counted_one_by_one,
    tasks_are_counted,
    wakes_by_tasks_are_counted,
    wakes_by_keys_are_counted,
    wakes_by_timers_are_counted,
    messages_from_threads_are_counted,
    keys_and_timers_are_those_of_now,
    a_loop_that_sleeps_takes_no_turns,
    observing_changes_no_counter,
);

/// What `body` adds to the metrics.
fn difference(before: &Metrics, after: &Metrics) -> [u64; 5] {
    [
        after.polls - before.polls,
        after.wakes_by_tasks - before.wakes_by_tasks,
        after.wakes_by_keys - before.wakes_by_keys,
        after.wakes_by_timers - before.wakes_by_timers,
        after.messages_from_threads - before.messages_from_threads,
    ]
}

fn polls_are_counted_one_by_one(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    assert_eq!(runtime.metrics().polls, 0);
    runtime.block_on(async {})?;
    assert_eq!(runtime.metrics().polls, 1);
    runtime.block_on(async {
        for _ in 0..10 {
            yield_now().await;
        }
    })?;
    assert_eq!(runtime.metrics().polls, 1 + 11);
    Ok(())
}

fn tasks_are_counted(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        spawn(pending::<()>()).detach();
        spawn(async {}).await?;
        io::Result::Ok(())
    })??;
    let metrics = runtime.metrics();
    assert_eq!((metrics.spawned, metrics.tasks), (2, 1));
    Ok(())
}

fn wakes_by_tasks_are_counted(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let waker = Rc::new(RefCell::new(None::<Waker>));
        let theirs = Rc::clone(&waker);
        spawn(poll_fn(move |cx| {
            *theirs.borrow_mut() = Some(cx.waker().clone());
            Poll::<()>::Pending
        }))
        .detach();
        yield_now().await;
        let before = runtime.metrics();
        waker
            .borrow()
            .as_ref()
            .expect("it was polled")
            .wake_by_ref();
        let after = runtime.metrics();
        assert_eq!(difference(&before, &after), [0, 1, 0, 0, 0]);
    })
}

fn wakes_by_keys_are_counted(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let before = runtime.block_on(async {
        let (near, far) = pair().await?;
        let reader = spawn(async move { far.read(&mut [0; 8]).await });
        let mut keys = 0;
        while keys == 0 {
            yield_now().await;
            runtime.reactor().for_each_waiter(|_, _| keys += 1);
        }
        let before = runtime.metrics();
        near.write_all(b"x").await?;
        assert_eq!(reader.await??, 1);
        io::Result::Ok(before)
    })??;
    let after = runtime.metrics();
    // One wake by the key; the task that ended woke who joined it.
    assert_eq!(difference(&before, &after)[1..], [1, 1, 0, 0]);
    Ok(())
}

fn wakes_by_timers_are_counted(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async { sleep(Duration::from_millis(1)).await })?;
    let metrics = runtime.metrics();
    assert_eq!((metrics.wakes_by_timers, metrics.wakes_by_tasks), (1, 0));
    assert_eq!(metrics.polls, 2);
    Ok(())
}

fn messages_from_threads_are_counted(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let spawner = runtime.spawner();
    let thread = thread::spawn(move || {
        for _ in 0..100 {
            spawner.spawn(async {}).detach();
        }
    });
    thread.join().expect("the thread did not panic");
    runtime.block_on(until(|| runtime.metrics().spawned == 100))?;
    let metrics = runtime.metrics();
    assert_eq!(metrics.messages_from_threads, 100);
    assert_eq!(metrics.notifier_writes, 1, "one is enough for a hundred");
    Ok(())
}

fn keys_and_timers_are_those_of_now(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (_near, far) = pair().await?;
        let before = runtime.metrics();
        let reader = spawn(async move { far.read(&mut [0; 8]).await }).abort_on_drop();
        let sleeper = spawn(sleep(Duration::from_secs(3600))).abort_on_drop();
        until(|| runtime.metrics().keys == before.keys + 1).await;
        assert_eq!(runtime.metrics().timers, 1);
        drop((reader, sleeper));
        until(|| runtime.metrics().keys == before.keys).await;
        assert_eq!(runtime.metrics().timers, 0);
        io::Result::Ok(())
    })?
}

/// Turns taken while `runtime` sleeps for `time`.
fn turns_of_a_sleep(runtime: &Runtime, time: Duration) -> io::Result<u64> {
    let before = runtime.metrics().turns;
    runtime.block_on(async { sleep(time).await })?;
    Ok(runtime.metrics().turns - before)
}

fn a_loop_that_sleeps_takes_no_turns(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        // Somebody who waits, so that there is something to be idle about.
        let (near, far) = pair().await?;
        spawn(async move { far.read(&mut [0; 8]).await }).detach();
        spawn(async move {
            let _near = near;
            pending::<()>().await;
        })
        .detach();
        io::Result::Ok(())
    })??;
    // The first sleep flushes what is new. A signal may end a wait, so one turn more is no fault;
    // a loop that spins would take thousands.
    turns_of_a_sleep(&runtime, Duration::from_millis(1))?;
    let turns = turns_of_a_sleep(&runtime, Duration::from_millis(100))?;
    assert!((1..=3).contains(&turns), "{turns} turns in one sleep");
    Ok(())
}

fn observing_changes_no_counter(variant: Variant) -> io::Result<()> {
    struct Deaf;

    impl reactor::observe::Observer for Deaf {
        fn event(&self, _: reactor::observe::Event<'_>, _: &'static std::panic::Location<'static>) {
        }
    }

    let run = |observed: bool| {
        let runtime = variant.runtime()?;
        if observed {
            runtime.reactor().observe(Some(Rc::new(Deaf)));
        }
        runtime.block_on(async {
            let (near, far) = pair().await?;
            let before = runtime.metrics();
            let echo = spawn(harness::echo(far));
            for _ in 0..20 {
                harness::round_trip(&near, b"hello").await?;
            }
            drop(near);
            echo.await??;
            sleep(Duration::from_millis(1)).await;
            io::Result::Ok(difference(&before, &runtime.metrics()))
        })?
    };
    assert_eq!(run(true)?, run(false)?);
    Ok(())
}
