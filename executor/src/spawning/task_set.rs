//! [`TaskSet`]: tasks joined in the order in which they end.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;

use crate::run::{current, waker};
use crate::spawning::join_error::JoinError;
use crate::spawning::outlet::Outlet;
use crate::task::foreign::drop_contained;
use crate::task::id::Id;

/// A set of tasks whose results come in the order in which they are ready. Dropping it aborts
/// those that are still running.
///
/// ```
/// use executor::time::sleep;
/// use std::time::Duration;
///
/// executor::block_on(async {
///     let mut set = executor::TaskSet::new();
///     for delay in [4, 1] {
///         set.spawn(async move {
///             sleep(Duration::from_millis(delay)).await;
///             delay
///         });
///     }
///     assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
///     assert_eq!(set.join_next().await.unwrap().unwrap(), 4);
///     assert!(set.join_next().await.is_none());
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TaskSet<T> {
    members: Rc<Members<T>>,
}

/// What the set and its tasks share.
struct Members<T> {
    /// Results, in the order in which they came.
    ended: RefCell<VecDeque<Result<T, JoinError>>>,
    /// The tasks that are still running, by their number in this set.
    running: RefCell<BTreeMap<u64, Id>>,
    /// The number of the next task.
    next: Cell<u64>,
    /// Who waits in `join_next`.
    joiner: Cell<Option<Waker>>,
    /// The set is gone: nobody will ask for results.
    dropped: Cell<bool>,
}

/// A list of results that has grown longer than this is given back when it runs empty.
const FEW: usize = 1024;

/// The end of one task.
struct Member<T> {
    set: Rc<Members<T>>,
    number: u64,
}

impl<T> Outlet<T> for Member<T> {
    fn finish(&self, outcome: Result<T, JoinError>) {
        self.set.running.borrow_mut().remove(&self.number);
        if self.set.dropped.get() {
            drop_contained(outcome);
            return;
        }
        self.set.ended.borrow_mut().push_back(outcome);
        if let Some(joiner) = self.set.joiner.take() {
            waker::wake_contained(joiner);
        }
    }
}

#[cfg(test)]
impl<T> TaskSet<T> {
    /// As if that many had been members.
    pub(crate) fn begin_at(&self, number: u64) {
        self.members.next.set(number);
    }
}

impl<T: 'static> TaskSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Spawns `future` on the runtime of this thread as a member of the set.
    ///
    /// # Panics
    ///
    /// If no runtime runs on this thread.
    #[track_caller]
    pub fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> Id {
        let core = current::expect_current("TaskSet::spawn");
        let number = self.members.next.get();
        self.members.next.set(number + 1);
        let member = Member {
            set: Rc::clone(&self.members),
            number,
        };
        let id = core.insert(future, member, Location::caller());
        // A runtime that is at its end takes nothing in: that task is over already.
        if !core.is_closed() {
            self.members.running.borrow_mut().insert(number, id);
        }
        id
    }

    /// Waits for the next task to end; `None` if there is none left. Dropping the future loses
    /// nothing.
    ///
    /// # Panics
    ///
    /// If it is awaited where no runtime runs, and has to wait.
    pub fn join_next(&mut self) -> JoinNext<'_, T> {
        JoinNext(self)
    }

    /// The poll-style form of [`join_next`](Self::join_next); the set remembers one waker, the
    /// last.
    #[track_caller]
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let members = &*self.members;
        let running = members.running.borrow().values().next().copied();
        if let (Some(id), true) = (running, members.ended.borrow().is_empty()) {
            current::assert_driven(id.runtime());
            members.joiner.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        ready!(current::poll_budget(cx));
        let mut ended = members.ended.borrow_mut();
        let outcome = ended.pop_front();
        if ended.is_empty() && ended.capacity() > FEW {
            *ended = VecDeque::new();
        }
        Poll::Ready(outcome)
    }

    /// Asks every task to end; their results are still to be joined, and new tasks may be spawned.
    pub fn abort_all(&mut self) {
        self.members.abort();
    }

    /// Tasks that were not joined yet.
    pub fn len(&self) -> usize {
        self.members.running.borrow().len() + self.members.ended.borrow().len()
    }

    /// Has every task been joined?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The next result of a [`TaskSet`]; made by [`TaskSet::join_next`].
#[must_use = "futures do nothing unless awaited"]
pub struct JoinNext<'a, T>(&'a mut TaskSet<T>);

impl<T: 'static> Future for JoinNext<'_, T> {
    type Output = Option<Result<T, JoinError>>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_join_next(cx)
    }
}

impl<T> fmt::Debug for JoinNext<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinNext").field(&self.0).finish()
    }
}

/// The results, in the order in which they come. It is over when nobody is left, and goes on when
/// another task is spawned.
impl<T: 'static> Stream for TaskSet<T> {
    type Item = Result<T, JoinError>;

    #[track_caller]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_join_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), None)
    }
}

impl<T> Members<T> {
    fn abort(&self) {
        // Not borrowed meanwhile: an observer hears of each.
        let ids: Vec<Id> = self.running.borrow().values().copied().collect();
        ids.into_iter().for_each(current::abort);
    }
}

impl<T> Default for TaskSet<T> {
    fn default() -> Self {
        let members = Rc::new(Members {
            ended: RefCell::default(),
            running: RefCell::default(),
            next: Cell::new(0),
            joiner: Cell::new(None),
            dropped: Cell::new(false),
        });
        TaskSet { members }
    }
}

impl<T> Drop for TaskSet<T> {
    fn drop(&mut self) {
        self.members.dropped.set(true);
        self.members.abort();
        drop_contained(self.members.joiner.take());
        // One by one: a second destructor that panics would end the process.
        let ended = self.members.ended.take();
        ended.into_iter().for_each(drop_contained);
    }
}

impl<T> fmt::Debug for TaskSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = self.members.running.borrow().len();
        let ended = self.members.ended.borrow().len();
        f.debug_struct("TaskSet")
            .field("running", &running)
            .field("ended", &ended)
            .finish()
    }
}
