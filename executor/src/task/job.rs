//! A task as the loop sees it: a box with three verbs, whatever the type of its future.

use std::any::Any;
use std::pin::Pin;
use std::task::Context;

use crate::task::id::Id;

/// A task of any type.
pub(crate) type Job = Pin<Box<dyn Run>>;

/// What the runtime does with a task, whatever its type.
pub(crate) trait Run {
    /// Polls the future, and delivers its result if it has one.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled;

    /// Drops the future; before its time, it is cancelled. Is the box good for another task?
    fn clear(self: Pin<&mut Self>) -> bool;

    /// The next task in this box, which is `id`: takes what is in `filling`, a
    /// [`Filling`](crate::spawning::task::Filling), if the box has the shape for it.
    fn refill(self: Pin<&mut Self>, id: Id, filling: &mut dyn Any) -> bool;
}

/// What came of a poll.
pub(crate) enum Polled {
    Pending,
    /// The task is over.
    Ready,
    /// No task is there, or it has just arrived and is not in its place yet.
    Nobody,
}

/// A place where no task is. Its box needs no memory.
pub(crate) struct Vacant;

impl Run for Vacant {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        Polled::Nobody
    }

    fn clear(self: Pin<&mut Self>) -> bool {
        false
    }

    fn refill(self: Pin<&mut Self>, _: Id, _: &mut dyn Any) -> bool {
        false
    }
}
