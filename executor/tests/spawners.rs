//! Spawning from other threads: results, aborts at every moment, and runtimes that are gone.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::{AbortHandle, LocalSpawner, Runtime, SendHandle, Spawner, yield_now};
use futures_lite::future::block_on as outside;
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, round_trip, serve_echo, until};

on_every_backend!(
    a_task_hands_the_spawner_of_its_runtime_to_a_thread,
    a_stop_is_asked_for_from_another_thread,
    clones_of_an_abort_handle_end_the_task_from_anywhere,
    four_threads_spawn_and_wait_for_their_results,
    a_spawn_ends_the_sleep_of_the_loop,
    a_future_that_cannot_be_sent_is_made_on_the_runtime_s_thread,
    a_panic_is_delivered_to_the_other_thread,
    a_panic_of_what_makes_the_future_is_delivered,
    abort_before_the_runtime_has_made_the_task,
    abort_while_the_task_waits,
    abort_after_the_end_changes_nothing,
    abort_at_any_moment_ends_the_task,
    a_detached_task_runs_on,
    the_handle_can_be_awaited_in_another_runtime,
    a_runtime_dropped_with_the_message_unread_cancels,
    a_runtime_dropped_with_the_task_waiting_cancels,
    a_runtime_that_is_gone_cancels_at_once,
    what_is_still_in_the_mail_is_run_to_its_end,
);

/// Runs `body` on another thread with a spawner, and the runtime here until it is done.
fn with_a_thread<T: Send + 'static>(
    runtime: &Runtime,
    body: impl FnOnce(Spawner) -> T + Send + 'static,
) -> io::Result<T> {
    let spawner = runtime.spawner();
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        let outcome = body(spawner.clone());
        // The last message: it ends the loop below.
        spawner
            .spawn(async move { done.send(()).unwrap() })
            .detach();
        outcome
    });
    runtime.block_on(async {
        while is_done.try_recv().is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    })?;
    Ok(thread.join().expect("the thread did not panic"))
}

fn four_threads_spawn_and_wait_for_their_results(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let address = runtime.block_on(serve_echo())??;
    let sum = with_a_thread(&runtime, move |spawner| {
        let threads = [1, 2, 3, 4].map(|number| {
            let spawner = spawner.clone();
            thread::spawn(move || {
                let mut sum = 0;
                for _ in 0..50 {
                    let task = spawner.spawn_with(move || async move {
                        let stream = reactor::net::TcpStream::connect(address).await?;
                        round_trip(&stream, b"from another thread").await?;
                        io::Result::Ok(number)
                    });
                    sum += outside(task).expect("it was not cancelled").expect("echo");
                }
                sum
            })
        });
        threads
            .map(|thread| thread.join().unwrap())
            .iter()
            .sum::<i32>()
    })?;
    assert_eq!(sum, 50 * (1 + 2 + 3 + 4));
    Ok(())
}

fn a_spawn_ends_the_sleep_of_the_loop(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let spawner = runtime.spawner();
    let root = Arc::new(Mutex::new(None::<Waker>));
    let theirs = Arc::clone(&root);
    // Nothing but the message can end this wait.
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(5));
        let wakes = async move { theirs.lock().unwrap().take().unwrap().wake() };
        spawner.spawn(wakes).detach();
    });
    let mut polls = 0;
    runtime.block_on(poll_fn(|cx| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(());
        }
        *root.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }))?;
    thread.join().expect("the thread did not panic");
    Ok(())
}

fn a_future_that_cannot_be_sent_is_made_on_the_runtime_s_thread(
    variant: Variant,
) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let here = thread::current().id();
    let there = with_a_thread(&runtime, |spawner| {
        outside(spawner.spawn_with(|| async {
            let not_send = Rc::new(Cell::new(0));
            yield_now().await;
            not_send.set(1);
            thread::current().id()
        }))
    })?;
    assert_eq!(there.expect("it was not cancelled"), here);
    Ok(())
}

fn a_panic_is_delivered_to_the_other_thread(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let error = with_a_thread(&runtime, |spawner| {
        let task: SendHandle<()> = spawner.spawn(async { panic!("bad luck") });
        outside(task).expect_err("it panicked")
    })?;
    assert_eq!(error.panic_message(), Some("bad luck"));
    Ok(())
}

