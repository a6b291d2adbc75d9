//! The runtime as a guest: in a host's own loop, step by step, and two of them on one thread.
#![cfg(unix)]

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use executor::{JoinHandle, Runtime, spawn, yield_now};
use futures_lite::future::block_on as outside;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use reactor::time::{interval, pause, sleep};
use reactor::{Async, Trigger};

#[macro_use]
mod harness;
use harness::{EPOLL_EDGE, EPOLL_LEVEL, Variant, pair, round_trip, serve_echo};

on_every_backend!(
    a_runtime_runs_until_no_task_is_left,
    one_task_is_polled_at_a_time,
    an_entered_runtime_takes_in_and_does_not_run,
    entered_runtimes_are_left_in_order,
    run_until_stalled_runs_all_that_can_run,
    run_until_stalled_asks_no_kernel,
    run_until_stalled_takes_in_what_other_threads_sent,
    run_until_stalled_ends_although_a_task_uses_up_its_budget,
    a_turn_waits_no_longer_than_it_may,
    turns_alone_drive_an_echo,
    next_timeout_says_when_to_come_back,
    a_paused_clock_of_a_guest_goes_on_by_itself,
    two_runtimes_on_one_thread_wake_each_other,
);

fn run_until_stalled_runs_all_that_can_run(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    assert!(!runtime.run_until_stalled());
    let done = Rc::new(Cell::new(0));
    let theirs = Rc::clone(&done);
    let task = runtime.spawn(async move {
        for _ in 0..200 {
            let theirs = Rc::clone(&theirs);
            spawn(async move { theirs.set(theirs.get() + 1) }).await?;
            yield_now().await;
        }
        sleep(Duration::from_secs(3600)).await;
        io::Result::Ok(())
    });
    assert!(runtime.run_until_stalled());
    assert_eq!(done.get(), 200);
    assert!(!task.is_finished());
    assert!(!runtime.run_until_stalled());
    Ok(())
}

fn run_until_stalled_asks_no_kernel(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    for _ in 0..100 {
        runtime.spawn(async { yield_now().await }).detach();
    }
    runtime.run_until_stalled();
    assert_eq!((runtime.tasks(), runtime.metrics().turns), (0, 0));
    Ok(())
}

fn run_until_stalled_takes_in_what_other_threads_sent(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let task = runtime.spawner().spawn(async { 7 });
    assert!(runtime.run_until_stalled());
    assert_eq!(outside(task)?, 7);
    Ok(())
}

fn run_until_stalled_ends_although_a_task_uses_up_its_budget(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (near, far) = runtime.block_on(pair())??;
    let task = runtime.spawn(async move {
        for _ in 0..1000 {
            near.write_all(b"x").await?;
            far.read_exact(&mut [0]).await?;
        }
        io::Result::Ok(())
    });
    while !task.is_finished() {
        runtime.run_until_stalled();
        runtime.turn(Some(Duration::ZERO))?;
    }
    outside(task)?
}

fn a_turn_waits_no_longer_than_it_may(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.spawn(pending::<()>()).detach();
    runtime.run_until_stalled();
    let start = Instant::now();
    let turn = runtime.turn(Some(Duration::from_millis(3)))?;
    assert!(start.elapsed() >= Duration::from_millis(3));
    assert_eq!((turn.ready, turn.timers), (0, 0));
    // What ends in the first half of a step is what we wait for: no turn may sleep after it.
    let task = runtime.spawn(async { spawn(async { 5 }).await });
    while !task.is_finished() {
        runtime.turn(None)?;
    }
    assert_eq!(outside(task)??, 5);
    Ok(())
}

fn turns_alone_drive_an_echo(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let task = runtime.spawn(async {
        let stream = reactor::net::TcpStream::connect(serve_echo().await?).await?;
        for _ in 0..20 {
            round_trip(&stream, b"turn by turn").await?;
        }
        io::Result::Ok(())
    });
    while !task.is_finished() {
        runtime.turn(None)?;
    }
    outside(task)?
}

