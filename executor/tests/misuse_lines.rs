//! A panic for misuse names the line that misused, and not one of the library: all of them, line by
//! line.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::{AbortOnDrop, JoinError, JoinHandle, Runtime, SendHandle, TaskSet};
use futures_lite::Stream;

mod source_reader;
use source_reader::{functions, who_hides_the_callers_line, who_says_that_it_panics};

executor::task_local! {
    static NOWHERE: u32;
}

thread_local! {
    /// What was misused, as the sources call it.
    static TRIED: RefCell<BTreeSet<&'static str>> = RefCell::default();
}

/// Misuse, which names the line where this stands.
macro_rules! names_this_line {
    ($what:literal, $misuse:expr) => {
        TRIED.with_borrow_mut(|tried| tried.insert($what));
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
    other_set: TaskSet<()>,
    taken: [JoinHandle<()>; 2],
    taken_guards: [AbortOnDrop<()>; 2],
    sent: [SendHandle<()>; 2],
    cancelled: [JoinError; 2],
}

fn made(runtime: &Runtime) -> io::Result<Made> {
    let [set, other_set] = [(); 2].map(|()| {
        let mut set = TaskSet::new();
        set.spawn_on(pending(), &runtime.local_spawner());
        set
    });
    let spawner = runtime.spawner();
    let mut taken = [(); 2].map(|()| runtime.spawn(async {}));
    let mut taken_guards = [(); 2].map(|()| runtime.spawn(async {}).abort_on_drop());
    let mut sent = [(); 2].map(|()| spawner.spawn(async {}));
    let mut aborted = [(); 2].map(|()| runtime.spawn(pending::<()>()));
    aborted.iter().for_each(JoinHandle::abort);
    runtime.run_until_stalled();
    for number in 0..2 {
        assert!(poll_again(&mut taken[number]).is_ready());
        assert!(poll_again(&mut taken_guards[number]).is_ready());
        assert!(poll_again(&mut sent[number]).is_ready());
    }
    let cancelled = aborted.each_mut().map(|aborted| match poll_again(aborted) {
        Poll::Ready(Err(cancelled)) => cancelled,
        _ => panic!("it was aborted"),
    });
    Ok(Made {
        waiting: runtime.spawn(pending()),
        guarding: runtime.spawn(pending()).abort_on_drop(),
        set,
        other_set,
        taken,
        taken_guards,
        sent,
        cancelled,
    })
}

#[test]
#[rustfmt::skip]
#[expect(clippy::diverging_sub_expression, reason = "what never returns is a misuse to be tried, too")]
fn every_panic_for_misuse_names_the_line_that_misused() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let other = Runtime::new()?;
    let mut made = made(&runtime)?;
    let mut cx = Context::from_waker(Waker::noop());

    // Outside.
    names_this_line!("block_on", executor::block_on(async { executor::block_on(async {}) }));
    names_this_line!("spawn", executor::spawn(async {}).detach());
    names_this_line!("spawn_named", executor::spawn_named("name", async {}).detach());
    names_this_line!("dump", executor::dump());
    names_this_line!("request_stop", executor::request_stop());
    names_this_line!("TaskSet::spawn", TaskSet::new().spawn(async {}));
    names_this_line!("TaskSet::extend", TaskSet::new().extend([async {}]));
    names_this_line!("Spawner::current", executor::Spawner::current());
    names_this_line!("LocalSpawner::current", executor::LocalSpawner::current());
    names_this_line!("TaskLocal::with", NOWHERE.with(|value| *value));
    names_this_line!("TaskLocal::get", NOWHERE.get());
    names_this_line!("stopping", poll(executor::stopping()));
    names_this_line!("stopping", poll(async { executor::stopping().await }));
    names_this_line!("unless_stopping", poll(executor::unless_stopping(pending::<()>())));
    names_this_line!("JoinHandle::poll", poll_again(&mut made.waiting));
    names_this_line!("AbortOnDrop::poll", poll_again(&mut made.guarding));
    names_this_line!("TaskSet::join_next", poll(made.set.join_next()));
    names_this_line!("TaskSet::join_next", poll(async { made.set.join_next().await }));
    names_this_line!("TaskSet::poll_join_next", made.set.poll_join_next(&mut cx));
    names_this_line!("TaskSet::poll_next", Pin::new(&mut made.set).poll_next(&mut cx));
    names_this_line!("TaskSet::join_next_with_id", poll(made.set.join_next_with_id()));
    names_this_line!("TaskSet::poll_join_next_with_id", made.set.poll_join_next_with_id(&mut cx));
    names_this_line!("TaskSet::shutdown", poll(made.set.shutdown()));
    names_this_line!("TaskSet::shutdown", poll(async { made.set.shutdown().await }));
    names_this_line!("TaskSet::join_all", poll(mem::take(&mut made.set).join_all()));
    names_this_line!("TaskSet::join_all", poll(async { mem::take(&mut made.other_set).join_all().await }));

    // A result that was taken, or never was.
    let [mut taken, again] = made.taken;
    let [mut taken_guard, guard_again] = made.taken_guards;
    let [mut sent, sent_again] = made.sent;
    let (mut again, mut guard_again) = (Some(again), Some(guard_again));
    let (mut sent_again, mut cancelled) = (Some(sent_again), made.cancelled.map(Some));
    names_this_line!("JoinHandle::poll", poll_again(&mut taken));
    names_this_line!("AbortOnDrop::poll", poll_again(&mut taken_guard));
    names_this_line!("SendHandle::poll", poll_again(&mut sent));
    names_this_line!("JoinError::into_panic", cancelled[0].take().unwrap().into_panic());
    names_this_line!("JoinError::resume_panic", cancelled[1].take().unwrap().resume_panic());

    // Inside, and another one's.
    other.block_on(async {
        names_this_line!("JoinHandle::poll", poll(async { again.take().unwrap().await }));
        names_this_line!("AbortOnDrop::poll", poll(async { guard_again.take().unwrap().await }));
        names_this_line!("SendHandle::poll", poll(async { sent_again.take().unwrap().await }));
        names_this_line!("JoinHandle::poll", poll_again(&mut made.waiting));
        names_this_line!("block_on", executor::block_on(async {}));
        names_this_line!("Runtime::block_on", runtime.block_on(async {}));
        names_this_line!("Runtime::run_until_stalled", runtime.run_until_stalled());
        names_this_line!("Runtime::run", runtime.run());
        names_this_line!("Runtime::try_run_one", runtime.try_run_one());
        names_this_line!("Runtime::turn", runtime.turn(None));
        names_this_line!("Runtime::shutdown", Runtime::new().unwrap().shutdown(Duration::ZERO));
    })?;

    let functions = functions()?;
    let says_so = who_says_that_it_panics(&functions);
    let tried = TRIED.take();
    let missing: Vec<_> = says_so.iter().filter(|name| !tried.contains(&***name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(says_so.len() > 20, "the sources are read: {says_so:?}");
    Ok(())
}

#[test]
fn nobody_between_the_caller_and_a_panic_hides_the_callers_line() -> io::Result<()> {
    let hidden = who_hides_the_callers_line(&functions()?);
    assert!(hidden.is_empty(), "{hidden:#?}");
    Ok(())
}