fn a_panic_of_what_makes_the_future_is_delivered(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let error = with_a_thread(&runtime, |spawner| {
        let make = || -> std::future::Ready<()> { panic!("nothing is made") };
        outside(spawner.spawn_with(make)).expect_err("it panicked")
    })?;
    assert_eq!(error.panic_message(), Some("nothing is made"));
    Ok(())
}

fn abort_before_the_runtime_has_made_the_task(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let ran = Arc::new(());
    let theirs = Arc::clone(&ran);
    let task = runtime.spawner().spawn(async move {
        let _ran = theirs;
        panic!("it was aborted before it began");
    });
    assert!(task.id().is_none() && !task.is_finished());
    task.abort();
    let error = runtime.block_on(task)?.map(|never: ()| never);
    assert!(error.expect_err("it was aborted").is_cancelled());
    assert_eq!(Arc::strong_count(&ran), 1);
    Ok(())
}

fn abort_while_the_task_waits(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let error = with_a_thread(&runtime, |spawner| {
        let (began, has_begun) = mpsc::channel();
        let task = spawner.spawn(async move {
            began.send(()).unwrap();
            pending::<()>().await;
        });
        has_begun.recv().unwrap();
        assert!(task.id().is_some() && !task.is_finished());
        task.abort();
        outside(task).expect_err("it was aborted")
    })?;
    assert!(error.is_cancelled());
    assert_eq!(runtime.tasks(), 0);
    Ok(())
}

fn abort_after_the_end_changes_nothing(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let task = runtime.spawner().spawn(async { 1 });
    runtime.block_on(until(|| task.is_finished()))?;
    task.abort();
    assert_eq!(outside(task)?, 1);
    Ok(())
}

/// The abort races with the making of the task and its first poll; a lost one never ends.
fn abort_at_any_moment_ends_the_task(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    with_a_thread(&runtime, |spawner| {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..500 {
            let task = spawner.spawn(pending::<()>());
            for _ in 0..random.u32(0..200) {
                std::hint::spin_loop();
            }
            task.abort();
            let error = outside(task).expect_err("it was aborted");
            assert!(error.is_cancelled());
        }
    })?;
    assert_eq!(runtime.tasks(), 0);
    Ok(())
}

fn a_detached_task_runs_on(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (sender, receiver) = mpsc::channel();
    with_a_thread(&runtime, move |spawner| {
        let make = move || async move {
            sleep(Duration::from_millis(1)).await;
            sender.send("done").unwrap();
        };
        spawner.spawn_with(make).detach();
    })?;
    runtime.block_on(until(|| runtime.tasks() == 0))?;
    assert_eq!(receiver.recv(), Ok("done"));
    Ok(())
}

fn the_handle_can_be_awaited_in_another_runtime(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let answer = with_a_thread(&runtime, move |spawner| {
        variant.block_on(async { Ok(spawner.spawn(async { 42 }).await?) })
    })?;
    assert_eq!(answer?, 42);
    Ok(())
}

fn a_runtime_dropped_with_the_message_unread_cancels(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let task = runtime.spawner().spawn(async {});
    let waits = thread::spawn(move || outside(task));
    drop(runtime);
    let error = waits.join().unwrap().expect_err("it was never made");
    assert!(error.is_cancelled());
    Ok(())
}

fn a_runtime_dropped_with_the_task_waiting_cancels(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let task = runtime.spawner().spawn(pending::<()>());
    runtime.block_on(until(|| task.id().is_some()))?;
    let waits = thread::spawn(move || outside(task));
    drop(runtime);
    let error = waits.join().unwrap().expect_err("it was dropped");
    assert!(error.is_cancelled());
    Ok(())
}

fn a_runtime_that_is_gone_cancels_at_once(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let spawner = runtime.spawner();
    assert!(!spawner.is_closed());
    drop(runtime);
    assert!(spawner.is_closed());
    let task = spawner.spawn(async {});
    assert!(task.is_finished());
    task.abort();
    assert!(outside(task).expect_err("nobody was there").is_cancelled());
    let made = spawner.spawn_with(|| async { unreachable!("nobody makes it") });
    let error = outside(made).map(|never: ()| never);
    assert!(error.expect_err("nobody was there").is_cancelled());
    Ok(())
}