fn next_timeout_says_when_to_come_back(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    assert_eq!(runtime.next_timeout(), None);
    let hour = Duration::from_secs(3600);
    let task = runtime.spawn(async move { sleep(hour).await });
    assert_eq!(runtime.next_timeout(), Some(Duration::ZERO), "it is woken");
    runtime.run_until_stalled();
    let timeout = runtime.next_timeout().expect("there is a timer");
    assert!(timeout <= hour && timeout > hour / 2);
    assert!(
        runtime
            .next_timeout()
            .is_some_and(|timeout| timeout > hour / 2),
        "asked again"
    );
    task.abort();
    runtime.run_until_stalled();
    let message = runtime.spawner().spawn(async {});
    assert_eq!(
        runtime.next_timeout(),
        Some(Duration::ZERO),
        "there is mail"
    );
    runtime.run_until_stalled();
    assert!(message.is_finished());
    // To have asked does no harm to a loop that waits by itself.
    let _ = runtime.next_timeout();
    let turns = runtime.metrics().turns;
    runtime.block_on(async { sleep(Duration::from_millis(50)).await })?;
    assert!(runtime.metrics().turns - turns <= 4, "it spins");
    Ok(())
}

fn a_paused_clock_of_a_guest_goes_on_by_itself(variant: Variant) -> io::Result<()> {
    const HOUR: Duration = Duration::from_secs(3600);
    let runtime = variant.runtime()?;
    let now = || runtime.reactor().now();
    let task = runtime.spawn(async {
        pause();
        sleep(HOUR).await;
        let mut ticks = interval(HOUR);
        for _ in 0..3 {
            ticks.tick().await;
        }
    });
    let (mut steps, start) = (0, now());
    while !task.is_finished() {
        assert_eq!(runtime.next_timeout(), Some(Duration::ZERO));
        runtime.turn(Some(Duration::ZERO))?;
        steps += 1;
        assert!(steps < 1000, "its clock stands still");
    }
    assert!(now() - start >= 3 * HOUR);
    outside(task)?;

    // A step that may wait waits so long, on that clock.
    let task = runtime.spawn(async { sleep(HOUR).await });
    runtime.run_until_stalled();
    let start = now();
    runtime.turn(Some(HOUR / 2))?;
    assert_eq!((now() - start, task.is_finished()), (HOUR / 2, false));
    runtime.turn(None)?;
    assert_eq!((now() - start, task.is_finished()), (HOUR, true));
    // Nor does it move while somebody can run, or where nobody waits for it.
    let sleeper = runtime.spawn(async { sleep(HOUR).await });
    let busy = runtime.spawn(async {
        for _ in 0..300 {
            yield_now().await;
        }
    });
    while !busy.is_finished() {
        assert_eq!((now() - start, sleeper.is_finished()), (HOUR, false));
        runtime.turn(Some(Duration::ZERO))?;
    }
    drop(sleeper.abort_on_drop());
    runtime.run_until_stalled();
    let start = now();
    assert_eq!(runtime.next_timeout(), None);
    runtime.turn(Some(Duration::ZERO))?;
    assert_eq!(now(), start);
    Ok(())
}

/// A host that knows nothing but poll(2): runs `runtime` until `task` is over.
fn host<T>(runtime: &Runtime, host_fd: &OwnedFd, task: &JoinHandle<T>) -> io::Result<u32> {
    let mut waits = 0;
    while !task.is_finished() {
        let timeout = match runtime.next_timeout() {
            // Rounded up: better a little late than a turn for nothing.
            Some(timeout) => {
                let millis = timeout.as_nanos().div_ceil(1_000_000);
                PollTimeout::try_from(millis).map_err(io::Error::other)?
            }
            None => PollTimeout::NONE,
        };
        poll(
            &mut [PollFd::new(host_fd.as_fd(), PollFlags::POLLIN)],
            timeout,
        )?;
        runtime.turn(Some(Duration::ZERO))?;
        waits += 1;
    }
    Ok(waits)
}

