//! Foreign code may do anything wherever it is called, and panic: each row of the table in
//! `executor::contracts` is a test here, and the other way round.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{Future, pending, poll_fn};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net as unix;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::Duration;

use executor::time::timeout;
use executor::{
    Async, Backend, JoinError, LocalSpawner, Runtime, TaskSet, spawn, stopping, yield_now,
};

type Row = (&'static str, fn() -> io::Result<()>);

const ROWS: [Row; 24] = [
    ("the poll of a task", poll_of_a_task),
    ("the poll of the future of `block_on`", poll_of_the_root),
    (
        "the destructor of a future that is over",
        destructor_of_who_is_over,
    ),
    (
        "the destructor of a future that is aborted",
        destructor_of_the_aborted,
    ),
    (
        "the destructor of a future at the end of its runtime",
        destructors_at_the_end,
    ),
    (
        "the destructor of a future that comes too late",
        destructor_of_who_comes_too_late,
    ),
    (
        "the destructor of the future of `block_on`",
        destructor_of_the_root,
    ),
    (
        "the destructor of an output whose handle is dropped",
        output_of_a_dropped_handle,
    ),
    (
        "the destructors of outputs in a set that is dropped",
        outputs_in_a_dropped_set,
    ),
    (
        "the destructor of an output that nobody waits for",
        output_of_the_detached,
    ),
    ("the waker of who joins", waker_of_a_joiner),
    ("the waker of who awaits `stopping`", waker_of_stopping),
    ("the clone of a waker", clone_of_a_waker),
    (
        "the destructor of a waker that is replaced",
        destructor_of_a_replaced_waker,
    ),
    (
        "the destructor of a waker that is given up",
        destructor_of_a_waker_that_is_given_up,
    ),
    ("the closure of `spawn_with`", closure_of_spawn_with),
    (
        "the destructor of what was sent to a runtime that is gone",
        sent_to_nobody,
    ),
    ("the destructor of a payload", destructor_of_a_payload),
    (
        "the destructor of a task-local value",
        destructor_of_a_task_local,
    ),
    ("the closure of `TaskLocal::with`", closure_of_with),
    (
        "the closure of `TaskLocal::sync_scope`",
        closure_of_sync_scope,
    ),
    (
        "the clone of a task-local value in `get`",
        clone_of_a_task_local,
    ),
    ("what a turn of the reactor calls", what_a_turn_calls),
    ("an observer", observer),
];

#[test]
fn foreign_code_may_do_anything_wherever_the_table_says_that_it_is_called() -> io::Result<()> {
    let table: BTreeSet<_> = include_str!("../src/contracts.rs")
        .lines()
        .skip_while(|line| *line != "//! # Foreign code")
        .skip(1)
        .take_while(|line| !line.starts_with("//! # "))
        .filter_map(|line| line.strip_prefix("//! | ")?.split(" |").next())
        .filter(|row| *row != "what is called")
        .collect();
    assert_eq!(table, ROWS.iter().map(|(row, _)| *row).collect());
    // Some rows have texts that are no panics of a test.
    std::panic::set_hook(Box::new(|_| ()));
    let failed: Vec<_> = ROWS
        .iter()
        .filter_map(|(row, test)| {
            let outcome = catch_unwind(AssertUnwindSafe(test));
            match outcome {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{row}: {error}")),
                Err(payload) => Some(format!("{row}: {:?}", payload.downcast_ref::<String>())),
            }
        })
        .collect();
    drop(std::panic::take_hook());
    assert!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

thread_local! {
    /// How often foreign code was called.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// What foreign code does here: uses all of a runtime that it can reach, then panics.
fn anything() {
    CALLS.set(CALLS.get() + 1);
    if reactor::Reactor::try_current().is_some() {
        use_the_runtime();
    }
    panic!("foreign");
}

fn use_the_runtime() {
    let task = spawn(async {
        yield_now().await;
    });
    task.abort();
    drop(spawn(pending::<()>()).abort_on_drop());
    let _ = executor::dump();
    let mut set = TaskSet::new();
    set.spawn(async {});
    set.abort_all();
    let mut stop = stopping();
    let polled = Pin::new(&mut stop).poll(&mut Context::from_waker(Waker::noop()));
    drop((polled, stop));
    task.detach();
}

fn calls<R>(during: impl FnOnce() -> R) -> (usize, R) {
    let before = CALLS.get();
    let result = during();
    (CALLS.get() - before, result)
}

fn panics<R>(body: impl FnOnce() -> R) -> bool {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(_) => false,
        Err(payload) => {
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"foreign"));
            true
        }
    }
}

