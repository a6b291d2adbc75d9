//! The yardstick: an epoll loop of raw system calls, with nothing that the echo does not need.
//!
//! One buffer serves all connections, a connection is its fd, there is no state. A short read
//! says that the socket is empty, so nobody reads into WouldBlock.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::runtime::{BUFFER, LOOPBACK};
use super::serve::{say_port, sockets};
use super::subject::{Accepting, BARE, Subject};
use crate::sys;

/// Level-triggered.
pub(super) const LEVEL: Subject = Subject {
    accept: Some(accept::<{ libc::EPOLLIN }>),
    spinning: Some("bare-spin"),
    ..Subject::new(
        BARE,
        "raw epoll, level-triggered, 1024 events a wait, recv and send, one shared buffer",
        serve::<{ libc::EPOLLIN }, SLEEPS>,
    )
};

/// Edge-triggered: the kernel need not look at a socket again that it has reported.
pub(super) const EDGE: Subject = Subject {
    accept: Some(accept::<{ libc::EPOLLIN | libc::EPOLLET }>),
    ..Subject::new(
        "bare-edge",
        "the same, edge-triggered",
        serve::<{ libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET }, SLEEPS>,
    )
}
.on_demand();

/// Level-triggered, and it never sleeps: what a round trip costs when nobody is woken.
pub(super) const SPIN: Subject = Subject {
    spins: true,
    ..Subject::new(
        "bare-spin",
        "raw epoll, level-triggered, asked again at once when nothing is ready",
        serve::<{ libc::EPOLLIN }, 0>,
    )
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

/// The same as [`serve::accept`]: echoes on whatever connects until its peer is gone.
fn accept<const INTEREST: i32>(how: &Accepting) {
    let listeners = sockets(how).expect("listen");
    let epoll = sys::epoll_create1().expect("epoll_create1");
    for listener in &listeners {
        let fd = listener.as_raw_fd();
        sys::epoll_add(&epoll, fd, libc::EPOLLIN, fd as u64).expect("epoll_ctl");
    }
    // A connection is found by its fd, as the kernel finds it.
    let mut open: Vec<Option<OwnedFd>> = Vec::new();
    let mut events = vec![sys::NO_EVENT; EVENTS];
    let mut buffer = [0; BUFFER];
    loop {
        let count = match sys::epoll_wait(&epoll, &mut events, -1) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            Err(error) => panic!("epoll_wait: {error}"),
        };
        for event in &events[..count] {
            let fd = event.u64 as RawFd;
            if let Some(listener) = listeners.iter().find(|one| one.as_raw_fd() == fd) {
                accept_some::<INTEREST>(&epoll, listener, how.batch, &mut open);
            } else if !echo_until_gone(fd, &mut buffer) {
                open[fd as usize] = None;
            }
        }
    }
}

/// Accepts so many, or all that are there; what is left is reported again.
fn accept_some<const INTEREST: i32>(
    epoll: &OwnedFd,
    listener: &TcpListener,
    batch: usize,
    open: &mut Vec<Option<OwnedFd>>,
) {
    let mut accepted = 0;
    while batch == 0 || accepted < batch {
        let stream = match sys::accept4(listener.as_raw_fd()) {
            Ok(stream) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            // Its peer was gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => panic!("accept4: {error}"),
        };
        let fd = stream.as_raw_fd();
        sys::epoll_add(epoll, fd, INTEREST, fd as u64).expect("epoll_ctl");
        let place = fd as usize;
        if open.len() <= place {
            open.resize_with(place + 1, || None);
        }
        open[place] = Some(stream);
        accepted += 1;
    }
}

/// Sends back what came; false when the peer is gone.
fn echo_until_gone(fd: RawFd, buffer: &mut [u8; BUFFER]) -> bool {
    loop {
        match sys::recv(fd, buffer) {
            Ok(0) => return false,
            Ok(count) => {
                if !sys::send(fd, &buffer[..count]).is_ok_and(|sent| sent == count) {
                    return false;
                }
            }
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
