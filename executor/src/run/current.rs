//! The runtime of this thread: how the call of a waker becomes an entry in a ready queue, and how
//! whoever is polled finds the runtime that polls it.

use std::any::Any;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};

use reactor::{EnterGuard, Reactor};

use crate::run::core::Core;
use crate::run::runtimes::send;
use crate::task::id::Id;
use crate::wake::remote::Mail;

thread_local! {
    /// The runtime that runs on this thread; not there while [`with_current`] looks at it.
    ///
    /// `ManuallyDrop` because a thread-local without a destructor is found without asking whether
    /// it is still alive. Nothing leaks: [`Entered`] always takes out what it has put in.
    static CURRENT: Cell<ManuallyDrop<Option<Rc<Core>>>> =
        const { Cell::new(ManuallyDrop::new(None)) };

    /// The number of the runtime whose loop runs, as long as no stop of it is asked for, else
    /// [`NOBODY`]: who waits and would end with a stop looks at this in each poll, and at nothing else.
    static UNASKED: Cell<u32> = const { Cell::new(NOBODY) };

    /// The number of the runtime whose loop runs on this thread, else [`NOBODY`]. One may be entered
    /// and not run, also inside of another one that does.
    static RUNNING: Cell<u32> = const { Cell::new(NOBODY) };

    /// Takes out what a guard that was forgotten has left, when the thread ends.
    static SWEEPER: Sweeper = const { Sweeper };
}

struct Sweeper;

impl Drop for Sweeper {
    fn drop(&mut self) {
        drop(exchange(None));
    }
}

/// More than any number of a runtime.
const NOBODY: u32 = u32::MAX;

/// Wakes a task: on its own thread a flag and a push, from another through the inbox. A task or
/// a runtime that is gone is passed over in silence: late wakes are nobody's mistake.
#[inline]
pub(crate) fn wake(id: Id) {
    let woken = with_current(|core| match core {
        // The marks hold whole ids: a task of another runtime is not found.
        Some(core) => core.wake_at_once(id),
        None => false,
    });
    if !woken {
        wake_slowly(id);
    }
}

/// The same, by the data of a waker. It stands here because a thread-local is found without a call
/// only by code that is compiled together with it.
#[cfg(target_pointer_width = "64")]
pub(crate) fn wake_packed(data: *const ()) {
    wake(Id::from_bits(data.addr() as u64));
}

/// It takes more than a push, or the task is elsewhere.
#[cold]
#[inline(never)]
fn wake_slowly(id: Id) {
    match current() {
        Some(core) if core.number == id.runtime() => core.wake(id),
        _ => send(id, Mail::Wake(id)),
    }
}

/// Ends a task where it would be polled next.
pub(crate) fn abort(id: Id) {
    match current() {
        Some(core) if core.number == id.runtime() => core.abort_task(id),
        _ => send(id, Mail::Abort(id)),
    }
}

/// The runtime of this thread, if one is running.
#[inline]
pub(crate) fn current() -> Option<Rc<Core>> {
    with_current(|current| current.map(Rc::clone))
}

/// Shows the runtime of this thread to `look`, which must not call anything that asks for it.
#[inline(always)]
fn with_current<R>(look: impl FnOnce(Option<&Rc<Core>>) -> R) -> R {
    // Taken and put back: that is cheaper than to count who looks.
    let current = CURRENT.take();
    let answer = look(current.as_ref());
    CURRENT.set(current);
    answer
}

