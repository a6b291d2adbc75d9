//! Traps that hurt users of other runtimes, one test for each.
#![cfg(unix)]

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use executor::{JoinHandle, spawn, yield_now};
use reactor::Async;
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, pair, round_trip, serve_echo, until};

on_every_backend!(
    a_task_is_dropped_by_another_task,
    a_task_s_future_is_dropped_by_another_task,
    a_task_that_holds_its_own_handle_is_dropped,
    a_spawn_inside_drop_runs,
    a_panic_while_tasks_are_dropped_spawns_nothing_twice,
    block_on_takes_futures_that_borrow_locals,
    a_waker_that_panics_in_a_turn_does_not_lose_the_others,
    a_waker_that_panics_for_a_timer_does_not_lose_the_others,
    a_waker_called_inside_a_borrow_of_the_slot,
    bytes_between_the_call_and_the_arming_are_not_lost,
);

fn a_task_is_dropped_by_another_task(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let held = Rc::new(());
        let theirs = Rc::clone(&held);
        // One waits for its socket, the other drops it, and the socket with it.
        let victim = spawn(async move {
            let _held = theirs;
            far.read(&mut [0; 8]).await
        });
        let victim = victim.abort_on_drop();
        until(|| Rc::strong_count(&held) == 2).await;
        yield_now().await;
        spawn(async move { drop(victim) }).await?;
        until(|| Rc::strong_count(&held) == 1).await;
        assert_eq!(near.read(&mut [0; 8]).await?, 0, "the socket is closed");
        Ok(())
    })
}

fn a_task_s_future_is_dropped_by_another_task(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        // The future of a read, polled in one task, and dropped in another.
        let (near, far) = pair().await?;
        let far = Rc::new(far);
        let theirs = Rc::clone(&far);
        let mut read: Pin<Box<dyn Future<Output = _>>> =
            Box::pin(async move { theirs.read(&mut [0; 8]).await });
        let kept = Rc::new(RefCell::new(None));
        let keep = Rc::clone(&kept);
        spawn(async move {
            poll_fn(|cx| {
                assert!(read.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            keep.replace(Some(read));
        })
        .await?;
        spawn(async move { drop(kept.take()) }).await?;
        // Its waker is gone from the slot, and the socket works for the next one.
        near.write_all(b"x").await?;
        assert_eq!(far.read(&mut [0; 8]).await?, 1);
        Ok(())
    })
}

fn a_task_that_holds_its_own_handle_is_dropped(variant: Variant) -> io::Result<()> {
    let held = Rc::new(());
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let own = Rc::new(RefCell::new(None));
        let (theirs, held) = (Rc::clone(&own), Rc::clone(&held));
        let task = spawn(async move {
            let _held = held;
            let handle: executor::AbortOnDrop<()> = theirs.take().expect("it was put there");
            pending::<()>().await;
            drop(handle);
        });
        *own.borrow_mut() = Some(task.abort_on_drop());
        yield_now().await;
        yield_now().await;
    })?;
    drop(runtime);
    assert_eq!(Rc::strong_count(&held), 1);
    Ok(())
}

/// Spawns a task that answers 7 when it is dropped.
struct SpawnsOnDrop(Rc<RefCell<Option<JoinHandle<u8>>>>);

impl Drop for SpawnsOnDrop {
    fn drop(&mut self) {
        *self.0.borrow_mut() = Some(spawn(async {
            sleep(Duration::from_millis(1)).await;
            7
        }));
    }
}

fn a_spawn_inside_drop_runs(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for aborted in [false, true] {
            let handle = Rc::new(RefCell::new(None));
            let spawns = SpawnsOnDrop(Rc::clone(&handle));
            let task = spawn(async move {
                let _spawns = spawns;
                if aborted {
                    pending::<()>().await;
                }
            });
            yield_now().await;
            if aborted {
                task.abort();
            }
            assert_eq!(task.await.is_err(), aborted);
            let late = handle.take().expect("the destructor ran");
            assert_eq!(late.await?, 7);
        }
        Ok(())
    })
}

fn a_panic_while_tasks_are_dropped_spawns_nothing_twice(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let handle = Rc::new(RefCell::new(None));
        let spawns = SpawnsOnDrop(Rc::clone(&handle));
        let task = spawn(async move {
            let _spawns = spawns;
            panic!("with something to drop");
        });
        assert!(task.await.map(|never: ()| never).is_err());
        let late = handle.take().expect("the destructor ran");
        assert_eq!(late.await?, 7);
        Ok(())
    })
}

