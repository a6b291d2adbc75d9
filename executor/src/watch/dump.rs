//! A list of all tasks: who they are, where they come from, and what each one waits for.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use reactor::{BySpread, Waiting};

use crate::run::core::Core;
use crate::run::{current, waker};
use crate::task::id::Id;

/// One task, as [`dump`] saw it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its name in traces.
    pub id: Id,
    /// The name that [`spawn_named`](crate::spawn_named) gave it.
    pub name: Option<Rc<str>>,
    /// Where `spawn` was called.
    pub spawned_at: &'static Location<'static>,
    /// It was woken, and will be polled.
    pub is_queued: bool,
    /// Keys and timers that hold its waker. A task with none, that is not queued, waits for
    /// another task, another thread, or nothing at all.
    pub waits_for: Vec<Waiting>,
}

impl fmt::Display for TaskInfo {
    /// One line, as in `task 3.1 "echo" at src/main.rs:12:5 waits for READ on fd 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, " at {}", self.spawned_at)?;
        if self.is_queued {
            write!(f, " is ready")?;
        }
        for (at, waiting) in self.waits_for.iter().enumerate() {
            write!(
                f,
                "{} {waiting}",
                if at == 0 { " waits for" } else { " or" }
            )?;
        }
        if !self.is_queued && self.waits_for.is_empty() {
            write!(f, " waits for no key and no timer")?;
        }
        Ok(())
    }
}

/// All tasks of the runtime of this thread.
///
/// # Panics
///
/// If no runtime runs on this thread.
///
/// ```
/// use std::time::Duration;
///
/// executor::block_on(async {
///     executor::spawn_named("nap", executor::time::sleep(Duration::from_secs(60))).detach();
///     executor::yield_now().await;
///     let tasks = executor::dump();
///     assert_eq!(tasks[0].name.as_deref(), Some("nap"));
///     assert!(tasks[0].to_string().contains("waits for a timer"));
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
#[must_use]
pub fn dump() -> Vec<TaskInfo> {
    current::expect_current("dump").dump()
}

impl Core {
    pub(crate) fn dump(&self) -> Vec<TaskInfo> {
        // The tasks of our wakers, counted or not.
        let counted = self.watched.by_data();
        let find = |waker: &Waker| waker::id(waker).or_else(|| counted.get(&waker.data()).copied());
        let mut waiting = HashMap::<Id, Vec<Waiting>, BySpread>::default();
        self.reactor.for_each_waiter(|waker, what| {
            if let Some(task) = find(waker) {
                waiting.entry(task).or_default().push(what);
            }
        });
        let scheduler = self.scheduler.borrow();
        let tasks = scheduler.each().map(|about| TaskInfo {
            id: about.id,
            name: about.name.cloned(),
            spawned_at: about.spawned_at,
            is_queued: about.is_queued,
            waits_for: waiting.remove(&about.id).unwrap_or_default(),
        });
        tasks.collect()
    }
}
