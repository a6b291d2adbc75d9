//! Waiting without making a call: for those who make it themselves, whoever they are.
//!
//! The program's own `recvmsg`, a C library on its fd, a pidfd, which has no call at all: nobody
//! tells the slot what they do. So these ask the kernel, and not the slot.

use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;
use std::time::Duration;

use selectors_core::os::{AsFd, AsRawFd, OwnedFd};
use selectors_core::{Events, Interest, Readiness, poll_now};

use crate::errno::{kind_of_trouble, tried};
use crate::fd::async_fd::Async;
use crate::heart::rest::Rest;
use crate::watch::direction::Direction;

/// By level: how many false alarms in a row are taken for a condition that lasts, and how long the
/// watch then rests between two looks.
const FALSE_ALARMS: u32 = 16;
const REST: Duration = Duration::from_millis(10);

impl<T: AsFd + 'static> Async<T> {
    /// Waits until poll(2) says that reading would not block: there are bytes, a connection, the
    /// end, or an error. It is asked in every poll of this future, so it does not matter who reads:
    /// the methods here, the program's own calls on [`get_ref`](Self::get_ref), or a library that
    /// has the fd. Asked again, it is answered at once only if poll(2) still says so.
    ///
    /// Between the answer and the call, another task may be faster. That costs one or two poll(2) for
    /// each wait; [`read_with`](Self::read_with) and the methods that read do without.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// What the kernel answers when the fd is registered.
    ///
    /// ```
    /// use reactor::Async;
    /// use std::io::{ErrorKind, Read, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (mut near, far) = UnixStream::pair()?;
    ///     let far = Async::nonblocking(far)?;
    ///     near.write_all(b"hello")?;
    ///     far.readable().await?;
    ///     assert_eq!(far.get_ref().read(&mut [0; 16])?, 5);
    ///     // Nothing is left, and nobody had to say so.
    ///     assert!(futures_lite::future::poll_once(far.readable()).await.is_none());
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.driven(self.asked(Direction::Read))
    }

    /// Waits until poll(2) says that writing would not block; see [`readable`](Self::readable).
    ///
    /// # Errors
    ///
    /// What the kernel answers when the fd is registered.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.driven(self.asked(Direction::Write))
    }

    async fn asked(&self, direction: Direction) -> io::Result<()> {
        let mut waiter = self.waiter(direction);
        poll_fn(|cx| waiter.poll_ready(cx)).await
    }

    /// Waits for the event of a direction that nobody has made a call in since the fd was made.
    pub(crate) async fn told(&self, direction: Direction) -> io::Result<()> {
        let mut waiter = self.waiter(direction);
        poll_fn(|cx| waiter.poll_told(cx)).await
    }

    /// Tells this object that a call in `direction`, made by somebody else, said WouldBlock, so
    /// that the next [`read_with`](Self::read_with) or its like need not find out by itself.
    /// Nothing is lost if it did not: poll(2) is asked.
    ///
    /// # Errors
    ///
    /// What poll(2) answers.
    pub fn clear_readiness(&self, direction: Direction) -> io::Result<()> {
        if poll_now(self, direction.readiness())?.is_empty() {
            self.slot.clear(direction);
        }
        Ok(())
    }

    /// Waits until one of the conditions of `interest` holds, and says which of them do: any of
    /// [`READABLE`](Readiness::READABLE), [`WRITABLE`](Readiness::WRITABLE),
    /// [`PRIORITY`](Readiness::PRIORITY), [`READ_CLOSED`](Readiness::READ_CLOSED),
    /// [`ERROR`](Readiness::ERROR) and [`HANGUP`](Readiness::HANGUP). An error or a hang-up ends a
    /// wait for a direction too, as it does for poll(2).
    ///
    /// Where more than a direction is asked for it watches a duplicate of the fd, so that reading
    /// and writing cost what they always do: a wait needs a number of its own. select(2) tells of
    /// directions and urgent data alone.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an empty `interest`; what poll(2) and dup(2) answer; `Unsupported` where
    /// the backend knows no urgent data, and on epoll and kqueue for an fd that has no events, such as
    /// a regular file, a directory or `/dev/null`: it is always readable and writable, and nothing
    /// else. select, poll and uring watch it, and wait for ever.
    ///
    /// ```
    /// use reactor::Async;
    /// use selectors_core::Readiness;
    /// use std::os::unix::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (_near, far) = UnixStream::pair()?;
    ///     let far = Async::nonblocking(far)?;
    ///     let found = far.ready(Readiness::READABLE | Readiness::WRITABLE).await?;
    ///     assert_eq!(found, Readiness::WRITABLE);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn ready(&self, interest: Readiness) -> impl Future<Output = io::Result<Readiness>> {
        self.driven(self.looking(interest))
    }

    async fn looking(&self, interest: Readiness) -> io::Result<Readiness> {
        let asked = match Asked::new(interest) {
            Ok(asked) => asked,
            Err(error) => {
                self.let_others_run().await;
                return Err(error);
            }
        };
        let mut watch: Option<Async<OwnedFd>> = None;
        let mut false_alarms = 0;
        loop {
            poll_fn(|cx| self.reactor.poll_spend(cx)).await;
            let now = asked.of(self)?;
            if !now.is_empty() {
                return Ok(now);
            }
            match &watch {
                None => {
                    let fd = self.as_fd();
                    let copy = fd.try_clone_to_owned();
                    let copy = copy.map_err(|error| {
                        tried(format_args!("ready: dup of fd {}", fd.as_raw_fd()), error)
                    })?;
                    let made = self.beside(copy);
                    made.register_watch(asked)?;
                    watch = Some(made);
                }
                // The watch has seen an event, and it was none of these. By level a condition that
                // lasts is one in every turn.
                Some(_) if !self.reactor.edge && false_alarms >= FALSE_ALARMS => {
                    let mut rest = Rest::new(&self.reactor, REST);
                    poll_fn(|cx| rest.poll(cx)).await;
                }
                Some(_) => false_alarms += 1,
            }
            let Some(watch) = &watch else { continue };
            asked.next_event(watch).await?;
        }
    }

    /// Waits until the fd has urgent data or an exceptional condition of its device
    /// ([`PRIORITY`](Readiness::PRIORITY)), an [`ERROR`](Readiness::ERROR) or a
    /// [`HANGUP`](Readiness::HANGUP), and says which. Bytes that wait to be read do not end it.
    ///
    /// For urgent data of TCP, for the GPIO and hwmon files of sysfs, and for the writing end of a
    /// pipe that wants to know when its reader goes. The condition lasts until the cause is gone;
    /// who asks again before is answered at once. It is [`ready`](Self::ready) for these three.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// use reactor::Async;
    /// use std::os::unix::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (near, far) = UnixStream::pair()?;
    ///     let near = Async::nonblocking(near)?;
    ///     drop(far);
    ///     assert!(near.exceptional().await?.is_hangup());
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn exceptional(&self) -> impl Future<Output = io::Result<Readiness>> {
        self.ready(Readiness::PRIORITY | Readiness::ERROR | Readiness::HANGUP)
    }

    /// Registers a watch. What it hears of beside the directions counts as READ.
    fn register_watch(&self, asked: Asked) -> io::Result<()> {
        let registered = self
            .plain()
            .register_for(self.source.as_fd(), asked.interest());
        registered.map_err(not_watched)
    }
}

