//! The yardstick: an epoll loop of raw system calls, with nothing that the echo does not need.
//!
//! One buffer serves all connections, a connection is its fd, there is no state. A short read
//! says that the socket is empty, so nobody reads into WouldBlock.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};

use super::{BARE, BUFFER, Subject, listener};
use crate::sys;

pub(super) const LEVEL: Subject = Subject::new(
    BARE,
    "raw epoll, level-triggered, 1024 events a wait, recv and send, one shared buffer",
    serve::<{ libc::EPOLLIN }, false>,
);

/// Edge-triggered: the kernel need not look at a socket again that it has reported.
pub(super) const EDGE: Subject = Subject::new(
    "bare-edge",
    "the same, edge-triggered",
    serve::<{ libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET }, false>,
)
.on_demand();

/// Level-triggered, and it never sleeps: what a round trip costs when nobody is woken.
pub(super) const SPIN: Subject = Subject {
    spins: true,
    ..Subject::new(
        "bare-spin",
        "raw epoll, level-triggered, asked again at once when nothing is ready",
        serve::<{ libc::EPOLLIN }, true>,
    )
}
.on_demand();

/// Events that one wait can report.
const EVENTS: usize = 1024;

fn serve<const INTEREST: i32, const SPIN: bool>(connections: usize) {
    let timeout = if SPIN { EpollTimeout::ZERO } else { EpollTimeout::NONE };
    let listener = listener().expect("listen");
    let epoll = sys::epoll().expect("epoll_create1");
    let listens = listener.as_raw_fd();
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, listens as u64)).expect("epoll_ctl");
    // A connection is found by its fd, as the kernel finds it; a program has some others open.
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
                accept::<INTEREST>(&epoll, &listener, connections > 0, &mut open);
            } else if let Some(stream) = &mut open[fd as usize]
                && !echo(stream, &mut buffer, closing, connections == 0)
            {
                open[fd as usize] = None;
                closed += 1;
            }
        }
    }
}

fn accept<const INTEREST: i32>(
    epoll: &Epoll,
    listener: &TcpListener,
    only_one: bool,
    open: &mut Vec<Option<TcpStream>>,
) {
    loop {
        let stream = match sys::accept4(listener.as_raw_fd()) {
            Ok(stream) => TcpStream::from(stream),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            // Its peer was gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => panic!("accept4: {error}"),
        };
        let fd = stream.as_raw_fd();
        let interest = EpollFlags::from_bits_retain(INTEREST);
        epoll.add(&stream, EpollEvent::new(interest, fd as u64)).expect("epoll_ctl");
        let place = fd as usize;
        if open.len() <= place {
            open.resize_with(place + 1, || None);
        }
        open[place] = Some(stream);
        if only_one {
            return;
        }
    }
}

/// Sends back what came; false when the peer has closed. `closing` says that the end of the
/// stream is already behind the bytes, which an edge would not report again.
#[inline]
fn echo(stream: &mut TcpStream, buffer: &mut [u8; BUFFER], closing: bool, may_reset: bool) -> bool {
    loop {
        let came = match stream.read(buffer) {
            Ok(0) => return false,
            Ok(count) => stream.write(&buffer[..count]).map(|sent| (count, sent)),
            Err(error) => Err(error),
        };
        match came {
            Ok((count, sent)) => {
                assert_eq!(sent, count, "a full socket");
                if count < BUFFER && !closing {
                    return true;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            // A reset is one of the ways in which those go who come and go.
            Err(error) => {
                assert!(may_reset, "echo: {error}");
                return false;
            }
        }
    }
}