/// Foreign code in a destructor.
struct Foreign;

impl Drop for Foreign {
    fn drop(&mut self) {
        anything();
    }
}

/// A future that is over after `polls`, with foreign code in its destructor.
fn foreign_future(polls: usize) -> impl Future<Output = u32> + Send {
    let mut held = Some(Foreign);
    let mut left = polls;
    poll_fn(move |cx| {
        assert!(held.is_some());
        if left == 0 {
            // Stays in the future, which is dropped after its end.
            let _ = &mut held;
            return Poll::Ready(7);
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// The runtime is as good as new: tasks run, and none is left behind.
fn is_sound(runtime: &Runtime) -> io::Result<()> {
    runtime.run_until_stalled();
    assert_eq!(runtime.tasks(), 0, "a place is lost");
    assert_eq!(runtime.dump().len(), 0);
    let answer = runtime.block_on(async {
        yield_now().await;
        spawn(async { 7 }).await
    })?;
    assert_eq!(answer?, 7);
    Ok(())
}

fn told<T>(outcome: Result<T, JoinError>) {
    let error = outcome.map(drop).expect_err("it panicked");
    assert!(error.is_panic(), "{error}");
    assert_eq!(error.panic_message(), Some("foreign"));
}

fn poll_of_a_task() -> io::Result<()> {
    let runtime = Runtime::new()?;
    told(runtime.block_on(async { spawn(async { anything() }).await })?);
    told(runtime.block_on(runtime.spawner().spawn(async { anything() }))?);
    is_sound(&runtime)
}

fn poll_of_the_root() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let task = runtime.spawn(async {
        yield_now().await;
        7
    });
    assert!(panics(|| runtime.block_on(async { anything() })));
    assert_eq!(runtime.block_on(task)??, 7);
    is_sound(&runtime)
}

fn destructor_of_who_is_over() -> io::Result<()> {
    let runtime = Runtime::new()?;
    for polls in [0, 1, 3] {
        let task = runtime.spawn(foreign_future(polls));
        let (calls, outcome) = calls(|| runtime.block_on(task));
        assert_eq!((calls, outcome??), (1, 7));
        is_sound(&runtime)?;
    }
    Ok(())
}

fn destructor_of_the_aborted() -> io::Result<()> {
    let runtime = Runtime::new()?;
    for first_polls in [0, 2] {
        let task = runtime.spawn(foreign_future(1 << 20));
        let remote = runtime.spawner().spawn(foreign_future(1 << 20));
        let mut set = runtime.block_on(async { TaskSet::new() })?;
        runtime.block_on(async {
            set.spawn(foreign_future(1 << 20));
            for _ in 0..first_polls {
                yield_now().await;
            }
            task.abort();
            remote.abort();
            set.abort_all();
        })?;
        let (calls, ()) = calls(|| {
            runtime
                .block_on(async {
                    told(task.await);
                    told(remote.await);
                    told(set.join_next().await.expect("a member"));
                })
                .expect("no error");
        });
        assert_eq!(calls, 3);
        is_sound(&runtime)?;
    }
    Ok(())
}

fn destructors_at_the_end() -> io::Result<()> {
    for polled in [false, true] {
        let runtime = Runtime::new()?;
        let spawner = runtime.spawner();
        let mut tasks = Vec::new();
        for _ in 0..3 {
            tasks.push(runtime.spawn(foreign_future(1 << 20)));
        }
        let sent = [
            spawner.spawn(foreign_future(1)),
            spawner.spawn_with(|| async { 7 }),
        ];
        let remote = spawner.spawn(foreign_future(1 << 20));
        if polled {
            runtime.block_on(yield_now())?;
        }
        let (calls, ()) = calls(|| drop(runtime));
        for task in tasks {
            told(futures_lite::future::block_on(task));
        }
        told(futures_lite::future::block_on(remote));
        if polled {
            assert_eq!(calls, 5);
        } else {
            let [first, second] = sent;
            told(futures_lite::future::block_on(first));
            let error = futures_lite::future::block_on(second).expect_err("it is gone");
            assert!(error.is_cancelled());
            assert_eq!(calls, 5);
        }
    }
    Ok(())
}

fn destructor_of_who_comes_too_late() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let late: LocalSpawner = runtime.local_spawner();
    drop(runtime);
    let (calls, task) = calls(|| late.spawn_task(foreign_future(1)));
    assert_eq!(calls, 1);
    told(futures_lite::future::block_on(task));
    Ok(())
}

fn destructor_of_the_root() -> io::Result<()> {
    let runtime = Runtime::new()?;
    assert!(panics(|| runtime.block_on(foreign_future(2))));
    is_sound(&runtime)
}

fn output_of_a_dropped_handle() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let task = runtime.spawn(async { Foreign });
    let aborting = runtime.spawn(async { Foreign }).abort_on_drop();
    let remote = runtime.spawner().spawn(async { Foreign });
    runtime.run_until_stalled();
    assert!(task.is_finished() && aborting.is_finished() && remote.is_finished());
    let (calls, outcome) = calls(|| {
        runtime.block_on(async {
            drop(task);
            drop(aborting);
        })?;
        drop(remote);
        io::Result::Ok(())
    });
    outcome?;
    assert_eq!(calls, 3);
    is_sound(&runtime)
}

fn outputs_in_a_dropped_set() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let (calls, outcome) = calls(|| {
        runtime.block_on(async {
            let mut set = TaskSet::new();
            for polls in 0..6 {
                set.spawn(async move {
                    for _ in 0..polls {
                        yield_now().await;
                    }
                    Foreign
                });
            }
            for _ in 0..3 {
                yield_now().await;
            }
            drop(set);
        })
    });
    outcome?;
    let (later, ()) = self::calls(|| assert!(runtime.run_until_stalled()));
    assert!(calls >= 2 && later == 0, "{calls}, {later}");
    is_sound(&runtime)
}

