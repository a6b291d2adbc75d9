//! Connections that come and go, by raw system calls.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::EVENTS;
use crate::runtime::BUFFER;
use crate::sys;
use crate::work::Accepting;

/// The same as [`crate::work::accept`]: echoes on whatever connects until its peer is gone.
pub(super) fn accept<const INTEREST: i32>(how: &Accepting) {
    let listeners = how.listen().expect("listen");
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
            } else if !echo(fd, &mut buffer) {
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
fn echo(fd: RawFd, buffer: &mut [u8; BUFFER]) -> bool {
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
