//! Random programs against a simple model: tasks that spawn, wake, abort, join, panic and are dropped
//! in every order, from inside, from outside and from other threads.
//!
//! What must be true is simple: a task is polled if it was woken, and not otherwise; who was aborted
//! is dropped; each future and each output is dropped once; each handle tells what became of its task;
//! and no panic comes out where nobody panicked.
//!
//! `MODEL_SEED` repeats one program, `MODEL_PROGRAMS` says how many there are: 4000 for a long run.

use std::cell::RefCell;
use std::env;
use std::future::Future;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::{AbortOnDrop, JoinError, JoinHandle, Runtime, SendHandle, TaskSet, spawn};
use futures_lite::future::poll_once;

/// Steps from outside in one program.
const STEPS: usize = 150;
/// Polls within one run of the loop in which tasks do something; after that they sleep.
const FUEL: usize = 200;
/// Tasks at once.
const MOST: usize = 30;
/// Tasks in a burst: deeper than the stack of the test, if anything recurses for each.
const BURST: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Value,
    Panicked,
    Cancelled,
}

impl Outcome {
    fn of(result: &Result<Output, JoinError>) -> Self {
        match result {
            Ok(_) => Outcome::Value,
            Err(error) if error.is_panic() => Outcome::Panicked,
            Err(_) => Outcome::Cancelled,
        }
    }
}

enum Handle {
    Join(JoinHandle<Output>),
    Aborting(AbortOnDrop<Output>),
    Sent(SendHandle<Output>),
}

/// What is known of one task.
struct Known {
    /// It was woken since its last poll began.
    owed: bool,
    /// Wakes that went through the box of the runtime since all was quiet: each may come after a poll
    /// that has served it already.
    mailed: usize,
    aborted: bool,
    /// Its future exists.
    lives: bool,
    outcome: Option<Outcome>,
    waker: Option<Waker>,
    handle: Option<Handle>,
}

struct World {
    random: fastrand::Rng,
    tasks: Vec<Known>,
    set: Option<TaskSet<Output>>,
    /// Who is in the set.
    members: Vec<usize>,
    /// Outputs that exist.
    outputs: isize,
    fuel: usize,
    steps: usize,
    /// The runtime is at its end: everybody may be dropped.
    ending: bool,
    faults: Vec<String>,
}

type Shared = Rc<RefCell<World>>;

thread_local! {
    static WORLD: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// The world of this thread. Never borrowed while anything of the executor is called.
fn world<R>(look: impl FnOnce(&mut World) -> R) -> R {
    let world = WORLD.with_borrow(|world| world.clone().expect("a program runs"));
    look(&mut world.borrow_mut())
}

fn fault(text: String) {
    world(|world| world.faults.push(text));
}

fn dice(sides: usize) -> usize {
    world(|world| world.random.usize(..sides))
}

fn intended() -> ! {
    panic!("intended")
}

/// Runs something out of which no panic may come.
fn quietly<R>(what: &str, body: impl FnOnce() -> R) -> Option<R> {
    let outcome = catch_unwind(AssertUnwindSafe(body));
    if outcome.is_err() {
        fault(format!("a panic comes out of {what}"));
    }
    outcome.ok()
}

/// The result of a task; its destructor may panic.
struct Output {
    panics: bool,
}

impl Output {
    fn new(panics: bool) -> Self {
        world(|world| world.outputs += 1);
        Output { panics }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        world(|world| world.outputs -= 1);
        if self.panics {
            intended();
        }
    }
}

/// A task of which the world knows.
struct Task {
    number: usize,
    /// In its destructor.
    panics: bool,
}

impl Future for Task {
    type Output = Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        let number = self.number;
        let acts = world(|world| {
            world.steps += 1;
            let known = &mut world.tasks[number];
            if !known.owed && known.mailed != 0 {
                known.mailed -= 1;
                known.owed = true;
            }
            if !known.owed || !known.lives || known.outcome.is_some() {
                let (owed, lives) = (known.owed, known.lives);
                let text = format!("task {number} is polled: woken {owed}, lives {lives}");
                world.faults.push(text);
            }
            let known = &mut world.tasks[number];
            known.owed = false;
            let replaced = known.waker.replace(cx.waker().clone());
            world.fuel = world.fuel.saturating_sub(1);
            (world.fuel != 0, replaced).0
        });
        if !acts {
            return Poll::Pending;
        }
        for _ in 0..dice(3) {
            act();
        }
        match dice(8) {
            0 | 1 => wake(number),
            2 => {
                if dice(2) == 0 {
                    // What is left is a hint to nobody.
                    wake(number);
                }
                let output = Output::new(dice(4) == 0);
                world(|world| world.tasks[number].outcome = Some(Outcome::Value));
                return Poll::Ready(output);
            }
            3 => {
                world(|world| world.tasks[number].outcome = Some(Outcome::Panicked));
                intended();
            }
            _ => {}
        }
        Poll::Pending
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let (number, panics) = (self.number, self.panics);
        world(|world| {
            let known = &mut world.tasks[number];
            let known_end = known.outcome.is_some() || known.aborted || world.ending;
            if !known.lives || !known_end {
                world.faults.push(format!("task {number} is dropped"));
            }
            let known = &mut world.tasks[number];
            known.lives = false;
            let early = if panics {
                Outcome::Panicked
            } else {
                Outcome::Cancelled
            };
            known.outcome.get_or_insert(early);
        });
        if dice(4) == 0 {
            act();
        }
        if panics {
            intended();
        }
    }
}

