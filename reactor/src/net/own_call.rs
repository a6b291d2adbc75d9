//! Calls of the program's own on our sockets: `recvmsg` with control messages, `sendfile`, a socket
//! option that has no method here. The same for all sockets, so written once.

use std::future::Future;
use std::io;
use std::ops::Deref;

use selectors_core::Readiness;

use crate::net::datagrams::Datagrams;
use crate::net::listener::Listener;
use crate::net::sockets::{DatagramSocket, ListeningSocket, StreamSocket};
use crate::net::split::{ReadHalf, Share, WriteHalf};
use crate::net::stream::Stream;
use crate::watch::direction::Direction;

macro_rules! own_calls {
    ([$($generics:tt)*] $type:ty, |$this:ident| $io:expr) => {
        impl<$($generics)*> $type {
            /// Waits until one of the conditions of `interest` holds, and says which of them do; see
            /// [`Async::ready`](crate::Async::ready).
            ///
            /// Dropping the future changes nothing.
            ///
            /// # Errors
            ///
            /// As there.
            #[track_caller]
            pub fn ready(
                &self,
                interest: Readiness,
            ) -> impl Future<Output = io::Result<Readiness>> {
                let $this = self;
                $io.ready(interest)
            }

            /// One attempt at a call of the program's own, without waiting: `op` makes it, on this
            /// socket, and its WouldBlock is remembered; see
            /// [`Async::try_with`](crate::Async::try_with) for one that `op` makes up.
            ///
            /// # Errors
            ///
            /// Those of `op`.
            pub fn try_io<R>(
                &self,
                direction: Direction,
                op: impl FnOnce() -> io::Result<R>,
            ) -> io::Result<R> {
                let $this = self;
                $io.try_with(direction, |_| op())
            }

            /// Makes a call of the program's own until it does not say WouldBlock, waiting in
            /// between. `op` makes it, on this socket.
            ///
            /// Dropping the future loses what `op` has done only if `op` says WouldBlock though it
            /// has done something.
            ///
            /// # Errors
            ///
            /// Those of `op`, and what the kernel answers when the socket is registered.
            #[track_caller]
            pub fn async_io<R>(
                &self,
                direction: Direction,
                mut op: impl FnMut() -> io::Result<R>,
            ) -> impl Future<Output = io::Result<R>> {
                let $this = self;
                $io.driven($io.calling(direction, move |_| op()))
            }
        }
    };
}

own_calls!([S: StreamSocket] Stream<S>, |this| this.io);
own_calls!([S: ListeningSocket] Listener<S>, |this| this.io);
own_calls!([S: DatagramSocket] Datagrams<S>, |this| this.io);
own_calls!(
    [S: StreamSocket, H: Deref<Target = Stream<S>>] ReadHalf<H>,
    |this| this.as_ref().io
);
own_calls!(
    [S: StreamSocket, H: Share<Target = Stream<S>>] WriteHalf<H>,
    |this| this.as_ref().io
);
