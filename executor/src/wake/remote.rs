//! The end of a runtime that other threads hold, and the messages that they send.

use std::sync::atomic::{AtomicU64, Ordering};

use selectors_core::NotifyHandle;

use crate::task::foreign::drop_contained;
use crate::task::id::Id;
use crate::wake::inbox::{Inbox, Notify};

/// What other threads share with a runtime.
pub(crate) struct Remote {
    pub(crate) inbox: Inbox<Mail>,
    /// Writes to the notifier so far.
    pub(crate) notifications: AtomicU64,
    notifier: NotifyHandle,
}

/// What other threads send to a runtime.
pub(crate) enum Mail {
    /// Wake this task.
    Wake(Id),
    /// Drop this task when it would be polled.
    Abort(Id),
    /// Call this, which makes a task, on the runtime's own thread.
    Spawn(Box<dyn FnOnce() + Send>),
    /// Ask all tasks to end.
    Stop,
}

impl Mail {
    /// What another message need not say again while this one is in the box.
    fn key(&self) -> Option<u64> {
        match self {
            Mail::Wake(id) => Some(id.bits()),
            Mail::Abort(id) => Some(id.bits() | Id::SPARE[0]),
            Mail::Stop => Some(Id::SPARE[1]),
            Mail::Spawn(_) => None,
        }
    }
}

impl Remote {
    pub(crate) fn new(notifier: NotifyHandle) -> Self {
        Remote {
            inbox: Inbox::new(),
            notifications: AtomicU64::new(0),
            notifier,
        }
    }

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