fn a_host_loop_runs_sockets_timers_and_threads(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let host_fd = runtime.reactor().host_fd()?;
    let task = runtime.spawn(async {
        let start = Instant::now();
        let stream = reactor::net::TcpStream::connect(serve_echo().await?).await?;
        for _ in 0..20 {
            round_trip(&stream, b"a guest").await?;
        }
        sleep(Duration::from_millis(20)).await;
        assert!(start.elapsed() >= Duration::from_millis(20));
        io::Result::Ok(())
    });
    host(&runtime, &host_fd, &task)?;
    outside(task)??;

    // Wakes from another thread, one by one, each to a host that is asleep in its own poll(2).
    let (wakers, received) = mpsc::channel::<Waker>();
    let thread = thread::spawn(move || {
        for waker in received {
            thread::sleep(Duration::from_millis(1));
            waker.wake();
        }
    });
    let mut polls = 0;
    let task = runtime.spawn(poll_fn(move |cx| {
        polls += 1;
        if polls == 50 {
            return Poll::Ready(());
        }
        wakers.send(cx.waker().clone()).expect("the thread listens");
        Poll::Pending
    }));
    let waits = host(&runtime, &host_fd, &task)?;
    assert!(waits < 500, "the host spins: {waits} waits for 50 wakes");
    outside(task)?;
    thread.join().expect("the thread did not panic");
    Ok(())
}

#[test]
fn a_host_loop_runs_an_edge_triggered_guest() -> io::Result<()> {
    harness::run(
        "host edge",
        EPOLL_EDGE,
        a_host_loop_runs_sockets_timers_and_threads,
    )
}

#[test]
fn a_host_loop_runs_a_level_triggered_guest() -> io::Result<()> {
    harness::run(
        "host level",
        EPOLL_LEVEL,
        a_host_loop_runs_sockets_timers_and_threads,
    )
}

#[test]
fn select_and_poll_have_no_fd_for_a_host() -> io::Result<()> {
    for variant in [harness::SELECT, harness::POLL] {
        let refused = variant.runtime()?.reactor().host_fd().map(drop);
        assert_eq!(
            refused.expect_err("no fd").kind(),
            io::ErrorKind::Unsupported
        );
    }
    Ok(())
}

/// What a turn would do, and the kernel does not tell of.
fn a_host_hears_of_all_that_is_to_be_looked_after(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let host_fd = runtime.reactor().host_fd()?;
    let by_and_by = |act: Box<dyn FnOnce() + Send>| {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(60));
            act();
        })
    };

    // By level: a key that was parked while its task did something else.
    let (mut near, far) = std::os::unix::net::UnixStream::pair()?;
    let mut theirs = near.try_clone()?;
    let far = {
        let _entered = runtime.enter();
        reactor::net::UnixStream::from_std(far)?
    };
    let task = runtime.spawn(async move {
        far.readable().await?;
        sleep(Duration::from_millis(2)).await;
        assert_eq!(far.read(&mut [0; 8]).await?, 1);
        far.read(&mut [0; 8]).await
    });
    runtime.turn(Some(Duration::ZERO))?;
    near.write_all(b"x")?;
    let writer = by_and_by(Box::new(move || {
        theirs.write_all(b"yz").expect("it writes");
    }));
    host(&runtime, &host_fd, &task)?;
    assert_eq!(outside(task)??, 2);
    writer.join().expect("it ends");

    // By level: a key that rests, because what is ready helps nobody yet.
    if variant.trigger == Trigger::Level {
        let (mut near, far) = std::os::unix::net::UnixStream::pair()?;
        near.write_all(b"x")?;
        let allowed = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&allowed);
        let task = runtime.spawn(async move {
            let far = Async::nonblocking(far)?;
            far.read_with(|mut far| match allowed.load(Ordering::Relaxed) {
                true => far.read(&mut [0; 8]),
                false => Err(io::ErrorKind::WouldBlock.into()),
            })
            .await
        });
        let allows = by_and_by(Box::new(move || theirs.store(true, Ordering::Relaxed)));
        let waits = host(&runtime, &host_fd, &task)?;
        assert!(waits < 300, "the host spins: {waits}");
        assert_eq!(outside(task)??, 1);
        allows.join().expect("it ends");
    }

    // By edge: the second of a crowd, to whom no event comes.
    let (near, far) = {
        let _entered = runtime.enter();
        reactor::net::UnixDatagram::pair()?
    };
    let far = Rc::new(far);
    let tasks = [(); 2].map(|()| {
        let far = Rc::clone(&far);
        runtime.spawn(async move { far.recv(&mut [0; 8]).await.map(drop) })
    });
    runtime.turn(Some(Duration::ZERO))?;
    near.try_send(b"one")?;
    near.try_send(b"two")?;
    for task in tasks {
        host(&runtime, &host_fd, &task)?;
        outside(task)??;
    }
    Ok(())
}