/// The waker of a task that is to be woken.
fn waker_of(number: usize, by_mail: bool) -> Option<Waker> {
    world(|world| {
        let known = &mut world.tasks[number];
        known.owed |= known.waker.is_some();
        known.mailed += usize::from(by_mail);
        known.waker.clone()
    })
}

/// Wakes a task, or one that is over.
fn wake(number: usize) {
    let waker = waker_of(number, !is_running());
    if let Some(waker) = waker {
        quietly("a waker", || waker.wake_by_ref());
    }
}

/// The same from another thread, several times, with others.
fn wake_from_a_thread() {
    let count = world(|world| world.tasks.len());
    let wakers: Vec<Waker> = (0..dice(100))
        .filter_map(|_| {
            let number = dice(count.max(1)).min(count.checked_sub(1)?);
            waker_of(number, true)
        })
        .collect();
    let thread = thread::spawn(move || {
        for _ in 0..3 {
            wakers.iter().for_each(Waker::wake_by_ref);
        }
    });
    thread.join().expect("the waking thread");
}

/// A new task; `how` makes it one.
fn admit(how: impl FnOnce(Task) -> Option<Handle>) {
    let live = world(|world| world.tasks.iter().filter(|task| task.lives).count());
    if live >= MOST {
        return;
    }
    let panics = dice(6) == 0;
    let number = world(|world| {
        world.tasks.push(Known {
            owed: true,
            mailed: 0,
            aborted: false,
            lives: true,
            outcome: None,
            waker: None,
            handle: None,
        });
        world.tasks.len() - 1
    });
    let handle = quietly("spawn", || how(Task { number, panics })).flatten();
    world(|world| world.tasks[number].handle = handle);
}

/// Whom to do something to: one of the latest, mostly.
fn somebody() -> Option<usize> {
    let count = world(|world| world.tasks.len());
    let back = dice(2 * MOST);
    count.checked_sub(1 + back.min(count.checked_sub(1)?))
}

fn is_running() -> bool {
    reactor::Reactor::try_current().is_some() && !world(|world| world.ending)
}

/// What anybody may do, in a poll, in a destructor, or outside.
fn act() {
    match dice(10) {
        0 | 1 if is_running() => admit(|task| match dice(4) {
            0 => {
                spawn(task).detach();
                None
            }
            1 => Some(Handle::Aborting(spawn(task).abort_on_drop())),
            2 => match world(|world| world.set.take()) {
                Some(mut set) => {
                    let number = task.number;
                    set.spawn(task);
                    world(|world| world.members.push(number));
                    world(|world| world.set = Some(set));
                    None
                }
                None => Some(Handle::Join(spawn(task))),
            },
            _ => Some(Handle::Join(spawn(task))),
        }),
        2 => somebody().into_iter().for_each(wake),
        3 if dice(4) == 0 => wake_from_a_thread(),
        4 => abort(),
        5 => drop_handle(),
        6 | 7 => join(),
        8 if is_running() => join_set(),
        _ => {}
    }
}

fn take_handle() -> Option<(usize, Handle)> {
    let number = somebody()?;
    world(|world| Some((number, world.tasks[number].handle.take()?)))
}

fn give_handle(number: usize, handle: Handle) {
    world(|world| world.tasks[number].handle = Some(handle));
}

/// Somebody asked for the end of a task, which is woken for it.
fn is_aborted(number: usize) {
    world(|world| {
        let known = &mut world.tasks[number];
        if known.outcome.is_none() {
            known.aborted = true;
        }
    });
}

fn abort() {
    let Some((number, handle)) = take_handle() else {
        return;
    };
    is_aborted(number);
    quietly("abort", || match &handle {
        Handle::Join(handle) => handle.abort(),
        Handle::Aborting(handle) => handle.abort(),
        Handle::Sent(handle) => handle.abort(),
    });
    give_handle(number, handle);
}