fn output_of_the_detached() -> io::Result<()> {
    let runtime = Runtime::new()?;
    runtime.spawn(async { Foreign }).detach();
    runtime.spawner().spawn(async { Foreign }).detach();
    let (calls, _) = calls(|| runtime.run_until_stalled());
    assert_eq!(calls, 2);
    is_sound(&runtime)
}

/// A waker that counts, and does anything in the places that are named.
#[derive(Clone, Copy, Default)]
struct Bad {
    wake: bool,
    clone: bool,
    drop: bool,
}

impl Bad {
    fn waker(self) -> Waker {
        bad_waker::make(self)
    }
}

mod bad_waker {
    #![expect(unsafe_code, reason = "a waker whose clone panics needs a vtable")]

    use super::{Bad, RawWaker, RawWakerVTable, Waker, anything};

    pub(super) fn make(bad: Bad) -> Waker {
        let data: *const Bad = Box::leak(Box::new(bad));
        // SAFETY: the data is leaked, so it is valid on every thread and for ever; the functions
        // touch nothing but thread-locals besides.
        unsafe { Waker::from_raw(RawWaker::new(data.cast(), &VTABLE)) }
    }

    fn bad(data: *const ()) -> Bad {
        // SAFETY: wakers of this vtable are made above, and each has a leaked `Bad`.
        unsafe { *data.cast::<Bad>() }
    }

    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            if bad(data).clone {
                anything();
            }
            RawWaker::new(data, &VTABLE)
        },
        |data| {
            if bad(data).wake {
                anything();
            }
        },
        |data| {
            if bad(data).wake {
                anything();
            }
        },
        |data| {
            if bad(data).drop {
                anything();
            }
        },
    );
}

/// Polls once, within `runtime`.
fn poll_with<F: Future>(runtime: &Runtime, future: Pin<&mut F>, waker: &Waker) -> bool {
    let mut future = Some(future);
    runtime
        .block_on(async {
            let future = future.take().expect("one poll");
            future.poll(&mut Context::from_waker(waker)).is_pending()
        })
        .expect("a runtime")
}

