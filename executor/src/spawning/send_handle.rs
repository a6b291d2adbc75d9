//! [`SendHandle`]: the result of a task, to be awaited on any thread.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use crate::run::{current, waker};
use crate::spawning::abort_handle::{AbortHandle, Abortable};
use crate::spawning::join_error::JoinError;
use crate::spawning::outlet::Outlet;
use crate::task::foreign::drop_contained;
use crate::task::id::Id;

/// What a task and its handle on another thread share.
pub(crate) struct SentPromise<T> {
    state: Mutex<SentStage<T>>,
    /// Set once, by the handle.
    ///
    /// The handle writes this and then reads `id`, the runtime writes `id` and then, before the
    /// first poll, reads this. All four are sequentially consistent, so that they cannot both read
    /// the old value: an abort that finds no id to tell is seen before the first poll.
    aborted: AtomicBool,
    /// The bits of the task's id; zero until the runtime has made it.
    id: AtomicU64,
}

impl<T> Default for SentPromise<T> {
    fn default() -> Self {
        let state = Mutex::new(SentStage::Running(None));
        SentPromise {
            state,
            aborted: AtomicBool::new(false),
            id: AtomicU64::new(0),
        }
    }
}

enum SentStage<T> {
    /// Not over; who awaits the handle.
    Running(Option<Waker>),
    /// Over, and not yet taken.
    Over(Result<T, JoinError>),
    /// Its result was taken, or will not be: the handle is gone.
    Taken,
}

impl<T> SentPromise<T> {
    /// The runtime has made the task, and polls it next.
    pub(crate) fn is_made(&self, id: Id) {
        self.id.store(id.bits(), Ordering::SeqCst);
        if self.aborted.load(Ordering::SeqCst) {
            current::abort(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, SentStage<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_finished(&self) -> bool {
        !matches!(*self.lock(), SentStage::Running(_))
    }

    fn id(&self) -> Option<Id> {
        match self.id.load(Ordering::SeqCst) {
            0 => None,
            id => Some(Id::from_bits(id)),
        }
    }

    fn abort(&self) {
        // Once: whoever was first has told the runtime, or it will look.
        if self.aborted.swap(true, Ordering::SeqCst) {
            return;
        }
        // None: the runtime has not made it yet, and will look before the first poll. That the task
        // is over is not asked here: a handle that is gone knows nothing of it, and the runtime does.
        if let Some(id) = self.id() {
            current::abort(id);
        }
    }
}

impl<T: Send> Abortable for SentPromise<T> {
    fn abort(&self) {
        self.abort();
    }

    fn id(&self) -> Option<Id> {
        self.id()
    }
}

/// The task's end of what it shares with its handle.
pub(crate) struct Outbound<T>(Arc<SentPromise<T>>);

impl<T> Outlet<T> for Outbound<T> {
    fn finish(&self, _: Id, outcome: Result<T, JoinError>) {
        self.give(outcome);
    }
}

impl<T> Outbound<T> {
    pub(crate) fn promise(&self) -> Arc<SentPromise<T>> {
        Arc::clone(&self.0)
    }

    /// The result, or why there is none; what comes later is dropped.
    pub(crate) fn give(&self, outcome: Result<T, JoinError>) {
        let mut state = self.0.lock();
        if let SentStage::Running(joiner) = &mut *state {
            let joiner = joiner.take();
            *state = SentStage::Over(outcome);
            drop(state);
            if let Some(joiner) = joiner {
                waker::wake_contained(joiner);
            }
        } else {
            drop(state);
            drop_contained(outcome);
        }
    }
}

impl<T> Drop for Outbound<T> {
    /// Whatever ends it before it is a task.
    fn drop(&mut self) {
        if !self.0.is_finished() {
            self.give(Err(JoinError::cancelled(None)));
        }
    }
}

/// The result of a task on another thread's runtime; made by
/// [`Spawner::spawn`](crate::Spawner::spawn). It can be awaited
/// on any thread. Dropping it detaches the task.
#[must_use = "dropping a handle detaches its task; say so with `detach`"]
pub struct SendHandle<T> {
    promise: Arc<SentPromise<T>>,
}

impl<T> SendHandle<T> {
    /// A handle, and the end of its task.
    pub(crate) fn new() -> (Self, Outbound<T>) {
        let promise = Arc::new(SentPromise::default());
        let outlet = Outbound(Arc::clone(&promise));
        (SendHandle { promise }, outlet)
    }

    /// Asks the task to end; see [`JoinHandle::abort`](crate::JoinHandle::abort).
    pub fn abort(&self) {
        self.promise.abort();
    }

    /// Aborts the task as well, and may be cloned and sent anywhere.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle
    where
        T: Send + 'static,
    {
        AbortHandle::of_sent(Arc::clone(&self.promise) as Arc<dyn Abortable>)
    }

    /// Lets the task run on without a handle.
    pub fn detach(self) {}

    /// Names the task in traces and dumps; `None` until the runtime has made it.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.promise.id()
    }

    /// Is the task over, in one way or another?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.promise.is_finished()
    }
}

impl<T> Drop for SendHandle<T> {
    fn drop(&mut self) {
        let state = mem::replace(&mut *self.promise.lock(), SentStage::Taken);
        drop_contained(state);
    }
}

impl<T> Future for SendHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it has yielded the result.
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_finished() {
            ready!(current::poll_budget(cx));
        }
        // A waker is not our code: it is cloned before the lock, and the old one dropped after it.
        let waker = cx.waker().clone();
        let mut state = self.promise.lock();
        match mem::replace(&mut *state, SentStage::Taken) {
            SentStage::Running(replaced) => {
                *state = SentStage::Running(Some(waker));
                drop(state);
                drop(replaced);
                Poll::Pending
            }
            SentStage::Over(outcome) => Poll::Ready(outcome),
            SentStage::Taken => {
                drop(state);
                panic!("a SendHandle was polled after it had yielded its result");
            }
        }
    }
}

impl<T> fmt::Debug for SendHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHandle")
            .field("is_finished", &self.is_finished())
            .finish()
    }
}
