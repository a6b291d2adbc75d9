//! The yardstick: an epoll loop of raw system calls, with nothing that the echo does not need.
//!
//! One buffer serves all connections, a connection is its fd, there is no state. A short read
//! says that the socket is empty, so nobody reads into WouldBlock.

mod accept;
mod cascade;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::runtime::{BUFFER, LOOPBACK};
use crate::subject::Subject;
use crate::sys;
use crate::work::say_port;

/// Level-triggered.
pub(super) const LEVEL: Subject = Subject {
    name: super::BARE,
    about: "raw epoll, level-triggered, 1024 events a wait, recv and send, one shared buffer",
    serve: serve::<{ libc::EPOLLIN }, SLEEPS>,
    accept: Some(accept::accept::<{ libc::EPOLLIN }>),
    cascade: Some(cascade::cascade::<{ libc::EPOLLIN }>),
    tasks: None,
    own_buffer: 0,
    spinning: Some(super::BARE_SPIN),
    spins: false,
    linear: false,
    shown: true,
    gated: false,
};

/// Edge-triggered: the kernel need not look at a socket again that it has reported.
pub(super) const EDGE: Subject = Subject {
    name: "bare-edge",
    about: "the same, edge-triggered",
    serve: serve::<{ libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET }, SLEEPS>,
    accept: Some(accept::accept::<{ libc::EPOLLIN | libc::EPOLLET }>),
    cascade: Some(cascade::cascade::<{ libc::EPOLLIN | libc::EPOLLET }>),
    tasks: None,
    own_buffer: 0,
    spinning: None,
    spins: false,
    linear: false,
    shown: false,
    gated: false,
};

/// Level-triggered, and it never sleeps: what a round trip costs when nobody is woken.
pub(super) const SPIN: Subject = Subject {
    name: super::BARE_SPIN,
    about: "raw epoll, level-triggered, asked again at once when nothing is ready",
    serve: serve::<{ libc::EPOLLIN }, 0>,
    spins: true,
    spinning: None,
    ..LEVEL
}
.on_demand();

/// Events that one wait can report.
const EVENTS: usize = 1024;
/// The timeout of a loop that sleeps until something is ready.
const SLEEPS: i32 = -1;

fn serve<const INTEREST: i32, const TIMEOUT: i32>(connections: usize) {
    let listener = listen();
    let epoll = sys::epoll_create1().expect("epoll_create1");
    sys::epoll_add(
        &epoll,
        listener.as_raw_fd(),
        libc::EPOLLIN,
        listener.as_raw_fd() as u64,
    )
    .expect("epoll_ctl");
    let mut open: HashMap<RawFd, OwnedFd> = HashMap::with_capacity(connections);
    let mut events = vec![sys::NO_EVENT; EVENTS];
    let mut buffer = [0; BUFFER];
    let (mut accepted, mut closed) = (0, 0);
    while closed < connections {
        let count = match sys::epoll_wait(&epoll, &mut events, TIMEOUT) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            Err(error) => panic!("epoll_wait: {error}"),
        };
        for event in &events[..count] {
            let fd = event.u64 as RawFd;
            if fd == listener.as_raw_fd() {
                if accepted < connections {
                    let stream = sys::accept4(fd).expect("accept4");
                    let fd = stream.as_raw_fd();
                    sys::epoll_add(&epoll, fd, INTEREST, fd as u64).expect("epoll_ctl");
                    open.insert(fd, stream);
                    accepted += 1;
                }
            } else if !echo(fd, &mut buffer, event.events & libc::EPOLLRDHUP as u32 != 0) {
                open.remove(&fd);
                closed += 1;
            }
        }
    }
}

/// A non-blocking socket that listens.
fn listen() -> TcpListener {
    let listener = TcpListener::bind(LOOPBACK).expect("bind");
    sys::no_delay(listener.as_raw_fd()).expect("TCP_NODELAY");
    listener.set_nonblocking(true).expect("set_nonblocking");
    say_port(listener.local_addr().expect("local_addr").port());
    listener
}

/// Sends back what came; false when the peer has closed. `closing` says that the end of the
/// stream is already behind the bytes, which an edge would not report again.
#[inline]
fn echo(fd: RawFd, buffer: &mut [u8; BUFFER], closing: bool) -> bool {
    loop {
        match sys::recv(fd, buffer) {
            Ok(0) => return false,
            Ok(count) => {
                assert_eq!(
                    sys::send(fd, &buffer[..count]).expect("send"),
                    count,
                    "a full socket"
                );
                if count < BUFFER && !closing {
                    return true;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) => panic!("recv: {error}"),
        }
    }
}