fn drop_handle() {
    if let Some((number, handle)) = take_handle() {
        if let Handle::Aborting(_) = &handle {
            is_aborted(number);
        }
        quietly("drop(handle)", || drop(handle));
    }
}

/// A waker of a stranger, which panics.
struct Bad;

impl Wake for Bad {
    fn wake(self: Arc<Self>) {
        intended();
    }
}

/// Polls a handle, with a waker that panics, or one that does nothing.
fn join() {
    let Some((number, mut handle)) = take_handle() else {
        return;
    };
    let waker = match dice(2) {
        0 => Waker::from(Arc::new(Bad)),
        _ => Waker::noop().clone(),
    };
    let expected = world(|world| world.tasks[number].outcome);
    let lives = world(|world| world.tasks[number].lives);
    if !is_running() && expected.is_none() && !matches!(handle, Handle::Sent(_)) {
        return give_handle(number, handle);
    }
    let mut cx = Context::from_waker(&waker);
    let polled = quietly("the poll of a handle", || match &mut handle {
        Handle::Join(handle) => Pin::new(handle).poll(&mut cx),
        Handle::Aborting(handle) => Pin::new(handle).poll(&mut cx),
        Handle::Sent(handle) => Pin::new(handle).poll(&mut cx),
    });
    match polled {
        Some(Poll::Ready(result)) => {
            // The handle is done; the world forgets it.
            tells(number, Outcome::of(&result), expected);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(result)));
            quietly("drop(handle) after its result", || drop(handle));
        }
        _ => {
            // A future that is being polled or dropped right now is not over for its handle.
            let ending = world(|world| world.ending);
            if expected.is_some() && !lives && !is_running() && !ending {
                fault(format!("task {number} is over, and its handle waits"));
            }
            give_handle(number, handle);
        }
    }
}

fn tells(number: usize, told: Outcome, expected: Option<Outcome>) {
    if Some(told) != expected {
        fault(format!(
            "the handle of task {number} tells {told:?}, it was {expected:?}"
        ));
    }
}

fn join_set() {
    let Some(mut set) = world(|world| world.set.take()) else {
        return;
    };
    let mut cx = Context::from_waker(Waker::noop());
    if let Some(Poll::Ready(Some(result))) = quietly("join_next", || set.poll_join_next(&mut cx)) {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(result)));
    }
    if dice(8) == 0 {
        let members = world(|world| std::mem::take(&mut world.members));
        members.into_iter().for_each(is_aborted);
        quietly("drop(set)", || drop(set));
        set = TaskSet::new();
    }
    world(|world| world.set = Some(set));
}

/// Everything is quiet: nobody may owe anybody anything.
fn check(runtime: &Runtime) {
    let lives: usize = world(|world| {
        world.tasks.iter_mut().for_each(|known| known.mailed = 0);
        let mut faults = Vec::new();
        for (number, known) in world.tasks.iter().enumerate() {
            if known.lives && known.owed {
                faults.push(format!("task {number} was woken, and not polled"));
            }
            if known.lives && (known.aborted || known.outcome.is_some()) {
                faults.push(format!("task {number} is over, and was not dropped"));
            }
            let finished = known.handle.as_ref().map(|handle| match handle {
                Handle::Join(handle) => handle.is_finished(),
                Handle::Aborting(handle) => handle.is_finished(),
                Handle::Sent(handle) => handle.is_finished(),
            });
            if finished.is_some_and(|finished| finished != known.outcome.is_some()) {
                faults.push(format!("the handle of task {number} says {finished:?}"));
            }
        }
        world.faults.append(&mut faults);
        world.tasks.iter().filter(|known| known.lives).count()
    });
    if runtime.tasks() != lives || runtime.dump().len() != lives {
        let (counted, dumped) = (runtime.tasks(), runtime.dump().len());
        fault(format!(
            "{lives} tasks live, {counted} are counted, {dumped} in the dump"
        ));
    }
}

/// One step from outside.
fn step(runtime: &Runtime) {
    world(|world| {
        world.steps += 1;
        world.fuel = FUEL;
    });
    match dice(8) {
        0 => admit(|task| Some(Handle::Join(runtime.spawn(task)))),
        1 => {
            let spawner = runtime.spawner();
            admit(|task| Some(Handle::Sent(spawner.spawn_with(sent(task)))));
        }
        2 => act(),
        3 => wake_from_a_thread(),
        4 => {
            quietly("turn", || {
                runtime.turn(Some(Duration::ZERO)).expect("a turn")
            });
        }
        5 => {
            quietly("block_on", || {
                runtime.block_on(async {
                    act();
                    executor::yield_now().await;
                    act();
                    poll_once(executor::stopping()).await
                })
            });
        }
        _ => {
            quietly("run_until_stalled", || runtime.run_until_stalled());
            check(runtime);
        }
    }
}

