//! Where the result of a task goes: an outlet, and the one that a handle on the same thread has.

use std::cell::Cell;
use std::mem;
use std::panic::RefUnwindSafe;
use std::rc::Rc;
use std::task::Waker;

use crate::run::waker;
use crate::spawning::join_error::JoinError;
use crate::task::foreign::drop_contained;
use crate::task::id::Id;

/// Where a task's result goes: a handle on this thread, one on another, or a set.
pub(crate) trait Outlet<T> {
    /// The task is over. Called once.
    fn finish(&self, id: Id, outcome: Result<T, JoinError>);

    /// The future is dropped as well. Can the next task in the box have this outlet?
    fn close(&self) -> bool {
        false
    }

    /// For that task, with what it shares with its handle.
    fn renew(&mut self) -> Option<Rc<Promise<T>>> {
        None
    }
}

/// What a task and its [`JoinHandle`](crate::JoinHandle) share. Used again by the next task in the
/// box; see [`Spare`](crate::task::spare::Spare).
pub(crate) struct Promise<T> {
    stage: Cell<Stage>,
    /// The handle is gone. Set once, by the handle.
    detached: Cell<bool>,
    /// Who awaits the handle.
    joiner: Cell<Option<Waker>>,
    /// The result, in the stage `Over`.
    outcome: Cell<Option<Result<T, JoinError>>>,
}

/// How far the task is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not over.
    Running,
    /// Over, and nobody has waited for it; set by the task.
    Over,
    /// Over, and somebody has waited for it, and was woken; set by the task.
    Delivered,
    /// The result was taken; set by the handle.
    Taken,
}

/// As [`Core`](crate::run::core::Core).
impl<T> RefUnwindSafe for Promise<T> {}

impl<T> Promise<T> {
    /// Nobody will ask for the result.
    #[cold]
    fn discard(&self) {
        drop_contained(self.outcome.take());
    }

    #[inline]
    pub(super) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Who awaits the handle.
    #[inline]
    pub(super) fn wait(&self, joiner: Waker) {
        self.joiner.set(Some(joiner));
    }

    /// The result, once.
    #[inline]
    pub(super) fn take(&self) -> Option<Result<T, JoinError>> {
        self.stage.set(Stage::Taken);
        self.outcome.take()
    }

    /// The handle is gone.
    #[inline]
    pub(super) fn detach(&self) {
        self.detached.set(true);
        if self.stage.get() != Stage::Taken {
            self.leave();
        }
    }

    /// Nobody will wait for the result.
    fn leave(&self) {
        if let Some(joiner) = self.joiner.take() {
            drop_contained(joiner);
        }
        if self.stage.get() != Stage::Running {
            self.discard();
        }
    }
}

impl<T> Default for Promise<T> {
    fn default() -> Self {
        Promise {
            stage: Cell::new(Stage::Running),
            detached: Cell::new(false),
            joiner: Cell::new(None),
            outcome: Cell::new(None),
        }
    }
}

/// The task's end of what it shares with its handle.
pub(crate) struct Delivery<T>(Rc<Promise<T>>);

impl<T> Delivery<T> {
    #[inline]
    pub(crate) fn new(shared: &Rc<Promise<T>>) -> Self {
        Delivery(Rc::clone(shared))
    }
}

impl<T> Outlet<T> for Delivery<T> {
    #[inline(always)]
    fn finish(&self, _: Id, outcome: Result<T, JoinError>) {
        // What was there was taken, by a handle or by `discard`: there is nothing to be dropped.
        mem::forget(self.0.outcome.replace(Some(outcome)));
        match self.0.joiner.take() {
            Some(joiner) => {
                self.0.stage.set(Stage::Delivered);
                waker::wake_contained(joiner);
            }
            None => self.0.stage.set(Stage::Over),
        }
    }

    #[inline]
    fn close(&self) -> bool {
        if self.0.detached.get() {
            self.0.discard();
        }
        true
    }

    /// A handle that outlives its task keeps what they shared.
    #[inline]
    fn renew(&mut self) -> Option<Rc<Promise<T>>> {
        if Rc::strong_count(&self.0) == 1 {
            self.0.stage.set(Stage::Running);
            self.0.detached.set(false);
        } else {
            self.0 = Rc::default();
        }
        Some(Rc::clone(&self.0))
    }
}
