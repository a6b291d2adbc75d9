//! A socket that listens. What TCP and Unix listeners have in common is written here, once.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::RefUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use selectors_core::Events;
use selectors_core::os::{AsFd, AsRawFd};
use selectors_core::sys::socket;
use socket2::Socket;

use crate::errno::tried;
use crate::fd::async_fd::Async;
use crate::heart::shared::Shared;
use crate::net::accept::{Accepted, Accepting, Patience, try_accept};
use crate::net::asked::{self, OWN_ADDRESS, get};
use crate::net::bound_file::SocketFile;
use crate::net::sockets::{AddressedSocket, ListeningSocket};
use crate::net::stream::Stream;
use crate::watch::direction::Direction;

/// listen(2), with a backlog that the kernel caps far below what is possible.
pub(super) fn listen(socket: &Socket, backlog: u32) -> io::Result<()> {
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    socket::listen(socket.as_fd(), backlog).map_err(|error| {
        let fd = socket.as_raw_fd();
        tried(format_args!("listen on fd {fd}"), error)
    })
}

/// A socket that listens for connections, under the names [`TcpListener`](super::TcpListener) and
/// [`UnixListener`](super::UnixListener).
///
/// Accepting takes `&self`; any number of tasks may wait, and one connection wakes one of them.
pub struct Listener<S: ListeningSocket> {
    pub(super) io: Async<S>,
    /// Only a Unix socket has one.
    pub(super) file: Option<SocketFile>,
    /// That of `poll_accept`, which leaves nothing else behind that could keep it.
    patience: Cell<Patience>,
    /// In which turn the last connection was accepted.
    last: Cell<u64>,
}

/// Its cells are set as a whole, by us alone.
impl<S: ListeningSocket + RefUnwindSafe> RefUnwindSafe for Listener<S> {}

/// A turn that was long ago.
const NEVER: u64 = u64::MAX;

type WithAddress<S> = (
    Stream<<S as ListeningSocket>::Connection>,
    <S as AddressedSocket>::Address,
);

impl<S: ListeningSocket> Listener<S> {
    /// A socket that has just begun to listen: nobody has connected in the microsecond since.
    #[track_caller]
    pub(super) fn attach(socket: S, file: Option<SocketFile>) -> Self {
        Self::of(Async::with_readiness(socket, Some(Events::WRITE)), file)
    }

    fn of(io: Async<S>, file: Option<SocketFile>) -> Self {
        io.slot.pace();
        Listener {
            io,
            file,
            patience: Cell::default(),
            last: Cell::new(NEVER),
        }
    }

    /// Has a socket that is set up begin to listen.
    #[track_caller]
    pub(super) fn begin(socket: Socket, backlog: u32, file: Option<SocketFile>) -> io::Result<Self>
    where
        S: From<Socket>,
    {
        Shared::assert_current();
        listen(&socket, backlog)?;
        Ok(Self::attach(socket.into(), file))
    }

    /// Takes over a listening socket of std, and switches it to non-blocking mode. The file of a Unix
    /// socket is left alone.
    ///
    /// # Errors
    ///
    /// What ioctl(2) answers.
    ///
    /// # Panics
    ///
    /// If this thread has entered no reactor.
    #[track_caller]
    pub fn from_std(listener: S) -> io::Result<Self> {
        Ok(Self::of(Async::nonblocking(listener)?, None))
    }

    /// Hands the socket back, unregistered and still in non-blocking mode; the file of a Unix socket
    /// stays.
    ///
    /// # Errors
    ///
    /// What the kernel answers when it is told to forget the fd.
    pub fn into_std(self) -> io::Result<S> {
        if let Some(file) = self.file {
            file.keep();
        }
        self.io.into_inner()
    }

    /// Waits for a connection; tells where it comes from, which for a Unix socket is mostly an address
    /// without a name.
    ///
    /// When the process or the system is out of fds or socket memory (`EMFILE`, `ENFILE`,
    /// `ENOBUFS`, `ENOMEM`), the connection stays in the backlog: this waits a little and tries
    /// again, without spinning, and without an error for a situation that closing any other
    /// connection ends. A connection that was given up before it was accepted is passed over.
    ///
    /// Dropping the future loses no connection.
    ///
    /// # Errors
    ///
    /// Whatever else accept(2) answers; the error names the fd, and says what to do if that does not listen.
    #[track_caller]
    pub fn accept(&self) -> impl Future<Output = io::Result<(Stream<S::Connection>, S::Address)>> {
        let mut accepting = Accepting::new(&self.io, &self.last);
        let reactor = &self.io.reactor;
        let accept =
            poll_fn(move |cx| accepting.poll(cx).map(|new| connection::<S>(reactor, new?)));
        self.io.driven(accept)
    }