fn block_on_takes_futures_that_borrow_locals(variant: Variant) -> io::Result<()> {
    let mut log = vec![String::new()];
    let text = String::from("borrowed");
    let runtime = variant.runtime()?;
    for _ in 0..2 {
        runtime.block_on(async {
            let stream = reactor::net::TcpStream::connect(serve_echo().await?).await?;
            round_trip(&stream, text.as_bytes()).await?;
            log.push(text.clone());
            io::Result::Ok(())
        })??;
    }
    assert_eq!(log, ["", "borrowed", "borrowed"]);
    Ok(())
}

/// Polls `future` once with a waker that panics.
fn poll_with_a_panicking_waker<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("the waker panics");
        }
    }
    future.poll(&mut Context::from_waker(&Arc::new(Panics).into()))
}

/// Runs `runtime` until `tasks` are over, although a waker panics on the way.
fn run_through_the_panic<T>(
    runtime: &executor::Runtime,
    tasks: Vec<JoinHandle<T>>,
) -> io::Result<Vec<T>> {
    let mut panics = 0;
    while !tasks.iter().all(JoinHandle::is_finished) {
        let turn = catch_unwind(AssertUnwindSafe(|| runtime.turn(None)));
        match turn {
            Ok(turn) => drop(turn?),
            Err(_) => panics += 1,
        }
    }
    assert_eq!(panics, 1);
    // Nothing is left over of it.
    runtime.block_on(async {
        assert_eq!(runtime.reactor().cause(), reactor::observe::Cause::Task);
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await?);
        }
        Ok(results)
    })?
}

fn a_waker_that_panics_in_a_turn_does_not_lose_the_others(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (near, far) = runtime.block_on(pair())??;
    let far = Rc::new(far);
    // In the middle of a crowd of waiters for one fd is one with a bad waker.
    let mut bad = Box::pin(far.readable());
    let mut tasks = Vec::new();
    for number in 0..5 {
        let theirs = Rc::clone(&far);
        tasks.push(runtime.spawn(async move { theirs.readable().await }));
        runtime.run_until_stalled();
        if number == 2 {
            let _entered = runtime.reactor().enter();
            assert!(poll_with_a_panicking_waker(bad.as_mut()).is_pending());
        }
    }
    runtime.block_on(near.write_all(b"x"))??;
    for readable in run_through_the_panic(&runtime, tasks)? {
        readable?;
    }
    Ok(())
}

fn a_waker_that_panics_for_a_timer_does_not_lose_the_others(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let due = runtime.reactor().now() + Duration::from_millis(2);
    let mut tasks = Vec::new();
    let mut bad = None;
    for number in 0..5 {
        tasks.push(runtime.spawn(async move { reactor::time::sleep_until(due).await }));
        runtime.run_until_stalled();
        if number == 2 {
            let _entered = runtime.reactor().enter();
            let mut timer = Box::pin(reactor::time::sleep_until(due));
            assert!(poll_with_a_panicking_waker(timer.as_mut()).is_pending());
            bad = Some(timer);
        }
    }
    run_through_the_panic(&runtime, tasks)?;
    drop(bad);
    Ok(())
}

/// A waker that uses the socket that it is called for.
fn a_waker_called_inside_a_borrow_of_the_slot(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (near, far) = runtime.block_on(pair())??;
    let wakes = Rc::new(Cell::new(0));
    let task = {
        let (far, wakes) = (Rc::new(far), Rc::clone(&wakes));
        runtime.spawn(async move {
            // Whoever is woken drops the other waiter, within the call of the waker.
            let (one, other) = (Rc::clone(&far), Rc::clone(&far));
            let mut one = Box::pin(async move { one.readable().await });
            let mut other = Some(Box::pin(async move { other.readable().await }));
            poll_fn(move |cx| {
                wakes.set(wakes.get() + 1);
                if wakes.get() == 1 {
                    let polled = other.as_mut().map(|other| other.as_mut().poll(cx));
                    assert!(polled.is_some_and(|polled| polled.is_pending()));
                }
                let ready = one.as_mut().poll(cx);
                if ready.is_ready() {
                    other = None;
                }
                ready
            })
            .await
        })
    };
    runtime.run_until_stalled();
    runtime.block_on(near.write_all(b"x"))??;
    runtime.block_on(task)???;
    assert_eq!(wakes.get(), 2);
    Ok(())
}

fn bytes_between_the_call_and_the_arming_are_not_lost(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        // First with a key that is not registered yet, then with one that is.
        for _ in 0..3 {
            let mut calls = 0;
            let mut byte = [0];
            far.read_with(|mut far| {
                calls += 1;
                let read = io::Read::read(&mut far, &mut byte);
                if calls == 1 {
                    // The kernel has said WouldBlock, and nobody waits yet.
                    assert!(read.is_err());
                    io::Write::write_all(&mut &near, b"x")?;
                }
                read
            })
            .await?;
            assert_eq!((calls, byte), (2, *b"x"));
        }
        Ok(())
    })
}
