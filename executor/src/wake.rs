//! A wake, from this thread or another: how the call of a waker becomes an entry in a ready queue.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};

use selectors_core::Notifier;

use crate::core::Core;
use crate::inbox::{Inbox, Notify};
use crate::waker::TaskId;

thread_local! {
    /// The runtime that runs on this thread.
    static CURRENT: RefCell<Option<Rc<Core>>> = const { RefCell::new(None) };
}

/// Where other threads find a runtime by its number: the place in the list.
static RUNTIMES: RwLock<Vec<Option<Arc<Remote>>>> = RwLock::new(Vec::new());

/// What other threads share with a runtime.
pub(crate) struct Remote {
    pub(crate) inbox: Inbox<TaskId>,
    pub(crate) notifier: Arc<Notifier>,
}

/// Wakes a task: on its own thread a flag and a push, from another through the inbox. A task or
/// a runtime that is gone is passed over in silence: late wakes are nobody's mistake.
#[inline]
pub(crate) fn wake(id: TaskId) {
    // A thread that is being torn down has no runtime any more.
    let here = CURRENT.try_with(|current| match &*current.borrow() {
        Some(core) if core.number == id.runtime() => {
            core.schedule(id);
            true
        }
        _ => false,
    });
    if !here.unwrap_or(false) {
        wake_elsewhere(id);
    }
}

#[cold]
fn wake_elsewhere(id: TaskId) {
    let runtimes = RUNTIMES.read().unwrap_or_else(PoisonError::into_inner);
    let Some(Some(remote)) = runtimes.get(usize::from(id.runtime())) else {
        return;
    };
    if remote.inbox.push(id) == Notify::Needed {
        // It can only fail if the kernel takes the eventfd away from us; then no call of ours
        // could end the wait, and a panic in a waker would help nobody.
        let _ = remote.notifier.notify();
    }
}

/// Enters `remote` into the list of runtimes and returns its number.
pub(crate) fn enlist(remote: &Arc<Remote>) -> io::Result<u16> {
    let mut runtimes = RUNTIMES.write().unwrap_or_else(PoisonError::into_inner);
    let number = runtimes
        .iter()
        .position(Option::is_none)
        .unwrap_or(runtimes.len());
    let Ok(short) = u16::try_from(number) else {
        return Err(io::Error::other("more than 65536 runtimes at once"));
    };
    if number == runtimes.len() {
        runtimes.push(None);
    }
    runtimes[number] = Some(Arc::clone(remote));
    Ok(short)
}

/// The runtime is gone: wakes for it find nobody from now on.
pub(crate) fn strike_off(number: u16) {
    let mut runtimes = RUNTIMES.write().unwrap_or_else(PoisonError::into_inner);
    runtimes[usize::from(number)] = None;
}

/// The runtime of this thread, if one is running.
pub(crate) fn current() -> Option<Rc<Core>> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// Makes `core` the runtime of this thread until the guard is dropped.
pub(crate) fn enter(core: &Rc<Core>) -> Entered {
    Entered(CURRENT.replace(Some(Rc::clone(core))))
}

/// Restores the runtime that this thread had before.
pub(crate) struct Entered(Option<Rc<Core>>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