/// The runtime of this thread, which `what` needs.
#[track_caller]
pub(crate) fn expect_current(what: &str) -> Rc<Core> {
    match current() {
        Some(core) => core,
        None => nowhere(what),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn nowhere(what: &str) -> ! {
    panic!("no runtime on this thread: call `{what}` inside `executor::block_on`")
}

/// Takes a future in; see [`Core::admit_with_spare`]. It stands here as [`wake_packed`] does.
#[inline(never)]
#[track_caller]
pub(crate) fn admit(filling: &mut dyn Any) -> Id {
    expect_current("spawn").admit_with_spare(Location::caller(), filling)
}

/// Takes one from the budget of the task that is running; `Pending` if others are to run first, and
/// then the task is woken already. Where no runtime runs there is nobody to starve.
#[inline]
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    let spent = with_current(|core| match core {
        Some(core) if is_running(core.number) => core.reactor.spend_budget(),
        // Nobody would ever give a new one.
        _ => true,
    });
    match spent {
        true => Poll::Ready(()),
        false => poll_budget_slowly(cx),
    }
}

#[cold]
fn poll_budget_slowly(cx: &mut Context<'_>) -> Poll<()> {
    // A loop by hand inside of a task drives another reactor, and that one's turns give new budgets.
    Reactor::try_current().map_or(Poll::Ready(()), |reactor| reactor.poll_budget(cx))
}

/// Does the loop of that runtime run on this thread?
#[inline]
fn is_running(runtime: u16) -> bool {
    RUNNING.get() == u32::from(runtime)
}

/// Does the runtime of that task run on this thread?
#[inline]
pub(crate) fn drives(id: Id) -> bool {
    is_running(id.runtime())
}

/// Does the loop of that runtime run here, and is no stop of it asked for?
#[inline]
pub(crate) fn is_unasked(runtime: u16) -> bool {
    UNASKED.get() == u32::from(runtime)
}

/// Is a stop of the runtime of this thread asked for?
#[inline]
pub(crate) fn is_stopping() -> bool {
    with_current(|core| core.is_some_and(|core| core.stop.is_asked()))
}

/// A stop of that runtime is asked for.
pub(crate) fn stop_is_asked(runtime: u16) {
    if is_running(runtime) {
        UNASKED.set(NOBODY);
    }
}

/// Nobody would ever run what is awaited: better a sentence than a hang.
#[inline]
#[track_caller]
pub(crate) fn assert_driven(runtime: u16) {
    assert!(
        is_running(runtime),
        "this JoinHandle would wait for ever: nobody drives its runtime. Await it inside \
         `Runtime::block_on`"
    );
}

/// Makes `core` the runtime of this thread, and its reactor the reactor, until the guard is dropped.
#[track_caller]
pub(crate) fn enter(core: &Rc<Core>) -> Entered {
    entered_by(core.reactor.enter(), core)
}

fn entered_by(guard: EnterGuard, core: &Rc<Core>) -> Entered {
    // The sweeper comes when the thread ends, once it was looked at; or has come already.
    let _ = SWEEPER.try_with(|_| ());
    Entered {
        reactor: guard,
        before: exchange(Some(Rc::clone(core))),
    }
}

/// The same, for the loop.
///
/// # Panics
///
/// If a loop runs on this thread already.
#[track_caller]
pub(crate) fn run(core: &Rc<Core>) -> Running {
    refuse_nesting();
    let entered = entered_by(core.reactor.drive(), core);
    RUNNING.set(core.number.into());
    if !core.stop.is_asked() {
        UNASKED.set(core.number.into());
    }
    Running { _entered: entered }
}

#[track_caller]
pub(crate) fn refuse_nesting() {
    assert!(
        RUNNING.get() == NOBODY,
        "`block_on`, or another loop, inside of one: this thread already runs a loop, and blocking \
         it would stop every task. Await the future, or spawn it"
    );
}

fn exchange(runtime: Option<Rc<Core>>) -> Option<Rc<Core>> {
    ManuallyDrop::into_inner(CURRENT.replace(ManuallyDrop::new(runtime)))
}

/// Restores the runtime that this thread had before.
pub(crate) struct Entered {
    before: Option<Rc<Core>>,
    /// Last, because it panics if guards are dropped out of order.
    reactor: EnterGuard,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.before.take();
        // If one that was made before has left it already, what was before is out of date.
        let left = self.reactor.is_entered().then(|| exchange(before));
        drop(left);
    }
}

/// While a loop runs.
pub(crate) struct Running {
    _entered: Entered,
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(NOBODY);
        UNASKED.set(NOBODY);
    }
}