/// A task that ends when it is told so, and how to tell it.
fn gate() -> (impl Future<Output = u32> + 'static, Rc<dyn Fn()>) {
    let open: Rc<Cell<bool>> = Rc::default();
    let waiting: Rc<RefCell<Option<Waker>>> = Rc::default();
    let (is_open, waits) = (Rc::clone(&open), Rc::clone(&waiting));
    let task = poll_fn(move |cx| {
        *waits.borrow_mut() = Some(cx.waker().clone());
        if is_open.get() {
            Poll::Ready(7)
        } else {
            Poll::Pending
        }
    });
    let tell = move || {
        open.set(true);
        if let Some(waker) = waiting.take() {
            waker.wake();
        }
    };
    (task, Rc::new(tell))
}

fn waker_of_a_joiner() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let bad = Bad {
        wake: true,
        ..Bad::default()
    }
    .waker();
    let (task, open) = gate();
    let mut task = Box::pin(runtime.spawn(task));
    let (mut set, open_set) = runtime.block_on(async {
        let (member, open) = gate();
        let mut set = TaskSet::new();
        set.spawn(member);
        (set, open)
    })?;
    let gone = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&gone);
    let mut remote = Box::pin(runtime.spawner().spawn(poll_fn(move |cx| {
        cx.waker().wake_by_ref();
        if seen.load(Relaxed) == 0 {
            Poll::Pending
        } else {
            Poll::Ready(7)
        }
    })));
    runtime.block_on(yield_now())?;
    assert!(poll_with(&runtime, task.as_mut(), &bad));
    assert!(poll_with(&runtime, pin!(set.join_next()), &bad));
    assert!(poll_with(&runtime, remote.as_mut(), &bad));
    open();
    open_set();
    gone.store(1, Relaxed);
    let (calls, _) = calls(|| runtime.run_until_stalled());
    assert_eq!(calls, 3);
    assert_eq!(runtime.block_on(task)??, 7);
    assert_eq!(runtime.block_on(remote)??, 7);
    assert_eq!(runtime.block_on(set.join_next())?.expect("a member")?, 7);
    is_sound(&runtime)
}

fn waker_of_stopping() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let bad = Bad {
        wake: true,
        ..Bad::default()
    }
    .waker();
    let before = runtime.spawn(stopping());
    runtime.run_until_stalled();
    let mut stop = Box::pin(stopping());
    assert!(poll_with(&runtime, stop.as_mut(), &bad));
    let after = runtime.spawn(stopping());
    runtime.run_until_stalled();
    let (calls, stopped) = calls(|| runtime.shutdown(Duration::from_secs(3600)));
    assert_eq!((calls, stopped?.dropped), (1, 0));
    assert!(before.is_finished() && after.is_finished());
    Ok(())
}

/// Every await of ours that stores a waker, as what polls it once with a waker.
fn each_await(runtime: &Runtime, poll: impl Fn(&mut dyn FnMut(&Waker) -> bool)) -> io::Result<()> {
    let mut task = Box::pin(runtime.spawn(pending::<()>()));
    let mut remote = Box::pin(runtime.spawner().spawn(pending::<()>()));
    let mut set = runtime.block_on(async {
        let mut set = TaskSet::new();
        set.spawn(pending::<()>());
        set
    })?;
    let mut stop = Box::pin(stopping());
    runtime.run_until_stalled();
    poll(&mut |waker| poll_with(runtime, task.as_mut(), waker));
    poll(&mut |waker| poll_with(runtime, remote.as_mut(), waker));
    poll(&mut |waker| poll_with(runtime, pin!(set.join_next()), waker));
    poll(&mut |waker| poll_with(runtime, stop.as_mut(), waker));
    task.abort();
    remote.abort();
    drop((task, remote, set, stop));
    runtime.run_until_stalled();
    Ok(())
}

fn clone_of_a_waker() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let bad = Bad {
        clone: true,
        ..Bad::default()
    }
    .waker();
    each_await(&runtime, |poll| {
        assert!(panics(|| poll(&bad)));
        assert!(poll(Waker::noop()));
        assert!(panics(|| poll(&bad)));
        assert!(poll(Waker::noop()));
    })?;
    is_sound(&runtime)
}

fn destructor_of_a_replaced_waker() -> io::Result<()> {
    let runtime = Runtime::new()?;
    each_await(&runtime, |poll| {
        let bad = std::mem::ManuallyDrop::new(
            Bad {
                drop: true,
                ..Bad::default()
            }
            .waker(),
        );
        assert!(poll(&bad));
        assert!(panics(|| poll(Waker::noop())));
        assert!(poll(Waker::noop()));
    })?;
    is_sound(&runtime)
}

