//! What an observer is told of the calls and the waits of an [`Async`].

use std::io;
use std::panic::Location;

use selectors_core::os::{AsFd, AsRawFd};

use crate::fd::async_fd::Async;
use crate::watch::acts::{self, Act};
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::{Event, Outcome};

impl<T: AsFd + 'static> Async<T> {
    /// Tells the observer of a system call; one of the program's own was made from line `at`.
    #[cold]
    pub(crate) fn tell<R>(
        &self,
        call: Call,
        result: &io::Result<R>,
        tell: impl Fn(&R) -> Outcome,
        at: &'static Location<'static>,
    ) {
        let outcome = match result {
            Ok(done) => tell(done),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // Without an errno it was not the kernel: a write came up short, and need not ask.
                error
                    .raw_os_error()
                    .map_or(Outcome::Short, |_| Outcome::WouldBlock)
            }
            Err(error) => Outcome::Failed(error.raw_os_error().unwrap_or(0)),
        };
        let fd = self.source.as_fd().as_raw_fd();
        let hook = &self.reactor.hook;
        let from = hook.awaited();
        let told = Event::Syscall {
            call,
            fd,
            outcome,
            from,
        };
        hook.emit(told, call.place().unwrap_or(at));
    }

    /// Tells the observer that a waker is in the slot.
    #[cold]
    pub(crate) fn tell_stored(&self, direction: Direction) {
        let fd = self.source.as_fd().as_raw_fd();
        let crowded = self.slot.is_crowded_for(direction);
        let hook = &self.reactor.hook;
        let from = hook.awaited();
        let told = Event::WakerStored {
            fd,
            direction,
            crowded,
            from,
        };
        let at = match crowded {
            true => acts::StoredInCrowd::AT,
            false => acts::Stored::AT,
        };
        hook.emit(told, at);
    }
}
