//! [`TaskSet`]: tasks joined in the order in which they end.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{Location, RefUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;

use crate::run::core::Core;
use crate::run::{current, waker};
use crate::spawning::join_error::JoinError;
use crate::spawning::outlet::Outlet;
use crate::spawning::spawn_traits::LocalSpawner;
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
    ended: RefCell<VecDeque<(Id, Result<T, JoinError>)>>,
    /// The tasks that are still running.
    running: RefCell<BTreeSet<Id>>,
    /// Who waits in `join_next`.
    joiner: Cell<Option<Waker>>,
    /// The set is gone, or has let them go: nobody will ask for results.
    dropped: Cell<bool>,
}

/// A list of results that has grown longer than this is given back when it runs empty.
const FEW: usize = 1024;

/// The end of one task.
struct Member<T>(Rc<Members<T>>);

impl<T> Outlet<T> for Member<T> {
    fn finish(&self, id: Id, outcome: Result<T, JoinError>) {
        let Member(set) = self;
        set.running.borrow_mut().remove(&id);
        if set.dropped.get() {
            drop_contained(outcome);
            return;
        }
        set.ended.borrow_mut().push_back((id, outcome));
        if let Some(joiner) = set.joiner.take() {
            waker::wake_contained(joiner);
        }
    }
}

