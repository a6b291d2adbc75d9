//! Accepting, the same for TCP and for Unix listeners: what is retried, and how to be patient when
//! there is no fd left.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::async_fd::Async;
use crate::call::Call;
use crate::observe::Outcome;
use crate::platform::{Accepted, accept};
use crate::slot::Direction;
use crate::time::{Sleep, sleep};
use crate::waiter::Waiter;

/// How long accepting pauses when the process is out of fds. Somebody has to close one first, and
/// asking again at once would only burn the CPU.
const OUT_OF_FDS_PAUSE: Duration = Duration::from_millis(50);

/// An attempt to accept that may be polled for ever: one connection after another.
pub(crate) struct Accepting<'a, L: AsFd + 'static> {
    waiter: Waiter<'a, L>,
    /// Runs while the process is out of fds.
    pause: Option<Sleep>,
}

impl<'a, L: AsFd + 'static> Accepting<'a, L> {
    pub(crate) fn new(listener: &'a Async<L>) -> Self {
        Accepting {
            waiter: listener.waiter(Direction::Read),
            pause: None,
        }
    }

    /// The next connection. What goes wrong with one connection before it is accepted is not the
    /// listener's error, and a shortage is over when anything else is closed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(Pin::new(pause).poll(cx));
                self.pause = None;
            }
            match ready!(self.waiter.poll_call(Call::Accept, cx, accept, tell)) {
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) if is_shortage(&error) => self.pause = Some(sleep(OUT_OF_FDS_PAUSE)),
                accepted => return Poll::Ready(accepted),
            }
        }
    }
}

/// The answer is the fd of the new socket; the kernel never gives a negative one.
fn tell((socket, _): &Accepted) -> Outcome {
    usize::try_from(socket.as_raw_fd()).map_or(Outcome::Done, Outcome::Returned)
}

/// The connection was given up, or its network failed, while it waited in the backlog; accept(2)
/// asks to treat these like WouldBlock.
fn is_of_the_connection(error: &io::Error) -> bool {
    let passing = [
        libc::ECONNABORTED,
        libc::EPROTO,
        libc::ENETDOWN,
        libc::ENETUNREACH,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
    ];
    is_one_of(error, &passing)
}

/// Out of fds or of kernel memory; the names of errno(3), which have no portable `ErrorKind`.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    is_one_of(error, &shortages)
}

fn is_one_of(error: &io::Error, numbers: &[i32]) -> bool {
    error
        .raw_os_error()
        .is_some_and(|errno| numbers.contains(&errno))
}
