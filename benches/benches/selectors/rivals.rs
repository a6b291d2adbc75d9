//! mio and polling, with event buffers as large as the load.

use std::num::NonZero;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use mio::unix::SourceFd;
use mio::{Interest, Token};
use polling::PollMode;

use super::Wait;

/// mio, which is edge-triggered.
pub(super) fn mio(sockets: &[UnixStream]) -> Wait<'_> {
    let mut poll = mio::Poll::new().expect("Poll::new");
    for (index, socket) in sockets.iter().enumerate() {
        let fd = socket.as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&fd), Token(index), Interest::READABLE)
            .expect("register");
    }
    let mut events = mio::Events::with_capacity(sockets.len().min(8192));
    Box::new(move |active| {
        let (mut seen, mut sum) = (0, 0);
        while seen < active {
            poll.poll(&mut events, None).expect("poll");
            for event in &events {
                seen += 1;
                sum += event.token().0 as u64;
            }
        }
        sum
    })
}

/// polling in its level mode: its default, oneshot, would need a system call more for each event.
pub(super) fn polling(sockets: &[UnixStream]) -> Wait<'_> {
    let poller = polling::Poller::new().expect("Poller::new");
    for (index, socket) in sockets.iter().enumerate() {
        let interest = polling::Event::readable(index);
        // SAFETY: `add` asks that the source be deleted from the poller before it is dropped; the
        // sockets outlive the poller, which the returned closure owns and borrows them longer.
        unsafe { poller.add_with_mode(socket, interest, PollMode::Level) }.expect("add");
    }
    let room = NonZero::new(sockets.len().clamp(1, 8192)).unwrap_or(NonZero::<usize>::MIN);
    let mut events = polling::Events::with_capacity(room);
    Box::new(move |active| {
        let (mut seen, mut sum) = (0, 0);
        while seen < active {
            events.clear();
            seen += poller.wait(&mut events, None).expect("wait");
            sum += events.iter().map(|event| event.key as u64).sum::<u64>();
        }
        sum
    })
}
