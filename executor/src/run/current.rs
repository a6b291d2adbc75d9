//! A wake, from this thread or another: how the call of a waker becomes an entry in a ready queue.

use std::cell::Cell;
use std::io;
use std::mem::{self, ManuallyDrop};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};

use reactor::observe::Event;
use selectors_core::NotifyHandle;

use crate::ready::marks::Past;
use crate::run::core::Core;
use crate::run::waker::TaskId;
use crate::task::foreign::{contain, drop_contained};
use crate::wake::inbox::{Inbox, Notify};

thread_local! {
    /// The runtime that runs on this thread; not there while [`with_current`] looks at it.
    ///
    /// `ManuallyDrop` because a thread-local without a destructor is found without asking whether
    /// it is still alive. Nothing leaks: [`Entered`] always takes out what it has put in.
    static CURRENT: Cell<ManuallyDrop<Option<Rc<Core>>>> =
        const { Cell::new(ManuallyDrop::new(None)) };
}

/// Where other threads find a runtime by its number: the place in the list.
static RUNTIMES: RwLock<Vec<Listed>> = RwLock::new(Vec::new());

/// What is known of one number.
#[derive(Default)]
struct Listed {
    /// The runtime that has it now.
    remote: Option<Arc<Remote>>,
    /// The ids of tasks that those before it have given.
    past: Past,
}

/// What other threads share with a runtime.
pub(crate) struct Remote {
    pub(crate) inbox: Inbox<Mail>,
    /// Writes to the notifier so far.
    pub(crate) notifications: AtomicU64,
    pub(crate) notifier: NotifyHandle,
}

/// What other threads send to a runtime.
pub(crate) enum Mail {
    /// Wake this task.
    Wake(TaskId),
    /// Drop this task when it would be polled.
    Abort(TaskId),
    /// Make a task of what is in the box.
    Spawn(Box<dyn FnOnce(&Core) + Send>),
}

impl Mail {
    /// What another message need not say again while this one is in the box.
    fn key(&self) -> Option<u64> {
        match self {
            Mail::Wake(id) => Some(id.bits()),
            Mail::Abort(id) => Some(id.bits() | TaskId::SPARE[0]),
            Mail::Spawn(_) => None,
        }
    }
}

impl Remote {
    /// Leaves a message and ends the runtime's sleep if need be.
    pub(crate) fn send(&self, mail: Mail) {
        let key = mail.key();
        match self.inbox.push(mail, key) {
            Ok(Notify::Needed) => {
                self.notifications.fetch_add(1, Ordering::Relaxed);
                // It can only fail if the kernel takes the eventfd away from us; then no call of
                // ours could end the wait, and a panic in a waker would help nobody.
                let _ = self.notifier.notify();
            }
            Ok(Notify::NotNeeded) => {}
            Err(mail) => drop_contained(mail),
        }
    }
}

/// Wakes a task: on its own thread a flag and a push, from another through the inbox. A task or
/// a runtime that is gone is passed over in silence: late wakes are nobody's mistake.
#[inline]
pub(crate) fn wake(id: TaskId) {
    let woken = with_current(|core| match core {
        Some(core) if core.number == id.runtime() => core.wake_at_once(id),
        _ => false,
    });
    if !woken {
        wake_slowly(id);
    }
}

/// The same, by the data of a waker. It stands here because a thread-local is found without a call
/// only by code that is compiled together with it.
#[cfg(target_pointer_width = "64")]
pub(crate) fn wake_packed(data: *const ()) {
    wake(TaskId::unpack(data));
}

/// Calls a waker. Ours do not panic, and are called without detour.
#[inline(never)]
pub(crate) fn wake_contained(waker: Waker) {
    match TaskId::of(&waker) {
        Some(id) => {
            wake(id);
            TaskId::forget(waker);
        }
        None => wake_foreign(waker),
    }
}

#[cold]
fn wake_foreign(waker: Waker) {
    contain(|| waker.wake());
}