fn destructor_of_a_waker_that_is_given_up() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let (calls, outcome) = calls(|| {
        each_await(&runtime, |poll| {
            let bad = std::mem::ManuallyDrop::new(
                Bad {
                    drop: true,
                    ..Bad::default()
                }
                .waker(),
            );
            assert!(poll(&bad));
        })
    });
    outcome?;
    assert!(calls >= 2, "{calls}");
    // Nobody who left is woken.
    is_sound(&runtime)
}

fn closure_of_spawn_with() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let made = runtime.spawner().spawn_with(|| -> std::future::Ready<()> {
        anything();
        std::future::ready(())
    });
    told(runtime.block_on(made)?);
    is_sound(&runtime)
}

fn sent_to_nobody() -> io::Result<()> {
    let spawner = Runtime::new()?.spawner();
    let held = Foreign;
    let (calls, tasks) = calls(|| {
        [
            spawner.spawn(foreign_future(1)),
            spawner.spawn_with(move || {
                let _held = held;
                async { 7 }
            }),
        ]
    });
    assert_eq!(calls, 2);
    for task in tasks {
        told(futures_lite::future::block_on(task));
    }
    Ok(())
}

fn destructor_of_a_payload() -> io::Result<()> {
    /// Leaves another one, so many times.
    struct Payload(Arc<AtomicUsize>, usize);
    impl Drop for Payload {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
            if self.1 != 0 {
                panic_any(Payload(Arc::clone(&self.0), self.1 - 1));
            }
        }
    }
    struct PanicsWith(Arc<AtomicUsize>, usize);
    impl Drop for PanicsWith {
        fn drop(&mut self) {
            panic_any(Payload(Arc::clone(&self.0), self.1));
        }
    }
    let runtime = Runtime::new()?;
    for depth in [0, 1, 3] {
        let dropped = Arc::new(AtomicUsize::new(0));
        let output = PanicsWith(Arc::clone(&dropped), depth);
        runtime.spawn(async move { output }).detach();
        runtime.run_until_stalled();
        assert_eq!(dropped.load(Relaxed), depth + 1, "payloads dropped");
        assert_eq!(Arc::strong_count(&dropped), 1);
    }
    is_sound(&runtime)
}

fn destructor_of_a_task_local() -> io::Result<()> {
    executor::task_local! {
        static VALUE: Foreign;
    }
    let runtime = Runtime::new()?;
    let task = runtime.spawn(VALUE.scope(Foreign, async { 7 }));
    let aborted = runtime.spawn(VALUE.scope(Foreign, pending::<()>()));
    runtime.run_until_stalled();
    aborted.abort();
    let (calls, outcome) = calls(|| runtime.block_on(aborted));
    assert_eq!(calls, 1);
    told(outcome?);
    assert_eq!(runtime.block_on(task)??, 7);
    is_sound(&runtime)
}

fn closure_of_with() -> io::Result<()> {
    executor::task_local! {
        static VALUE: u32;
    }
    let runtime = Runtime::new()?;
    runtime.block_on(VALUE.scope(7, async {
        assert!(panics(|| VALUE.with(|_| anything())));
        assert_eq!(VALUE.with(|outer| VALUE.with(|inner| outer + inner)), 14);
        // Scopes within it, of both kinds, and one that is dropped within it.
        let dropped = VALUE.scope(1, pending::<()>());
        VALUE.with(|outer| {
            drop(dropped);
            let mut inner = pin!(VALUE.scope(1, async { VALUE.get() }));
            let polled = inner.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Ready(1));
            assert_eq!(VALUE.sync_scope(2, || VALUE.get()), 2);
            assert_eq!((*outer, VALUE.get()), (7, 7));
        });
    }))?;
    assert_eq!(VALUE.try_get(), None);
    is_sound(&runtime)
}

