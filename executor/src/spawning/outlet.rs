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

    /// For that task, which is `id`, with what it shares with its handle.
    fn renew(&mut self, _id: Id) -> Option<Rc<Promise<T>>> {
        None
    }
}

/// What a task and its [`JoinHandle`](crate::JoinHandle) share. Used again by the next task in the
/// box; see [`Spare`](crate::task::spare::Spare).
pub(crate) struct Promise<T> {
    /// The task, and its stage in the bits that no id has: so a handle is two words, which are
    /// returned in registers.
    whose: Cell<u64>,
    /// Who awaits the handle.
    joiner: Cell<Option<Waker>>,
    /// The result, in the stage `Over`.
    outcome: Cell<Option<Result<T, JoinError>>>,
}

/// How far the task is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The result was taken; set by the handle.
    Taken,
    /// Not over.
    Running,
    /// Over, and somebody has waited for it, and was woken; set by the task.
    Delivered,
    /// Over, and nobody has waited for it; set by the task.
    Over,
}

impl Stage {
    const FLAGS: u64 = Id::SPARE[0] | Id::SPARE[1];

    #[inline]
    fn of(self, id: Id) -> u64 {
        id.bits()
            | match self {
                Stage::Taken => 0,
                Stage::Running => Id::SPARE[0],
                Stage::Delivered => Id::SPARE[1],
                Stage::Over => Self::FLAGS,
            }
    }
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
    fn new(id: Id) -> Self {
        Promise {
            whose: Cell::new(Stage::Running.of(id)),
            joiner: Cell::new(None),
            outcome: Cell::new(None),
        }
    }

    /// The task.
    #[inline]
    pub(super) fn id(&self) -> Id {
        Id::from_bits(self.whose.get() & !Stage::FLAGS)
    }

    #[inline]
    pub(super) fn stage(&self) -> Stage {
        match self.whose.get() & Stage::FLAGS {
            0 => Stage::Taken,
            flag if flag == Id::SPARE[0] => Stage::Running,
            flag if flag == Id::SPARE[1] => Stage::Delivered,
            _ => Stage::Over,
        }
    }

    /// Who awaits the handle.
    #[inline]
    pub(super) fn wait(&self, joiner: Waker) {
        self.joiner.set(Some(joiner));
    }

    /// The result, once.
    #[inline]
    pub(super) fn take(&self) -> Option<Result<T, JoinError>> {
        self.whose.set(Stage::Taken.of(self.id()));
        self.outcome.take()
    }

    /// The handle goes: nobody will wait for the result.
    pub(super) fn leave(&self) {
        if let Some(joiner) = self.joiner.take() {
            drop_contained(joiner);
        }
        if self.stage() != Stage::Running {
            self.discard();
        }
    }
}

/// The task's end of what it shares with its handle.
pub(crate) struct Delivery<T>(Rc<Promise<T>>);

impl<T> Delivery<T> {
    /// With what the handle has of it.
    pub(crate) fn new(id: Id) -> (Self, Rc<Promise<T>>) {
        let promise = Rc::new(Promise::new(id));
        (Delivery(Rc::clone(&promise)), promise)
    }

    /// Is the handle gone? It lets go last of all.
    #[inline]
    fn is_alone(&self) -> bool {
        Rc::strong_count(&self.0) == 1
    }

    /// A handle that outlives its task keeps what they shared.
    #[cold]
    #[inline(never)]
    fn part(&mut self, id: Id) {
        self.0 = Rc::new(Promise::new(id));
    }
}

impl<T> Outlet<T> for Delivery<T> {
    #[inline(always)]
    fn finish(&self, id: Id, outcome: Result<T, JoinError>) {
        // What was there was taken, by a handle or by `discard`: there is nothing to be dropped.
        mem::forget(self.0.outcome.replace(Some(outcome)));
        match self.0.joiner.take() {
            Some(joiner) => {
                self.0.whose.set(Stage::Delivered.of(id));
                waker::wake_contained(joiner);
            }
            None => self.0.whose.set(Stage::Over.of(id)),
        }
    }

    #[inline]
    fn close(&self) -> bool {
        if self.is_alone() {
            self.0.discard();
        }
        true
    }

    #[inline]
    fn renew(&mut self, id: Id) -> Option<Rc<Promise<T>>> {
        if self.is_alone() {
            self.0.whose.set(Stage::Running.of(id));
        } else {
            self.part(id);
        }
        Some(Rc::clone(&self.0))
    }
}
