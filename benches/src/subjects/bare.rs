//! The yardstick: an epoll loop of raw system calls, with nothing that the echo does not need.
//!
//! One buffer serves all connections, a connection is its fd, there is no state. A short read
//! says that the socket is empty, so nobody reads into WouldBlock.

use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};

use nix::errno::Errno;
use nix::sys::epoll::{EpollEvent, EpollFlags, EpollTimeout};

use super::{BARE, BUFFER, Subject, listener, serve, sound};
use crate::sys;

pub(super) const LEVEL: Subject = Subject::new(
    BARE,
    "raw epoll, level-triggered, 1024 events a wait, recv and send, one shared buffer",
    run::<{ libc::EPOLLIN }, false>,
);

/// Edge-triggered: the kernel need not look at a socket again that it has reported.
pub(super) const EDGE: Subject = Subject::new(
    "bare-edge",
    "the same, edge-triggered",
    run::<{ libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET }, false>,
)
.on_demand();

/// Level-triggered, and it never sleeps: what a round trip costs when nobody is woken.
pub(super) const SPIN: Subject = Subject {
    spins: true,
    ..Subject::new(
        "bare-spin",
        "raw epoll, level-triggered, asked again at once when nothing is ready",
        run::<{ libc::EPOLLIN }, true>,
    )
}
.on_demand();

/// Events that one wait can report.
const EVENTS: usize = 1024;

fn run<const INTEREST: i32, const SPIN: bool>(connections: usize) {
    let interest = EpollFlags::from_bits_retain(INTEREST);
    let timeout = if SPIN { EpollTimeout::ZERO } else { EpollTimeout::NONE };
    let listener = listener().expect("listen");
    let epoll = sys::epoll().expect("epoll_create1");
    let listens = listener.as_raw_fd();
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, listens as u64)).expect("epoll_ctl");
    // A program has some others open.
    let mut open: Vec<Option<TcpStream>> = Vec::with_capacity(connections + 64);
    let mut events = vec![EpollEvent::empty(); EVENTS];
    let mut buffer = [0; BUFFER];
    let mut closed = 0;
    while connections == 0 || closed < connections {
        let count = match epoll.wait(&mut events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(error) => panic!("epoll_wait: {error}"),
        };
        for event in &events[..count] {
            let fd = event.data() as RawFd;
            let closing = event.events().contains(EpollFlags::EPOLLRDHUP);
            if fd == listens {
                // Whoever comes for good comes alone: nobody is asked for another.
                let accept = || sys::accept4(listens).map(TcpStream::from);
                serve::accept(accept, connections > 0, &mut open, |stream| {
                    let event = EpollEvent::new(interest, stream.as_raw_fd() as u64);
                    epoll.add(stream, event).expect("epoll_ctl");
                });
            } else if let Some(stream) = &mut open[fd as usize]
                && !sound(serve::echo(stream, &mut buffer, closing), connections == 0)
            {
                open[fd as usize] = None;
                closed += 1;
            }
        }
    }
}
