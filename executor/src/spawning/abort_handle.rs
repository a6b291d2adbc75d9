//! [`AbortHandle`]: ends a task from anywhere.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::run::current;
use crate::task::id::Id;

/// Ends a task from anywhere, and knows nothing of its result; made by
/// [`JoinHandle::abort_handle`](crate::JoinHandle::abort_handle) and
/// [`SendHandle::abort_handle`](crate::SendHandle::abort_handle). Dropping it does nothing.
///
/// ```
/// use std::future::pending;
///
/// executor::block_on(async {
///     let task = executor::spawn(pending::<()>());
///     let abort = task.abort_handle();
///     std::thread::spawn(move || abort.abort());
///     assert!(task.await.unwrap_err().is_cancelled());
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct AbortHandle(Target);

#[derive(Clone)]
enum Target {
    Made(Id),
    /// The runtime may not have made it yet.
    Sent(Arc<dyn Abortable>),
}

/// A task that was sent to its runtime, whatever the type of its result.
pub(crate) trait Abortable: Send + Sync + UnwindSafe + RefUnwindSafe {
    fn abort(&self);

    fn id(&self) -> Option<Id>;
}

impl AbortHandle {
    pub(crate) fn of_made(id: Id) -> Self {
        AbortHandle(Target::Made(id))
    }

    pub(crate) fn of_sent(task: Arc<dyn Abortable>) -> Self {
        AbortHandle(Target::Sent(task))
    }

    /// Asks the task to end; see [`JoinHandle::abort`](crate::JoinHandle::abort). Nothing is done if
    /// it is over, or its runtime is gone.
    pub fn abort(&self) {
        match &self.0 {
            Target::Made(id) => current::abort(*id),
            Target::Sent(task) => task.abort(),
        }
    }

    /// Names the task in traces and dumps; `None` until its runtime has made it.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        match &self.0 {
            Target::Made(id) => Some(*id),
            Target::Sent(task) => task.id(),
        }
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AbortHandle").field(&self.id()).finish()
    }
}
