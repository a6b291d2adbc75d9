//! Who waits for what: for dumps of tasks.

use std::fmt;
use std::task::Waker;
use std::time::Duration;

use selectors_core::os::RawFd;

use crate::heart::reactor::Reactor;
use crate::watch::direction::Direction;

/// What a waker waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// Readiness of a key.
    Key {
        /// The key's fd.
        fd: RawFd,
        /// The direction.
        direction: Direction,
    },
    /// A timer.
    Timer {
        /// How long from now; zero if it is due.
        due_in: Duration,
    },
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waiting::Key {
                fd,
                direction: Direction::Read,
            } => write!(f, "READ on fd {fd}"),
            Waiting::Key {
                fd,
                direction: Direction::Write,
            } => write!(f, "WRITE on fd {fd}"),
            Waiting::Timer { due_in } => write!(f, "a timer in {due_in:?}"),
        }
    }
}

impl Reactor {
    /// Shows every waker that a key or a timer holds. `visit` must not use this reactor.
    pub fn for_each_waiter(&self, mut visit: impl FnMut(&Waker, Waiting)) {
        let kept = &self.shared.hook.kept;
        let mut visit = |waker: &Waker, what| kept.in_the_end(waker, |waker| visit(waker, what));
        for (_, key) in self.shared.selector.borrow().get_map().iter() {
            key.data.for_each_waiter(&mut |waker, direction| {
                visit(
                    waker,
                    Waiting::Key {
                        fd: key.fd,
                        direction,
                    },
                );
            });
        }
        let shared = &self.shared;
        let timers = [
            (&shared.timers, shared.elapsed_now()),
            (&shared.rests, shared.real_now()),
        ];
        for (timers, now) in timers {
            timers.borrow().for_each_waiter(|waker, deadline| {
                let due_in = Duration::from_nanos(deadline.saturating_sub(now));
                visit(waker, Waiting::Timer { due_in });
            });
        }
    }
}