/// What makes the task on the other side. Its future is dropped while a panic of its poll unwinds, so
/// its destructor must not panic as well.
fn sent(task: Task) -> impl FnOnce() -> Task + Send {
    let number = task.number;
    std::mem::forget(task);
    let whole = Sent(number);
    move || {
        let number = whole.0;
        std::mem::forget(whole);
        Task {
            number,
            panics: false,
        }
    }
}

/// A task on its way, which may be dropped there.
struct Sent(usize);

impl Drop for Sent {
    fn drop(&mut self) {
        drop(Task {
            number: self.0,
            panics: false,
        });
    }
}

/// One program; returns how many steps it was.
fn program(seed: u64) -> io::Result<usize> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut builder = Runtime::builder();
    if random.bool() {
        builder = builder.seed(seed);
    }
    let runtime = builder.build()?;
    let burst = random.u8(..20) == 0;
    let world_of_this = Rc::new(RefCell::new(World {
        random,
        tasks: Vec::new(),
        set: Some(TaskSet::new()),
        members: Vec::new(),
        outputs: 0,
        fuel: FUEL,
        steps: 0,
        ending: false,
        faults: Vec::new(),
    }));
    WORLD.set(Some(Rc::clone(&world_of_this)));
    if burst {
        for _ in 0..BURST {
            let ends = std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                Poll::Ready(())
            });
            runtime.spawn(ends).detach();
        }
    }
    for _ in 0..STEPS {
        step(&runtime);
    }
    world(|world| world.fuel = 0);
    quietly("run_until_stalled", || runtime.run_until_stalled());
    check(&runtime);
    world(|world| world.ending = true);
    if dice(2) == 0 {
        // A shutdown wakes everybody.
        world(|world| {
            for task in &mut world.tasks {
                task.owed |= task.lives;
            }
        });
        let stopped = quietly("shutdown", || runtime.shutdown(Duration::ZERO));
        if let Some(stopped) = stopped {
            stopped?;
        }
    } else {
        quietly("drop(runtime)", || drop(runtime));
    }
    // Every future is gone, and every handle tells what became of it.
    let count = world(|world| world.tasks.len());
    for number in 0..count {
        let known = world(|world| {
            let known = &mut world.tasks[number];
            (known.lives, known.outcome, known.handle.take())
        });
        let (lives, outcome, Some(mut handle)) = known else {
            if known.0 {
                fault(format!("task {number} outlives its runtime"));
            }
            continue;
        };
        if lives {
            fault(format!("task {number} outlives its runtime"));
        }
        let mut cx = Context::from_waker(Waker::noop());
        let polled = match &mut handle {
            Handle::Join(handle) => Pin::new(handle).poll(&mut cx),
            Handle::Aborting(handle) => Pin::new(handle).poll(&mut cx),
            Handle::Sent(handle) => Pin::new(handle).poll(&mut cx),
        };
        match polled {
            Poll::Ready(result) => {
                tells(number, Outcome::of(&result), outcome);
                let _ = catch_unwind(AssertUnwindSafe(|| drop(result)));
            }
            Poll::Pending => fault(format!("the handle of task {number} waits for ever")),
        }
        quietly("drop(handle) at the end", || drop(handle));
    }
    let set = world(|world| world.set.take());
    quietly("drop(set)", || drop(set));
    let (outputs, steps, faults) = world(|world| {
        (
            world.outputs,
            world.steps,
            std::mem::take(&mut world.faults),
        )
    });
    let wakers = world(|world| std::mem::take(&mut world.tasks));
    drop(wakers);
    WORLD.set(None);
    if outputs != 0 || !faults.is_empty() {
        return Err(io::Error::other(format!(
            "MODEL_SEED={seed}: {outputs} outputs are left; {faults:#?}"
        )));
    }
    Ok(steps)
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

#[test]
fn random_programs_do_what_the_model_says() -> io::Result<()> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&"intended") {
            hook(info);
        }
    }));
    let seeds = match number("MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MODEL_PROGRAMS").unwrap_or(40),
    };
    // On a small stack: nothing may recurse for each of many.
    let run = move || {
        let mut steps = 0;
        for seed in seeds.clone() {
            steps += program(seed)?;
        }
        println!("{steps} steps in the programs {seeds:?}");
        io::Result::Ok(())
    };
    let thread = thread::Builder::new().stack_size(512 << 10).spawn(run)?;
    thread.join().expect("the model does not panic")
}
