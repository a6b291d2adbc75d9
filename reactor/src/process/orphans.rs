//! Children that were dropped before they ended.
//!
//! Somebody has to wait for them, or they stay in the kernel's table as zombies. There may be no
//! reactor any more when they end; so each is given a thread that does nothing else, and is small
//! beside the process that it waits for.

use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// All that such a thread needs.
const STACK: usize = 64 * 1024;

/// Those for whom no thread could be made.
static ORPHANS: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Takes the child out of the kernel's table when it ends.
pub(crate) fn adopt(child: Child) {
    let child = Arc::new(Mutex::new(Some(child)));
    let theirs = Arc::clone(&child);
    let builder = thread::Builder::new().name("orphan".to_owned());
    let started = builder.stack_size(STACK).spawn(move || {
        let child = lock(&theirs).take();
        // An error says that somebody else has waited for it.
        child.map(|mut child| child.wait())
    });
    if started.is_err() {
        lock(&ORPHANS).extend(lock(&child).take());
    }
}

/// Takes those out that have no thread and have ended.
pub(crate) fn reap() {
    lock(&ORPHANS).retain_mut(|orphan| matches!(orphan.try_wait(), Ok(None)));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
