//! What an [operation](crate::fd::operation) does between its waits: one system call, and what its
//! answer says about the next one.

use std::io;

use selectors_core::os::AsFd;

use crate::fd::async_fd::Async;
use crate::watch::direction::Direction;
use crate::watch::events::Outcome;

/// The system call of an operation, and what it moves.
pub(crate) trait Transfer<T: AsFd + 'static>: Unpin {
    /// What it ends with.
    type Reply: Reply;

    /// Makes the call. It may say WouldBlock without it, when it knows that it would.
    fn make(&mut self, io: &Async<T>) -> io::Result<Self::Reply>;

    /// The answer to a transfer of no bytes, which is done at once; `None` for all others.
    fn nothing(&self) -> Option<Self::Reply>;
}

/// What an operation ends with.
pub(crate) trait Reply {
    /// What the caller gets.
    type Output;

    /// As an observer is told.
    fn outcome(&self) -> Outcome;

    /// Notes in the slot what the answer says about the next call.
    fn settle<T: AsFd + 'static>(self, io: &Async<T>, direction: Direction) -> Self::Output;
}

/// Bytes moved.
pub(crate) struct Moved {
    pub(crate) bytes: usize,
    /// As many would have been moved if there had been no end of them, or of room.
    pub(crate) asked: usize,
    /// The operation goes on until it has moved as many.
    pub(crate) wanted: usize,
}

impl Moved {
    pub(crate) const NOTHING: Moved = Moved {
        bytes: 0,
        asked: 0,
        wanted: 0,
    };
}

impl Reply for Moved {
    type Output = usize;

    fn outcome(&self) -> Outcome {
        match self.bytes {
            bytes if bytes != 0 && bytes < self.wanted => Outcome::Short,
            bytes => Outcome::Returned(bytes),
        }
    }

    #[inline]
    fn settle<T: AsFd + 'static>(self, io: &Async<T>, direction: Direction) -> usize {
        // Fewer than asked, but not none: that is the end of the stream. In one comparison,
        // because none wraps round to more than can be asked for.
        if self.bytes.wrapping_sub(1) < self.asked.wrapping_sub(1) {
            io.slot.came_up_short(direction);
        }
        self.bytes
    }
}

/// All of them.
impl Reply for () {
    type Output = ();

    fn outcome(&self) -> Outcome {
        Outcome::Done
    }

    #[inline]
    fn settle<T: AsFd + 'static>(self, _: &Async<T>, _: Direction) {}
}
