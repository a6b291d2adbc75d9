//! The end of a runtime: every task is dropped once, in order, with its reactor still at hand.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use executor::JoinHandle;
use futures_lite::future::{block_on as outside, poll_once};
use reactor::Reactor;
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, pair, serve_echo, until};

on_every_backend!(
    pending_tasks_are_dropped_in_order,
    what_tasks_hold_is_unregistered,
    a_task_spawned_while_the_runtime_ends_is_cancelled,
    a_destructor_that_panics_stops_nobody_else,
    a_runtime_that_never_ran_drops_its_tasks,
    tasks_that_wait_for_each_other_are_dropped,
    many_pending_tasks_are_dropped,
);

/// Runs a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn pending_tasks_are_dropped_in_order(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let dropped = Rc::new(RefCell::new(Vec::new()));
    for number in 0..10 {
        let dropped = Rc::clone(&dropped);
        let last_word = OnDrop(move || dropped.borrow_mut().push(number));
        let task = runtime.spawn(async move {
            let _held = last_word;
            sleep(Duration::from_secs(3600)).await;
        });
        task.detach();
    }
    runtime.block_on(executor::yield_now())?;
    assert!(dropped.borrow().is_empty());
    drop(runtime);
    assert_eq!(*dropped.borrow(), (0..10).collect::<Vec<_>>());
    Ok(())
}

fn what_tasks_hold_is_unregistered(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let reactor: Reactor = runtime.reactor().clone();
    runtime.block_on(async {
        serve_echo().await?;
        let (near, far) = pair().await?;
        executor::spawn(async move { near.read(&mut [0; 8]).await }).detach();
        executor::spawn(async move { far.read(&mut [0; 8]).await }).detach();
        until(|| reactor.keys() == 3).await;
        io::Result::Ok(())
    })??;
    drop(runtime);
    assert_eq!(reactor.keys(), 0);
    Ok(())
}

fn a_task_spawned_while_the_runtime_ends_is_cancelled(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (ran, late) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None)));
    let (running, later) = (Rc::clone(&ran), Rc::clone(&late));
    let spawns = OnDrop(move || {
        let ran = Rc::clone(&running);
        let late = executor::spawn(async move { ran.set(true) });
        assert!(
            late.is_finished(),
            "taken in by a runtime that is at its end"
        );
        *later.borrow_mut() = Some(late);
        // Timers can still be made as well; they are just never due.
        drop(sleep(Duration::ZERO));
    });
    let task = runtime.spawn(async move {
        let _held = spawns;
        pending::<()>().await;
    });
    runtime.block_on(executor::yield_now())?;
    drop(runtime);
    assert!(outside(task).expect_err("it was dropped").is_cancelled());
    let late: JoinHandle<()> = late.take().expect("the destructor ran");
    assert!(late.is_finished());
    assert!(outside(late).expect_err("too late").is_cancelled());
    assert!(!ran.get());
    Ok(())
}

fn a_destructor_that_panics_stops_nobody_else(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let dropped = Rc::new(Cell::new(0));
    for number in 0..6 {
        let dropped = Rc::clone(&dropped);
        let last_word = OnDrop(move || {
            dropped.set(dropped.get() + 1);
            assert!(number % 2 == 0, "the destructor of task {number} fails");
        });
        let task = runtime.spawn(async move {
            let _held = last_word;
            if number < 2 {
                // These are over in time, the others are evicted.
                return;
            }
            pending::<()>().await;
        });
        task.detach();
    }
    runtime.block_on(executor::yield_now())?;
    assert_eq!(dropped.get(), 2);
    drop(runtime);
    assert_eq!(dropped.get(), 6);
    Ok(())
}

fn a_runtime_that_never_ran_drops_its_tasks(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let held = Rc::new(());
    let theirs = Rc::clone(&held);
    let task = runtime.spawn(async move { drop(theirs) });
    drop(runtime);
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(outside(task).expect_err("it never ran").is_cancelled());
    Ok(())
}

fn tasks_that_wait_for_each_other_are_dropped(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let held = Rc::new(());
    let theirs = Rc::clone(&held);
    runtime.block_on(async {
        let mut last = executor::spawn(async move {
            let _held = theirs;
            pending::<()>().await;
        });
        for _ in 0..10 {
            let previous = last;
            last = executor::spawn(async move { previous.await.expect("it never ends") });
        }
        assert!(poll_once(&mut last).await.is_none());
        last.detach();
        executor::yield_now().await;
    })?;
    drop(runtime);
    assert_eq!(Rc::strong_count(&held), 1);
    Ok(())
}

fn many_pending_tasks_are_dropped(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let held = Rc::new(());
    for _ in 0..20_000 {
        let theirs = Rc::clone(&held);
        let task = runtime.spawn(async move {
            let _held = theirs;
            pending::<()>().await;
        });
        task.detach();
    }
    runtime.block_on(executor::yield_now())?;
    assert_eq!(runtime.tasks(), 20_000);
    drop(runtime);
    assert_eq!(Rc::strong_count(&held), 1);
    Ok(())
}