fn a_task_hands_the_spawner_of_its_runtime_to_a_thread(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let ours = runtime.spawner();
    let answer = runtime.block_on(async {
        let task = executor::spawn(async {
            let spawner = Spawner::current();
            let sent = thread::spawn(move || spawner.spawn_with(|| async { Spawner::current() }));
            sent.join().expect("the thread").await
        });
        let spawner = task.await??;
        let local = LocalSpawner::current();
        local.spawn_task(async { 1 }).await?;
        io::Result::Ok(spawner.spawn(async { 7 }).await?)
    })??;
    assert_eq!(answer, 7);
    assert!(Spawner::try_current().is_none() && LocalSpawner::try_current().is_none());
    drop(runtime);
    assert!(ours.is_closed());
    Ok(())
}

fn a_stop_is_asked_for_from_another_thread(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let spawner = runtime.spawner();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let spawner = spawner.clone();
            thread::spawn(move || spawner.request_stop())
        })
        .collect();
    let tasks = [(); 10].map(|()| {
        runtime.spawn(async { executor::unless_stopping(std::future::pending::<()>()).await })
    });
    runtime.block_on(executor::stopping())?;
    for task in tasks {
        assert_eq!(runtime.block_on(task)??, None);
    }
    for thread in threads {
        thread.join().expect("it asks");
    }
    drop(runtime);
    // Nobody hears it.
    spawner.request_stop();
    Ok(())
}

fn clones_of_an_abort_handle_end_the_task_from_anywhere(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let spawner = runtime.spawner();
    let task = runtime.spawn(std::future::pending::<()>());
    let guard = runtime.spawn(std::future::pending::<()>()).abort_on_drop();
    let sent = spawner.spawn(std::future::pending::<()>());
    let aborts = [
        task.abort_handle(),
        guard.abort_handle(),
        sent.abort_handle(),
    ];
    assert_eq!(aborts[0].id(), Some(task.id()));
    // That one is not made before its runtime runs.
    assert_eq!(aborts[2].id(), None);
    runtime.run_until_stalled();
    assert_eq!(aborts[2].id(), sent.id());
    let clones = aborts.clone();
    let thread = thread::spawn(move || clones.iter().for_each(AbortHandle::abort));
    runtime.block_on(async {
        assert!(task.await.expect_err("it was aborted").is_cancelled());
        assert!(guard.await.expect_err("it was aborted").is_cancelled());
        assert!(sent.await.expect_err("it was aborted").is_cancelled());
    })?;
    thread.join().expect("it aborts");
    // When the handle is gone.
    let sent = spawner.spawn(std::future::pending::<()>());
    let abort = sent.abort_handle();
    runtime.run_until_stalled();
    sent.detach();
    assert_eq!(runtime.tasks(), 1);
    abort.abort();
    runtime.run_until_stalled();
    assert_eq!(runtime.tasks(), 0);
    // Before it is made; and whoever comes later in the same place is not meant.
    let sent = spawner.spawn(std::future::pending::<()>());
    sent.abort_handle().abort();
    let next = [1, 2, 3].map(|number| runtime.spawn(async move { number }));
    aborts.iter().for_each(AbortHandle::abort);
    assert!(
        runtime
            .block_on(sent)?
            .expect_err("it was aborted")
            .is_cancelled()
    );
    for task in next {
        runtime.block_on(task)??;
    }
    drop(runtime);
    aborts.iter().for_each(AbortHandle::abort);
    Ok(())
}

/// There is no task but those that a thread has sent, and more of them than one pass takes in.
fn what_is_still_in_the_mail_is_run_to_its_end(variant: Variant) -> io::Result<()> {
    const MANY: usize = 200;
    let sent = |runtime: &Runtime| -> Vec<SendHandle<usize>> {
        let spawner = runtime.spawner();
        let send = move || {
            let spawn = |number| spawner.spawn(async move { number });
            (0..MANY).map(spawn).collect()
        };
        thread::spawn(send).join().expect("no panic")
    };
    let all_are_over = |handles: Vec<SendHandle<usize>>| {
        for (number, handle) in handles.into_iter().enumerate() {
            assert!(handle.is_finished(), "{number}");
            assert_eq!(outside(handle).expect("it was run"), number);
        }
    };
    let runtime = variant.runtime()?;
    let handles = sent(&runtime);
    runtime.run()?;
    all_are_over(handles);

    let runtime = variant.runtime()?;
    let handles = sent(&runtime);
    let shutdown = runtime.shutdown(Duration::from_secs(60))?;
    assert_eq!((shutdown.ended, shutdown.dropped), (MANY, 0));
    all_are_over(handles);
    Ok(())
}
