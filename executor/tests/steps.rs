//! Whatever the loop does between two looks at the kernel is counted, and nothing of it recurses:
//! hints that are stale, tasks that are dropped, messages of other threads.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::io;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

use executor::{Runtime, yield_now};
use reactor::Trigger;

#[macro_use]
mod harness;
use harness::Variant;

on_every_backend!(
    stale_hints_are_steps_and_do_not_recurse,
    tasks_that_are_dropped_are_steps,
    messages_are_steps,
    messages_leave_half_of_the_steps_to_tasks,
    a_hundred_thousand_wakes_of_one_task_are_one_message,
    a_hundred_thousand_aborts_of_one_task_are_one_message,
);

const MANY: usize = 100_000;
/// Steps between two looks; a part of the contract of the run loop.
const STEPS: usize = 64;

/// Looks at the kernel while `steps` steps are taken that somebody has prepared. By level a pass
/// serves everybody who is queued, whatever it costs.
fn assert_looks(runtime: &Runtime, before: u64, steps: usize) {
    if runtime.reactor().trigger() == Trigger::Edge {
        let looks = (runtime.metrics().turns - before) as usize;
        assert!(
            looks >= steps / STEPS - 2,
            "{looks} looks for {steps} steps"
        );
    }
}

fn stale_hints_are_steps_and_do_not_recurse(variant: Variant) -> io::Result<()> {
    // On a small stack, and in a thread of its own.
    let run = move || {
        let runtime = variant.runtime()?;
        for _ in 0..MANY {
            // Woken in the poll in which it ends: what is left is a hint to nobody.
            let ends = poll_fn(|cx| {
                cx.waker().wake_by_ref();
                Poll::Ready(())
            });
            runtime.spawn(ends).detach();
        }
        let before = runtime.metrics().turns;
        runtime.block_on(async {
            yield_now().await;
            yield_now().await;
        })?;
        assert_eq!(runtime.tasks(), 0);
        assert_looks(&runtime, before, 2 * MANY);
        Ok(())
    };
    let thread = thread::Builder::new().stack_size(256 << 10).spawn(run)?;
    thread.join().expect("it does not overflow")
}

fn tasks_that_are_dropped_are_steps(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let tasks: Vec<_> = (0..10_000)
        .map(|_| runtime.spawn(pending::<()>()))
        .collect();
    runtime.run_until_stalled();
    let before = runtime.metrics().turns;
    runtime.block_on(async {
        tasks.iter().for_each(executor::JoinHandle::abort);
        yield_now().await;
    })?;
    assert_eq!(runtime.tasks(), 0);
    assert_looks(&runtime, before, 10_000);
    Ok(())
}

/// The waker of a task that is over.
fn stale(runtime: &Runtime) -> io::Result<Waker> {
    let task = runtime.spawn(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
    Ok(runtime.block_on(task)??)
}

fn messages_are_steps(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let wakers: Vec<_> = (0..10_000)
        .map(|_| stale(&runtime))
        .collect::<Result<_, _>>()?;
    let mut sent = false;
    let before = runtime.metrics().turns;
    runtime.block_on(poll_fn(|cx| {
        if sent {
            return Poll::Ready(());
        }
        sent = true;
        // The last message is for us.
        let (wakers, own) = (wakers.clone(), cx.waker().clone());
        let send = move || wakers.iter().chain([&own]).for_each(Waker::wake_by_ref);
        thread::spawn(send).join().expect("a thread");
        Poll::Pending
    }))?;
    assert_looks(&runtime, before, 10_000);
    assert!(runtime.metrics().messages_from_threads >= 10_000);
    Ok(())
}

fn messages_leave_half_of_the_steps_to_tasks(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let wakers: Vec<_> = (0..10_000)
        .map(|_| stale(&runtime))
        .collect::<Result<_, _>>()?;
    let polls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&polls);
    let busy = runtime.spawn(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });
    runtime.block_on(yield_now())?;
    let thread = thread::spawn(move || wakers.iter().for_each(Waker::wake_by_ref));
    thread.join().expect("a thread");
    let before = polls.get();
    while runtime.metrics().messages_from_threads < 10_000 {
        runtime.turn(None)?;
    }
    let polls = polls.get() - before;
    assert!(
        polls >= 10_000 - 2 * STEPS,
        "{polls} polls beside 10000 messages"
    );
    busy.abort();
    runtime.run_until_stalled();
    Ok(())
}

fn a_hundred_thousand_wakes_of_one_task_are_one_message(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let dead = stale(&runtime)?;
    let mut woken = false;
    runtime.block_on(poll_fn(|cx| {
        if woken {
            return Poll::Ready(());
        }
        woken = true;
        let (own, dead) = (cx.waker().clone(), dead.clone());
        let wake = move || {
            for _ in 0..MANY {
                own.wake_by_ref();
                dead.wake_by_ref();
            }
        };
        thread::spawn(wake).join().expect("a thread");
        Poll::Pending
    }))?;
    assert_eq!(runtime.metrics().messages_from_threads, 2);
    Ok(())
}

fn a_hundred_thousand_aborts_of_one_task_are_one_message(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let local = runtime.spawn(pending::<()>());
    let (sender, receiver) = mpsc::channel();
    let remote = runtime.spawner().spawn(pending::<()>());
    runtime.run_until_stalled();
    let before = runtime.metrics().messages_from_threads;
    thread::spawn(move || {
        (0..MANY).for_each(|_| remote.abort());
        let _ = sender.send(remote);
    })
    .join()
    .expect("a thread");
    // Outside of its runtime, a handle takes the same way.
    (0..MANY).for_each(|_| local.abort());
    runtime.run_until_stalled();
    assert_eq!(runtime.tasks(), 0);
    assert_eq!(runtime.metrics().messages_from_threads - before, 2);
    let remote = receiver.recv().expect("the handle");
    assert!(local.is_finished() && remote.is_finished());
    Ok(())
}
