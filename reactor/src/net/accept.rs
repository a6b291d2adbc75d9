//! Accepting, the same for TCP and for Unix listeners: what is retried, and how to be patient when
//! there is no fd left.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use selectors_core::os::{AsFd, AsRawFd, BorrowedFd, OwnedFd, errno};
use selectors_core::sys::{Address, socket};

use crate::errno::tried;
use crate::fd::async_fd::Async;
use crate::fd::waiter::Waiter;
use crate::heart::rest::Rest;
use crate::heart::shared::Shared;
use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::Outcome;

/// How long accepting pauses when the process is out of fds. Somebody has to close one first, and
/// asking again at once would only burn the CPU.
const PAUSE: Duration = Duration::from_millis(50);

/// So many lost connections in a row are not chance: something refuses them all.
const LOST_IN_A_ROW: u32 = 64;

/// One accepted connection, non-blocking and closed by exec, and where it comes from.
pub(crate) type Accepted = (OwnedFd, Address);

/// An attempt to accept that may be polled for ever: one connection after another.
pub(crate) struct Accepting<'a, L: AsFd + 'static> {
    waiter: Waiter<'a, L>,
    patience: Patience,
    last: &'a Cell<u64>,
}

impl<'a, L: AsFd + 'static> Accepting<'a, L> {
    /// In `last` is the turn of the listener's last connection.
    pub(crate) fn new(listener: &'a Async<L>, last: &'a Cell<u64>) -> Self {
        Accepting {
            waiter: listener.waiter(Direction::Read),
            patience: Patience::default(),
            last,
        }
    }

    /// In which it waits.
    pub(crate) fn reactor(&self) -> &Rc<Shared> {
        self.waiter.reactor()
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        self.patience.poll(&mut self.waiter, self.last, cx)
    }
}

/// What accepting remembers from one poll to the next.
#[derive(Default)]
pub(crate) struct Patience {
    /// Runs while the process is out of fds.
    pause: Option<Rest>,
    /// Connections that were lost since the last that was accepted, or since the last pause.
    lost: u32,
}

impl Patience {
    /// The next connection. What goes wrong with one connection before it is accepted is not the
    /// listener's error, and a shortage is over when anything else is closed.
    pub(crate) fn poll<L: AsFd + 'static>(
        &mut self,
        waiter: &mut Waiter<'_, L>,
        last: &Cell<u64>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Accepted>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.poll(cx));
                (self.pause, self.lost) = (None, 0);
            }
            let accepted = ready!(waiter.poll_call(Call::Accept, cx, accept, tell));
            let Err(error) = accepted else {
                self.lost = 0;
                waiter.took_one(last);
                return Poll::Ready(accepted);
            };
            match meaning(&error) {
                Meaning::Lost if self.lost < LOST_IN_A_ROW => self.lost += 1,
                Meaning::Lost | Meaning::Shortage => {
                    self.pause = Some(Rest::new(waiter.reactor(), PAUSE));
                }
                Meaning::Failed => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// The answer is the fd of the new socket; the kernel never gives a negative one.
fn tell((socket, _): &Accepted) -> Outcome {
    usize::try_from(socket.as_raw_fd()).map_or(Outcome::Done, Outcome::Returned)
}

/// One attempt without waiting, which passes over lost connections as a waiting one does.
pub(crate) fn try_accept<L: AsFd>(listener: &L) -> io::Result<Accepted> {
    let mut lost = 0;
    loop {
        match accept(listener) {
            Err(error) if meaning(&error) == Meaning::Lost && lost < LOST_IN_A_ROW => lost += 1,
            accepted => return accepted,
        }
    }
}

fn accept<L: AsFd>(listener: &L) -> io::Result<Accepted> {
    let listener = listener.as_fd();
    socket::accept4(listener).map_err(|error| match error.raw_os_error() {
        // The first means either: the connection has an error, or this can never accept.
        Some(errno::EOPNOTSUPP | errno::EINVAL)
            if socket::so_acceptconn(listener).is_ok_and(|listens| !listens) =>
        {
            let fd = listener.as_raw_fd();
            let why = "this socket does not listen; have it listen first, as `bind` of a listener \
                       and `listen` of a `TcpSocket` or a `UnixSocket` do";
            tried(format_args!("accept on fd {fd}: {why}"), error)
        }
        _ => named(listener, error),
    })
}

/// What ends the wait says on which fd; what does not is looked at by its errno, and told to nobody.
fn named(listener: BorrowedFd<'_>, error: io::Error) -> io::Error {
    let ends = meaning(&error) == Meaning::Failed
        && !matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
        );
    match ends {
        true => tried(format_args!("accept on fd {}", listener.as_raw_fd()), error),
        false => error,
    }
}

/// What an error of accept(2) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// One connection, which was given up, refused by a firewall or cut off by its network while it
    /// waited in the backlog; accept(2) asks to treat these like EAGAIN.
    Lost,
    /// The process or the system, which is out of fds or of memory.
    Shortage,
    /// The listener.
    Failed,
}

#[cfg(not(windows))]
fn meaning(error: &io::Error) -> Meaning {
    match error.raw_os_error() {
        Some(
            libc::ECONNABORTED
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::ENOPROTOOPT
            | libc::EOPNOTSUPP
            | libc::EPERM
            | libc::EPROTO
            // It waited so long that its own timers gave up.
            | libc::ETIMEDOUT,
        ) => Meaning::Lost,
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Some(libc::ENONET) => Meaning::Lost,
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => Meaning::Shortage,
        _ => Meaning::Failed,
    }
}

#[cfg(windows)]
fn meaning(error: &io::Error) -> Meaning {
    match error.raw_os_error() {
        Some(
            errno::ECONNRESET
            | errno::ECONNABORTED
            | errno::ENETDOWN
            | errno::ENETUNREACH
            | errno::EHOSTUNREACH
            | errno::ETIMEDOUT,
        ) => Meaning::Lost,
        Some(errno::EMFILE | errno::ENOBUFS) => Meaning::Shortage,
        _ => Meaning::Failed,
    }
}
