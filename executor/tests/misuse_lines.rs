//! A panic for misuse names the line that misused, and not one of the library: all of them, line by
//! line.

use std::future::{Future, pending};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::{AbortOnDrop, JoinError, JoinHandle, Runtime, SendHandle, TaskSet};
use futures_lite::Stream;

executor::task_local! {
    static NOWHERE: u32;
}

/// Misuse, which names the line where this stands.
macro_rules! names_this_line {
    ($misuse:expr) => {
        check(line!(), &mut || {
            let _ = $misuse;
        })
    };
}

/// Polls once; where that panics, it is the caller's line that did it.
#[track_caller]
fn poll<F: Future>(future: F) {
    let mut cx = Context::from_waker(Waker::noop());
    let _ = pin!(future).as_mut().poll(&mut cx);
}

/// The same by reference: that of std is no `#[track_caller]`, so it does not go by `&mut F`.
#[track_caller]
fn poll_again<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(future).poll(&mut cx)
}

/// The place that a panic of `misuse` names.
fn place_of(misuse: &mut dyn FnMut()) -> Option<(String, u32)> {
    let place = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&place);
    std::panic::set_hook(Box::new(move |info| {
        let at = info.location();
        *noted.lock().unwrap() = at.map(|at| (at.file().to_string(), at.line()));
    }));
    let panicked = catch_unwind(AssertUnwindSafe(misuse)).is_err();
    drop(std::panic::take_hook());
    let place = place.lock().unwrap().take();
    place.filter(|_| panicked)
}

fn check(line: u32, misuse: &mut dyn FnMut()) {
    let Some((file, named)) = place_of(misuse) else {
        panic!("line {line} does not panic");
    };
    assert!(
        file.ends_with("misuse_lines.rs") && named == line,
        "line {line} panics, and names {file}:{named}"
    );
}

/// Handles of tasks that wait, and of some whose results were taken, all of `runtime`.
struct Made {
    waiting: JoinHandle<()>,
    guarding: AbortOnDrop<()>,
    set: TaskSet<()>,
    taken: [JoinHandle<()>; 2],
    taken_guards: [AbortOnDrop<()>; 2],
    sent: [SendHandle<()>; 2],
    cancelled: JoinError,
}

fn made(runtime: &Runtime) -> io::Result<Made> {
    let set = runtime.block_on(async {
        let mut set = TaskSet::new();
        set.spawn(pending());
        set
    })?;
    let spawner = runtime.spawner();
    let mut taken = [(); 2].map(|()| runtime.spawn(async {}));
    let mut taken_guards = [(); 2].map(|()| runtime.spawn(async {}).abort_on_drop());
    let mut sent = [(); 2].map(|()| spawner.spawn(async {}));
    let mut aborted = runtime.spawn(pending::<()>());
    aborted.abort();
    runtime.run_until_stalled();
    for number in 0..2 {
        assert!(poll_again(&mut taken[number]).is_ready());
        assert!(poll_again(&mut taken_guards[number]).is_ready());
        assert!(poll_again(&mut sent[number]).is_ready());
    }
    let Poll::Ready(Err(cancelled)) = poll_again(&mut aborted) else {
        panic!("it was aborted");
    };
    Ok(Made {
        waiting: runtime.spawn(pending()),
        guarding: runtime.spawn(pending()).abort_on_drop(),
        set,
        taken,
        taken_guards,
        sent,
        cancelled,
    })
}

#[test]
#[rustfmt::skip]
fn every_panic_for_misuse_names_the_line_that_misused() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let other = Runtime::new()?;
    let mut made = made(&runtime)?;
    let mut cx = Context::from_waker(Waker::noop());

    // Outside.
    names_this_line!(executor::spawn(async {}).detach());
    names_this_line!(executor::spawn_named("name", async {}).detach());
    names_this_line!(executor::dump());
    names_this_line!(executor::request_stop());
    names_this_line!(TaskSet::new().spawn(async {}));
    names_this_line!(executor::Spawner::current());
    names_this_line!(executor::LocalSpawner::current());
    names_this_line!(NOWHERE.with(|value| *value));
    names_this_line!(NOWHERE.get());
    names_this_line!(poll(executor::stopping()));
    names_this_line!(poll(async { executor::stopping().await }));
    names_this_line!(poll(executor::unless_stopping(pending::<()>())));
    names_this_line!(poll_again(&mut made.waiting));
    names_this_line!(poll_again(&mut made.guarding));
    names_this_line!(poll(made.set.join_next()));
    names_this_line!(poll(async { made.set.join_next().await }));
    names_this_line!(made.set.poll_join_next(&mut cx));
    names_this_line!(Pin::new(&mut made.set).poll_next(&mut cx));
    names_this_line!(poll(made.set.join_next_with_id()));
    names_this_line!(made.set.poll_join_next_with_id(&mut cx));

    // A result that was taken.
    let [mut taken, again] = made.taken;
    let [mut taken_guard, guard_again] = made.taken_guards;
    let [mut sent, sent_again] = made.sent;
    let (mut again, mut guard_again) = (Some(again), Some(guard_again));
    let (mut sent_again, mut cancelled) = (Some(sent_again), Some(made.cancelled));
    names_this_line!(poll_again(&mut taken));
    names_this_line!(poll_again(&mut taken_guard));
    names_this_line!(poll_again(&mut sent));
    names_this_line!(cancelled.take().unwrap().into_panic());

    // Inside, and another one's.
    other.block_on(async {
        names_this_line!(poll(async { again.take().unwrap().await }));
        names_this_line!(poll(async { guard_again.take().unwrap().await }));
        names_this_line!(poll(async { sent_again.take().unwrap().await }));
        names_this_line!(poll_again(&mut made.waiting));
        names_this_line!(executor::block_on(async {}));
        names_this_line!(runtime.block_on(async {}));
        names_this_line!(runtime.run_until_stalled());
        names_this_line!(runtime.run());
        names_this_line!(runtime.try_run_one());
        names_this_line!(runtime.turn(None));
        names_this_line!(Runtime::new().unwrap().shutdown(Duration::ZERO));
    })
}