#[test]
fn a_host_hears_of_all_by_edge() -> io::Result<()> {
    let hears = a_host_hears_of_all_that_is_to_be_looked_after;
    harness::run("host hears by edge", EPOLL_EDGE, hears)
}

#[test]
fn a_host_hears_of_all_by_level() -> io::Result<()> {
    let hears = a_host_hears_of_all_that_is_to_be_looked_after;
    harness::run("host hears by level", EPOLL_LEVEL, hears)
}

/// What one runtime hands to the other.
type Mailbox = Rc<(Cell<u32>, Cell<Option<Waker>>)>;

/// Passes a number back and forth: waits in `ours` for the next one, and puts it into `theirs`.
async fn play(ours: Mailbox, theirs: Mailbox, rounds: u32) {
    for _ in 0..rounds {
        let before = ours.0.get();
        let number = poll_fn(|cx| {
            if ours.0.get() != before {
                return Poll::Ready(ours.0.get());
            }
            ours.1.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
        theirs.0.set(number + 1);
        if let Some(waker) = theirs.1.take() {
            waker.wake();
        }
    }
}

fn two_runtimes_on_one_thread_wake_each_other(variant: Variant) -> io::Result<()> {
    let (left, right) = (variant.runtime()?, variant.runtime()?);
    let (a, b) = (Mailbox::default(), Mailbox::default());
    let one = left.spawn(play(Rc::clone(&a), Rc::clone(&b), 100));
    let other = right.spawn(play(Rc::clone(&b), Rc::clone(&a), 100));
    left.run_until_stalled();
    right.run_until_stalled();
    // The first ball, from outside both of them.
    a.0.set(1);
    a.1.take().expect("the left one waits").wake();
    while !(one.is_finished() && other.is_finished()) {
        // A wake of the other runtime is left in its inbox, and ends its wait.
        left.turn(Some(Duration::from_millis(100)))?;
        right.turn(Some(Duration::from_millis(100)))?;
    }
    assert_eq!((a.0.get(), b.0.get()), (201, 200));
    // Each in a `block_on` of its own works as well.
    left.block_on(async { sleep(Duration::from_millis(1)).await })?;
    right.block_on(async { sleep(Duration::from_millis(1)).await })?;
    Ok(())
}

fn a_runtime_runs_until_no_task_is_left(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.run()?;
    let done = Rc::new(Cell::new(0));
    for delay in [5, 1] {
        let done = Rc::clone(&done);
        let task = runtime.spawn(async move {
            sleep(Duration::from_millis(delay)).await;
            let theirs = Rc::clone(&done);
            spawn(async move { theirs.set(theirs.get() + 1) }).detach();
            done.set(done.get() + 1);
        });
        task.detach();
    }
    runtime.run()?;
    assert_eq!((done.get(), runtime.tasks()), (4, 0));
    Ok(())
}

fn one_task_is_polled_at_a_time(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let order = Rc::new(RefCell::new(Vec::new()));
    let task = |number: usize| {
        let order = Rc::clone(&order);
        runtime.spawn(async move {
            for _ in 0..2 {
                order.borrow_mut().push(number);
                yield_now().await;
            }
        })
    };
    let tasks = [0, 1, 2].map(task);
    assert!(!tasks[2].is_finished());
    for polls in 1..=9 {
        assert!(runtime.try_run_one());
        assert_eq!(order.borrow().len(), polls.min(6));
        assert_eq!(runtime.metrics().polls as usize, polls);
    }
    assert_eq!(*order.borrow(), [0, 1, 2, 0, 1, 2]);
    assert!(!runtime.try_run_one());
    assert_eq!((runtime.tasks(), runtime.metrics().turns), (0, 0));
    // What was aborted is passed over, what another thread has sent is found.
    let aborted = runtime.spawn(pending::<()>());
    aborted.abort();
    let spawner = runtime.spawner();
    thread::spawn(move || spawner.spawn(async {}).detach())
        .join()
        .expect("the thread");
    assert!(runtime.try_run_one() && !runtime.try_run_one());
    assert_eq!(runtime.tasks(), 0);
    Ok(())
}

fn an_entered_runtime_takes_in_and_does_not_run(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let entered = runtime.enter();
    let task = spawn(async { sleep(Duration::from_millis(1)).await });
    let timer = sleep(Duration::from_millis(1));
    assert_eq!(
        executor::Spawner::try_current().map(|it| it.is_closed()),
        Some(false)
    );
    assert!(!task.is_finished());
    // To wait for it outside would be for ever.
    let waiting = std::panic::AssertUnwindSafe(|| outside(spawn(async {})));
    assert!(std::panic::catch_unwind(waiting).is_err());
    // Nor is there a budget that nobody would ever refill.
    outside(async {
        for _ in 0..1000 {
            executor::consume_budget().await;
        }
    });
    runtime.block_on(async {
        timer.await;
        task.await
    })??;
    // Another one may be entered inside of it, and run.
    let other = variant.runtime()?;
    assert_eq!(other.block_on(async { spawn(async { 7 }).await })??, 7);
    let inner = other.enter();
    spawn(async {}).detach();
    drop(inner);
    spawn(async {}).detach();
    assert_eq!((runtime.tasks(), other.tasks()), (1, 1));
    drop(entered);
    assert!(executor::Spawner::try_current().is_none());
    runtime.run()?;
    other.run()
}

fn entered_runtimes_are_left_in_order(variant: Variant) -> io::Result<()> {
    let left_out_of_order = |forget: bool| -> io::Result<()> {
        let (one, other) = (variant.runtime()?, variant.runtime()?);
        let first = one.enter();
        let second = other.enter();
        let kept = if forget {
            std::mem::forget(second);
            None
        } else {
            Some(second)
        };
        let dropped = std::panic::AssertUnwindSafe(|| drop(first));
        assert!(std::panic::catch_unwind(dropped).is_err());
        assert!(executor::Spawner::try_current().is_none());
        drop(kept);
        assert!(executor::Spawner::try_current().is_none());
        Ok(())
    };
    left_out_of_order(false)?;
    left_out_of_order(true)?;
    // A task that enters another runtime, and forgets it, leaves the loop and the thread as they were.
    let (one, other) = (variant.runtime()?, variant.runtime()?);
    let forgets = std::panic::AssertUnwindSafe(|| {
        one.block_on(async {
            std::mem::forget(other.enter());
            spawn(async {}).detach();
        })
    });
    assert!(std::panic::catch_unwind(forgets).is_err());
    assert_eq!((one.tasks(), other.tasks()), (0, 1));
    assert!(executor::Spawner::try_current().is_none());
    assert_eq!(one.block_on(async { spawn(async { 7 }).await })??, 7);
    // One that is forgotten outside of all goes with its thread.
    let held = thread::spawn(move || {
        let runtime = variant.runtime().expect("a runtime");
        let spawner = runtime.spawner();
        std::mem::forget(runtime.enter());
        spawner
    });
    assert!(held.join().expect("the thread").is_closed());
    Ok(())
}