/// It takes more than a push, or the task is elsewhere.
#[cold]
#[inline(never)]
fn wake_slowly(id: TaskId) {
    match current() {
        Some(core) if core.number == id.runtime() => core.wake(id),
        _ => send(id, Mail::Wake(id)),
    }
}

/// Ends a task where it would be polled next.
pub(crate) fn abort(id: TaskId) {
    match current() {
        Some(core) if core.number == id.runtime() => core.abort_task(id),
        _ => send(id, Mail::Abort(id)),
    }
}

/// To the runtime of a task, by the way that is open to every thread.
#[cold]
fn send(id: TaskId, mail: Mail) {
    let runtimes = RUNTIMES.read().unwrap_or_else(PoisonError::into_inner);
    let listed = runtimes.get(usize::from(id.runtime()));
    if let Some(remote) = listed.and_then(|listed| listed.remote.as_ref()) {
        remote.send(mail);
    }
}

/// Enters `remote` into the list of runtimes. Returns its number, and the ids that were given under
/// that number before.
pub(crate) fn enlist(remote: &Arc<Remote>) -> io::Result<(u16, Past)> {
    let mut runtimes = RUNTIMES.write().unwrap_or_else(PoisonError::into_inner);
    let number = runtimes
        .iter()
        .position(|listed| listed.remote.is_none())
        .unwrap_or(runtimes.len());
    let Ok(short) = u16::try_from(number) else {
        return Err(io::Error::other("more than 65536 runtimes at once"));
    };
    if number == runtimes.len() {
        runtimes.push(Listed::default());
    }
    let listed = &mut runtimes[number];
    listed.remote = Some(Arc::clone(remote));
    Ok((short, mem::take(&mut listed.past)))
}

/// The runtime is gone: wakes for it find nobody from now on, and nobody is given an id of `past`.
pub(crate) fn strike_off(number: u16, past: Past) {
    let mut runtimes = RUNTIMES.write().unwrap_or_else(PoisonError::into_inner);
    let remote = mem::replace(
        &mut runtimes[usize::from(number)],
        Listed { remote: None, past },
    );
    drop(runtimes);
    drop(remote);
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
        None => panic!("no runtime on this thread: call `{what}` inside `executor::block_on`"),
    }
}

/// Takes one from the budget of the task that is running; `Pending` if others are to run first, and
/// then the task is woken already. Where no runtime runs there is nobody to starve.
#[inline]
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    match with_current(|core| core.map(|core| core.reactor.spend_budget())) {
        None | Some(true) => Poll::Ready(()),
        Some(false) => poll_budget_slowly(cx),
    }
}

#[cold]
fn poll_budget_slowly(cx: &mut Context<'_>) -> Poll<()> {
    current().map_or(Poll::Ready(()), |core| core.reactor.poll_budget(cx))
}

/// Nobody would ever run what is awaited: better a sentence than a hang.
#[inline]
#[track_caller]
pub(crate) fn assert_driven(runtime: u16) {
    let driven = with_current(|core| core.is_some_and(|core| core.number == runtime));
    assert!(
        driven,
        "this JoinHandle would wait for ever: nobody drives its runtime. Await it inside \
         `Runtime::block_on`"
    );
}

/// A task was dropped before it was done: the observer should hear of it.
pub(crate) fn dropped_pending(id: TaskId) {
    if let Some(core) = current().filter(|core| core.reactor.is_observed()) {
        let task = id.bits();
        core.reactor.emit(Event::DropPending { task });
    }
}

/// Makes `core` the runtime of this thread until the guard is dropped.
pub(crate) fn enter(core: &Rc<Core>) -> Entered {
    Entered(exchange(Some(Rc::clone(core))))
}

fn exchange(runtime: Option<Rc<Core>>) -> Option<Rc<Core>> {
    ManuallyDrop::into_inner(CURRENT.replace(ManuallyDrop::new(runtime)))
}

/// Restores the runtime that this thread had before.
pub(crate) struct Entered(Option<Rc<Core>>);

impl Drop for Entered {
    fn drop(&mut self) {
        drop(exchange(self.0.take()));
    }
}