/// epoll and kqueue refuse what has no events. Its directions hold at any time, so who comes here waits
/// for others.
fn not_watched(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let what = "ready: such an fd has no events, and will never have this condition";
            kind_of_trouble(io::ErrorKind::Unsupported, what, error)
        }
        _ => tried("ready", error),
    }
}

/// The conditions that somebody waits for.
#[derive(Clone, Copy)]
struct Asked(Readiness);

impl Asked {
    const DIRECTIONS: u16 =
        Readiness::READABLE.bits() | Readiness::READ_CLOSED.bits() | Readiness::WRITABLE.bits();

    fn new(interest: Readiness) -> io::Result<Self> {
        let known = Self::DIRECTIONS
            | Readiness::PRIORITY.bits()
            | Readiness::ERROR.bits()
            | Readiness::HANGUP.bits();
        match interest.bits() & known {
            0 => {
                let message = "ready: no condition to wait for";
                Err(io::Error::new(io::ErrorKind::InvalidInput, message))
            }
            bits => Ok(Asked(Readiness::from_bits(bits))),
        }
    }

    /// Those of them that hold now.
    fn of(self, fd: &impl AsFd) -> io::Result<Readiness> {
        let now = poll_now(fd, self.0)?;
        let mut wanted = self.0.bits();
        if wanted & Self::DIRECTIONS != 0 {
            wanted |= Readiness::ERROR.bits() | Readiness::HANGUP.bits();
        }
        Ok(Readiness::from_bits(now.bits() & wanted))
    }

    /// What a selector has to watch for.
    fn interest(self) -> Interest {
        let read = Readiness::READABLE.bits() | Readiness::READ_CLOSED.bits();
        let read = self.0.bits() & read != 0;
        let interest = match (read, self.0.is_writable()) {
            (true, true) => Interest::new(Events::READ_WRITE),
            (true, false) => Interest::new(Events::READ),
            (false, true) => Interest::new(Events::WRITE),
            (false, false) => return Interest::new(Events::READ).priority().without_directions(),
        };
        match self.0.is_priority() {
            true => interest.priority(),
            false => interest,
        }
    }

    /// Waits until the kernel reports something about the watch.
    async fn next_event(self, watch: &Async<OwnedFd>) -> io::Result<()> {
        let events = self.interest().events();
        let mut waiters = Direction::BOTH.map(|direction| {
            watch.slot.clear(direction);
            watch.waiter(direction)
        });
        poll_fn(|cx| {
            let wanted = [events.is_readable(), events.is_writable()];
            let mut polled = Poll::Pending;
            for (waiter, _) in waiters.iter_mut().zip(wanted).filter(|(_, wanted)| *wanted) {
                if polled.is_pending() {
                    polled = waiter.poll_told(cx);
                }
            }
            polled
        })
        .await
    }
}