impl<T: 'static> TaskSet<T> {
    /// An empty set.
    #[must_use]
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
        self.spawn_in(&core, future, Location::caller())
    }

    /// As [`spawn`](Self::spawn), on a certain runtime, which need not run.
    ///
    /// ```
    /// let runtime = executor::Runtime::new()?;
    /// let mut set = executor::TaskSet::new();
    /// set.spawn_on(async { 7 }, &runtime.local_spawner());
    /// assert_eq!(runtime.block_on(set.join_next())?.unwrap().unwrap(), 7);
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn spawn_on(
        &mut self,
        future: impl Future<Output = T> + 'static,
        spawner: &LocalSpawner,
    ) -> Id {
        self.spawn_in(spawner.core(), future, Location::caller())
    }

    fn spawn_in(
        &mut self,
        core: &Core,
        future: impl Future<Output = T> + 'static,
        from: &'static Location<'static>,
    ) -> Id {
        let id = core.insert(future, Member(Rc::clone(&self.members)), from);
        // A runtime that is at its end takes nothing in: that task is over already.
        if !core.is_closed() {
            self.members.running.borrow_mut().insert(id);
        }
        id
    }

    /// Waits for the next task to end; `None` if there is none left. Dropping the future loses
    /// nothing.
    ///
    /// # Panics
    ///
    /// If it has to wait, and no runtime of a member runs on this thread.
    pub fn join_next(&mut self) -> JoinNext<'_, T> {
        JoinNext(self)
    }

    /// As [`join_next`](Self::join_next), and says which task it was.
    ///
    /// ```
    /// executor::block_on(async {
    ///     let mut set = executor::TaskSet::new();
    ///     let seven = set.spawn(async { 7 });
    ///     let (id, result) = set.join_next_with_id().await.unwrap();
    ///     assert_eq!((id, result.unwrap()), (seven, 7));
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`join_next`](Self::join_next).
    pub fn join_next_with_id(&mut self) -> JoinNextWithId<'_, T> {
        JoinNextWithId(self)
    }

    /// The poll-style form of [`join_next`](Self::join_next); the set remembers one waker, the
    /// last.
    ///
    /// # Panics
    ///
    /// As there.
    #[track_caller]
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let joined = ready!(self.poll_join_next_with_id(cx));
        Poll::Ready(joined.map(|(_, outcome)| outcome))
    }

    /// The poll-style form of [`join_next_with_id`](Self::join_next_with_id).
    ///
    /// # Panics
    ///
    /// As there.
    #[track_caller]
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(Id, Result<T, JoinError>)>> {
        let members = &*self.members;
        if members.ended.borrow().is_empty() && !members.running.borrow().is_empty() {
            let driven = members
                .running
                .borrow()
                .iter()
                .any(|id| current::drives(*id));
            assert!(
                driven,
                "this TaskSet would wait for ever: nobody drives its runtime. Join it inside \
                 `Runtime::block_on`"
            );
            let replaced = members.joiner.replace(Some(cx.waker().clone()));
            drop(replaced);
            return Poll::Pending;
        }
        ready!(current::poll_budget(cx));
        Poll::Ready(self.try_join_next_with_id())
    }

    /// The next result, if one is there.
    ///
    /// ```
    /// executor::block_on(async {
    ///     let mut set = executor::TaskSet::new();
    ///     set.spawn(async { 7 });
    ///     assert!(set.try_join_next().is_none());
    ///     executor::yield_now().await;
    ///     assert_eq!(set.try_join_next().unwrap().unwrap(), 7);
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(|(_, outcome)| outcome)
    }

    /// As [`try_join_next`](Self::try_join_next), and says which task it was.
    pub fn try_join_next_with_id(&mut self) -> Option<(Id, Result<T, JoinError>)> {
        let mut ended = self.members.ended.borrow_mut();
        let outcome = ended.pop_front();
        if ended.is_empty() && ended.capacity() > FEW {
            *ended = VecDeque::new();
        }
        outcome
    }

    /// Waits for all tasks, and gives what they returned in the order in which they ended. The first
    /// that panicked or was aborted ends it, and aborts the others.
    ///
    /// ```
    /// executor::block_on(async {
    ///     let set: executor::TaskSet<_> = (0..3).map(|number| async move { number }).collect();
    ///     assert_eq!(set.join_all().await.unwrap(), [0, 1, 2]);
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// That of the first task that has no result.
    ///
    /// # Panics
    ///
    /// As [`join_next`](Self::join_next).
    pub fn join_all(self) -> impl Future<Output = Result<Vec<T>, JoinError>> {
        JoinAll {
            joined: Joined(Vec::with_capacity(self.len())),
            set: self,
        }
    }

    /// Asks every task to end, and waits until all are gone. What they have returned, or panicked
    /// with, is dropped.
    ///
    /// ```
    /// use std::{future::pending, rc::Rc};
    ///
    /// executor::block_on(async {
    ///     let (shared, mut set) = (Rc::new(()), executor::TaskSet::new());
    ///     let theirs = Rc::clone(&shared);
    ///     set.spawn(async move { pending::<()>().await; drop(theirs) });
    ///     set.shutdown().await;
    ///     assert_eq!(Rc::strong_count(&shared), 1);
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`join_next`](Self::join_next).
    pub fn shutdown(&mut self) -> impl Future<Output = ()> {
        ShutDown {
            set: self,
            is_asked: false,
        }
    }

    /// Asks one task to end, if it is a member that runs; its result is still to be joined. Says
    /// whether it is.
    ///
    /// ```
    /// use std::future::pending;
    ///
    /// executor::block_on(async {
    ///     let mut set = executor::TaskSet::new();
    ///     let stuck = set.spawn(pending::<()>());
    ///     assert!(set.abort(stuck));
    ///     assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    ///     assert!(!set.abort(stuck));
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn abort(&mut self, id: Id) -> bool {
        let is_running = self.members.running.borrow().contains(&id);
        if is_running {
            current::abort(id);
        }
        is_running
    }

    /// Lets all tasks run on without the set, which is empty then. Results that are there, and those
    /// that come, are dropped.
    ///
    /// ```
    /// executor::block_on(async {
    ///     let (sender, receiver) = std::sync::mpsc::channel();
    ///     let mut set = executor::TaskSet::new();
    ///     set.spawn(async move { sender.send(7) });
    ///     set.detach_all();
    ///     assert!(set.is_empty());
    ///     executor::yield_now().await;
    ///     assert_eq!(receiver.try_recv(), Ok(7));
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn detach_all(&mut self) {
        // What is dropped here has been let go before, so it aborts nobody.
        mem::take(self).members.let_go();
    }

    /// Asks every task to end; their results are still to be joined, and new tasks may be spawned.
    pub fn abort_all(&mut self) {
        self.members.abort();
    }

    /// Tasks that were not joined yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.running.borrow().len() + self.members.ended.borrow().len()
    }

    /// Has every task been joined?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What was joined for a result that may not come: each is dropped by itself, whatever the destructor