fn closure_of_sync_scope() -> io::Result<()> {
    executor::task_local! {
        static VALUE: u32;
    }
    let runtime = Runtime::new()?;
    runtime.block_on(VALUE.scope(7, async {
        assert!(panics(|| VALUE.sync_scope(8, anything)));
        assert_eq!(VALUE.get(), 7);
        let both = || (VALUE.get(), VALUE.sync_scope(9, || VALUE.get()));
        assert_eq!(VALUE.sync_scope(8, both), (8, 9));
        assert_eq!(VALUE.get(), 7);
    }))?;
    assert_eq!(VALUE.try_get(), None);
    is_sound(&runtime)
}

fn clone_of_a_task_local() -> io::Result<()> {
    struct Cloned;
    impl Clone for Cloned {
        fn clone(&self) -> Self {
            VALUE.sync_scope(Cloned, || ());
            anything();
            Cloned
        }
    }
    executor::task_local! {
        static VALUE: Cloned;
    }
    let runtime = Runtime::new()?;
    runtime.block_on(VALUE.scope(Cloned, async {
        assert!(panics(|| VALUE.get()));
        assert!(VALUE.try_with(|_| ()).is_some());
    }))?;
    is_sound(&runtime)
}

fn observer() -> io::Result<()> {
    struct Bad(Cell<usize>);
    impl reactor::observe::Observer for Bad {
        fn event(&self, _: reactor::observe::Event<'_>, _: &'static std::panic::Location<'static>) {
            self.0.set(self.0.get() + 1);
            panic!("foreign");
        }
    }
    let runtime = Runtime::new()?;
    let bad = Rc::new(Bad(Cell::new(0)));
    runtime
        .reactor()
        .observe(Some(Rc::clone(&bad) as Rc<dyn reactor::observe::Observer>));
    let task = runtime.spawn(async {
        reactor::time::sleep(Duration::from_millis(1)).await;
        let thread = thread::spawn(|| 7);
        let mut set = TaskSet::new();
        set.spawn(pending::<()>());
        drop(set);
        thread.join().expect("a thread")
    });
    assert_eq!(runtime.block_on(task)??, 7);
    assert!(bad.0.get() > 10, "{} events", bad.0.get());
    is_sound(&runtime)
}

/// A source, and what happens when it is asked for its fd.
struct Odd(unix::UnixStream, Action);

type Action = Rc<RefCell<Option<Box<dyn FnOnce()>>>>;

impl AsFd for Odd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let taken = self.1.borrow_mut().take();
        if let Some(act) = taken {
            act();
        }
        self.0.as_fd()
    }
}

/// By level a turn asks a source for its fd whose closure says WouldBlock again and again.
fn what_a_turn_calls() -> io::Result<()> {
    Runtime::builder()
        .backend(Backend::Poll)
        .build()?
        .block_on(async {
            let (near, far) = unix::UnixStream::pair()?;
            (&near).write_all(b"x")?;
            far.set_nonblocking(true)?;
            let action = Action::default();
            let far = Async::new(Odd(far, Rc::clone(&action)));

            let waker = Rc::new(Cell::new(None::<Waker>));
            let kept = Rc::clone(&waker);
            let woken = spawn(poll_fn(move |cx| {
                match kept.replace(Some(cx.waker().clone())) {
                    None => Poll::Pending,
                    Some(_) => Poll::Ready(()),
                }
            }));
            yield_now().await;
            let spawned = Rc::new(Cell::new(None));
            let theirs = Rc::clone(&spawned);
            let acted = Rc::new(Cell::new(false));
            let acts = Rc::clone(&acted);
            let mut act: Option<Box<dyn FnOnce()>> = Some(Box::new(move || {
                acts.set(true);
                let whom = waker.take().expect("it waits");
                waker.set(Some(whom.clone()));
                whom.wake();
                theirs.set(Some(spawn(async { 5 })));
                panic!("on purpose");
            }));

            let mut read = pin!(far.read_with(|_| match acted.get() {
                true => Ok(()),
                false => Err(io::ErrorKind::WouldBlock.into()),
            }));
            let read = poll_fn(|cx| {
                let polled = read.as_mut().poll(cx);
                // Not when it is registered: in a turn.
                if let Some(act) = act.take() {
                    action.replace(Some(act));
                }
                polled
            });
            read.await?;
            let late = Duration::from_secs(60);
            let spawned = spawned.take().expect("a turn may spawn");
            assert_eq!(timeout(late, spawned).await?.expect("no panic"), 5);
            timeout(late, woken).await?.expect("no panic");
            Ok(())
        })?
}
