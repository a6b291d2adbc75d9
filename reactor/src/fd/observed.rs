//! What an observer is told of the calls and the waits of an [`Async`].

use std::io;

use selectors_core::os::{AsFd, AsRawFd};

use crate::fd::async_fd::Async;
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::{Event, Outcome};

impl<T: AsFd + 'static> Async<T> {
    /// Tells the observer of a system call.
    #[cold]
    pub(crate) fn tell<R>(&self, call: Call, result: &io::Result<R>, tell: impl Fn(&R) -> Outcome) {
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
        self.reactor.hook.emit(Event::Syscall { call, fd, outcome });
    }

    /// Tells the observer that a waker is in the slot.
    #[cold]
    pub(crate) fn tell_stored(&self, direction: Direction) {
        let fd = self.source.as_fd().as_raw_fd();
        let crowded = self.slot.is_crowded_for(direction);
        self.reactor.hook.emit(Event::WakerStored {
            fd,
            direction,
            crowded,
        });
    }
}