    /// The poll-style form of [`accept`](Self::accept), as patient as that. One waiter for each
    /// listener: a later waker replaces the earlier one, see
    /// [`Async::poll_readable`](crate::Async::poll_readable).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// use reactor::net::{TcpListener, TcpStream};
    /// use std::future::poll_fn;
    ///
    /// executor::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let client = TcpStream::connect(listener.local_addr()?).await?;
    ///     let (_server, from) = poll_fn(|cx| listener.poll_accept(cx)).await?;
    ///     assert_eq!(from, client.local_addr()?);
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[allow(clippy::type_complexity, reason = "what `accept` returns, in a `Poll`")]
    #[track_caller]
    pub fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Stream<S::Connection>, S::Address)>> {
        // Taken and put back: a waker may come here again.
        let mut patience = self.patience.take();
        let mut waiter = self.io.standing_waiter(Direction::Read);
        let polled = patience.poll(&mut waiter, &self.last, cx);
        self.patience.set(patience);
        let polled = self.io.reactor.driven(polled);
        polled.map(|accepted| connection::<S>(&self.io.reactor, accepted?))
    }

    /// One attempt, without waiting. Where this thread has entered no reactor, the connection is one of the
    /// listener's.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nobody is there; else what accept(2) answers, a shortage of fds included.
    pub fn try_accept(&self) -> io::Result<(Stream<S::Connection>, S::Address)> {
        let accepted = self.io.try_with(Direction::Read, try_accept)?;
        connection::<S>(&self.io.reactor, accepted)
    }

    /// All connections, one after another, as an endless stream; as patient as
    /// [`accept`](Self::accept). An error does not end it.
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use reactor::net::{TcpListener, TcpStream};
    ///
    /// executor::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let address = listener.local_addr()?;
    ///     let (_one, _two) = (TcpStream::connect(address).await?, TcpStream::connect(address).await?);
    ///     let mut two = listener.incoming().take(2);
    ///     while let Some(stream) = two.next().await {
    ///         stream?.write_all(b"welcome").await?;
    ///     }
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_, S> {
        Incoming {
            accepting: Accepting::new(&self.io, &self.last),
        }
    }

    /// The address that it listens at; with port 0 asked, the port that the kernel chose.
    ///
    /// # Errors
    ///
    /// What getsockname(2) answers.
    pub fn local_addr(&self) -> io::Result<S::Address> {
        get(&self.io, OWN_ADDRESS, || self.io.get_ref().own_address())
    }

    /// The error that waits in the socket (`SO_ERROR`), and clears it.
    ///
    /// # Errors
    ///
    /// What getsockopt(2) answers.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        asked::take_error(&self.io)
    }
}

/// In the reactor of this thread; where it has entered none, in that of the listener.
fn connection<S: ListeningSocket>(
    listeners: &Rc<Shared>,
    (socket, from): Accepted,
) -> io::Result<WithAddress<S>> {
    let from = S::address(from)?;
    let reactor = Shared::try_current().unwrap_or_else(|| Rc::clone(listeners));
    // The first write is worth a try at once; the first read is not, because the client's first
    // bytes are hardly ever here already.
    let io = Async::in_reactor(reactor, socket.into(), Some(Events::WRITE));
    Ok((Stream { io }, from))
}

selectors_core::has_fd!([S: ListeningSocket] Listener<S>, io);

impl<S: ListeningSocket> fmt::Debug for Listener<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.get_ref().fmt(f)
    }
}

/// The connections of a [`Listener`], one after another; made by [`incoming`](Listener::incoming).
/// Dropping it loses no connection.
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a, S: ListeningSocket> {
    accepting: Accepting<'a, S>,
}

impl<S: ListeningSocket> futures_core::Stream for Incoming<'_, S> {
    type Item = io::Result<Stream<S::Connection>>;

    #[track_caller]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepting = &mut self.get_mut().accepting;
        let polled = accepting.poll(cx);
        let reactor = accepting.reactor();
        let accepted = reactor.driven(polled);
        let made = accepted.map(|accepted| connection::<S>(reactor, accepted?));
        made.map(|made| Some(made.map(|(stream, _)| stream)))
    }
}

impl<S: ListeningSocket> fmt::Debug for Incoming<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Incoming")
    }
}