/// of another one does.
struct Joined<T>(Vec<T>);

impl<T> Drop for Joined<T> {
    fn drop(&mut self) {
        self.0.drain(..).for_each(drop_contained);
    }
}

/// Written by hand, and so is [`ShutDown`]: an `async` function would have a panic for misuse name its own
/// line, and not that of the caller.
#[must_use = "futures do nothing unless awaited"]
struct JoinAll<T> {
    joined: Joined<T>,
    set: TaskSet<T>,
}

/// Nobody points into what it has joined.
impl<T> Unpin for JoinAll<T> {}

impl<T: 'static> Future for JoinAll<T> {
    type Output = Result<Vec<T>, JoinError>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match ready!(this.set.poll_join_next(cx)) {
                Some(Ok(output)) => this.joined.0.push(output),
                None => return Poll::Ready(Ok(mem::take(&mut this.joined.0))),
                Some(Err(error)) => {
                    // What is left goes now, and not with who has awaited this.
                    drop(Joined(mem::take(&mut this.joined.0)));
                    drop(mem::take(&mut this.set));
                    return Poll::Ready(Err(error));
                }
            }
        }
    }
}

#[must_use = "futures do nothing unless awaited"]
struct ShutDown<'a, T> {
    set: &'a mut TaskSet<T>,
    is_asked: bool,
}

impl<T: 'static> Future for ShutDown<'_, T> {
    type Output = ();

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if !this.is_asked {
            this.is_asked = true;
            this.set.abort_all();
        }
        while let Some(result) = ready!(this.set.poll_join_next(cx)) {
            drop_contained(result);
        }
        Poll::Ready(())
    }
}

/// Spawns each on the runtime of this thread, and panics if none runs.
impl<T: 'static, F: Future<Output = T> + 'static> Extend<F> for TaskSet<T> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}

/// Spawns each on the runtime of this thread, and panics if none runs.
impl<T: 'static, F: Future<Output = T> + 'static> FromIterator<F> for TaskSet<T> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        set.extend(futures);
        set
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

/// The next result of a [`TaskSet`], and which task it is of; made by
/// [`TaskSet::join_next_with_id`].
#[must_use = "futures do nothing unless awaited"]
pub struct JoinNextWithId<'a, T>(&'a mut TaskSet<T>);

impl<T: 'static> Future for JoinNextWithId<'_, T> {
    type Output = Option<(Id, Result<T, JoinError>)>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_join_next_with_id(cx)
    }
}

impl<T> fmt::Debug for JoinNextWithId<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinNextWithId").field(&self.0).finish()
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

/// As [`Core`](crate::run::core::Core).
impl<T> RefUnwindSafe for Members<T> {}

impl<T> Members<T> {
    fn abort(&self) {
        // Not borrowed meanwhile: an observer hears of each.
        let ids = self.running.borrow().clone();
        ids.into_iter().for_each(current::abort);
    }

    /// Nobody will ask for results any more.
    fn let_go(&self) {
        self.dropped.set(true);
        drop_contained(self.joiner.take());
        // One by one: a second destructor that panics would end the process.
        let ended = self.ended.take();
        ended.into_iter().for_each(drop_contained);
    }
}

impl<T> Default for TaskSet<T> {
    fn default() -> Self {
        let members = Rc::new(Members {
            ended: RefCell::default(),
            running: RefCell::default(),
            joiner: Cell::new(None),
            dropped: Cell::new(false),
        });
        TaskSet { members }
    }
}

impl<T> Drop for TaskSet<T> {
    fn drop(&mut self) {
        if !self.members.dropped.get() {
            self.members.abort();
        }
        self.members.let_go();
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
