//! Signals of the process, as events of the loop (feature `signal`).
//!
//! The handlers are those of the crate signal-hook: a handler sets a flag and writes one byte into
//! a socket pair, which is all that a handler may safely do; the other end of the pair is a key of
//! the reactor.
//!
//! **A signal stays caught.** The first [`Signals`] for a number replaces the system's default for
//! the rest of the process: after a [`ctrl_c`] is done or dropped, Ctrl-C no longer ends the
//! program; it is forgotten unless another [`Signals`] waits for it.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::fmt;
use std::future::Future;
use std::future::poll_fn;
use std::io;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use selectors_core::Events;
pub use signal_hook::consts;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use crate::errno::tried;
use crate::fd::async_fd::Async;
use crate::heart::driven::{Begun, Driven};
use crate::heart::shared::Shared;
use crate::watch::direction::Direction;

/// Waits until somebody presses Ctrl-C (SIGINT).
///
/// The handler is installed by the first poll; dropping the future takes its interest back, but
/// not the handler, see the [module](self).
///
/// # Errors
///
/// What socketpair(2) and sigaction(2) answer.
///
/// # Panics
///
/// If this thread has entered no reactor.
///
/// ```no_run
/// # async fn serve() {}
/// executor::block_on(async {
///     let server = executor::spawn(serve());
///     reactor::signal::ctrl_c().await?;
///     drop(server);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn ctrl_c() -> impl Future<Output = io::Result<()>> {
    Begun::new(async move {
        let mut signals = Signals::new([consts::SIGINT])?;
        poll_fn(|cx| signals.advance(cx)).await.map(drop)
    })
}

/// A stream of signals: the numbers that came, from the [`consts`] that were asked for.
///
/// Several arrivals of one number between two polls are one, as signal(7) has it. Every `Signals`
/// of the process sees every signal. Dropping it ends its interest.
///
/// ```
/// use reactor::signal::{Signals, consts::SIGUSR1};
///
/// executor::block_on(async {
///     let mut signals = Signals::new([SIGUSR1])?;
///     signal_hook::low_level::raise(SIGUSR1)?;
///     assert_eq!(signals.next().await?, SIGUSR1);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
pub struct Signals {
    /// The flags that the handlers set, and its own view of the reading end.
    delivery: SignalDelivery<UnixStream, SignalOnly>,
    /// The reading end: a byte comes after a flag was set.
    bell: Async<UnixStream>,
    /// Numbers that were found set together and not reported yet.
    arrived: VecDeque<c_int>,
}

impl Signals {
    /// Catches these signals from now on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for numbers that are no signal, and for signals that cannot be caught, or not
    /// safely (SIGKILL, SIGSTOP, SIGILL, SIGFPE, SIGSEGV); what socketpair(2) and sigaction(2) answer.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn new(signals: impl IntoIterator<Item = c_int>) -> io::Result<Self> {
        Self::in_reactor(Shared::current(), signals.into_iter().collect())
    }

    pub(crate) fn in_reactor(reactor: Rc<Shared>, signals: Vec<c_int>) -> io::Result<Self> {
        for signal in &signals {
            let why = match signal {
                // What sigaction(2) takes is fewer; these are all that signal-hook has a place for.
                ..=0 | 128.. => "there is no such signal",
                _ if consts::FORBIDDEN.contains(signal) => "it cannot be caught, or not safely",
                _ => continue,
            };
            let message = format!("catch signal {signal}: {why}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let what = format!("catch signals {signals:?}");
        Self::catch(reactor, signals).map_err(|error| tried(what, error))
    }

    fn catch(reactor: Rc<Shared>, signals: Vec<c_int>) -> io::Result<Self> {
        let (bell, rope) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        let theirs = bell.try_clone()?;
        let delivery = SignalDelivery::with_pipe(theirs, rope, SignalOnly, signals);
        Ok(Signals {
            bell: Async::in_reactor(reactor, bell, Some(Events::READ_WRITE)),
            delivery: delivery?,
            arrived: VecDeque::new(),
        })
    }

    /// Waits for the next signal. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the reading end is registered.
    #[allow(clippy::should_implement_trait, reason = "it is awaited")]
    #[track_caller]
    pub fn next(&mut self) -> impl Future<Output = io::Result<c_int>> {
        let reactor = Rc::clone(&self.bell.reactor);
        Driven::new(reactor, poll_fn(|cx| self.advance(cx)))
    }

    /// The poll-style form of [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<c_int>> {
        let polled = self.advance(cx);
        self.bell.reactor.driven(polled)
    }

    pub(crate) fn advance(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<c_int>> {
        let Signals {
            delivery,
            bell,
            arrived,
        } = self;
        if !arrived.is_empty() {
            ready!(bell.reactor.poll_spend(cx));
        }
        if let Some(signal) = arrived.pop_front() {
            return Poll::Ready(Ok(signal));
        }
        // `pending` empties the socket first and looks at the flags second, a handler sets its flag
        // first and writes second: whichever comes first, no signal is left without a byte.
        bell.standing_waiter(Direction::Read).poll(cx, |_| {
            arrived.extend(delivery.pending());
            arrived
                .pop_front()
                .ok_or_else(|| io::ErrorKind::WouldBlock.into())
        })
    }
}

impl Stream for Signals {
    type Item = io::Result<c_int>;

    #[track_caller]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_signal(cx).map(Some)
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").finish_non_exhaustive()
    }
}
