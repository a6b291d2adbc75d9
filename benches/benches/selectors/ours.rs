//! selectors-core, each backend, with `select_with`: the form that the reactor uses.

use std::os::unix::net::UnixStream;

use selectors_core::{Backend, DefaultSelector, EVENT_READ, Mode};

use super::Wait;

pub(super) fn epoll(sockets: &[UnixStream]) -> Wait<'_> {
    waiting(sockets, Backend::Epoll, Mode::Level)
}

pub(super) fn epoll_edge(sockets: &[UnixStream]) -> Wait<'_> {
    waiting(sockets, Backend::Epoll, Mode::Edge)
}

pub(super) fn poll(sockets: &[UnixStream]) -> Wait<'_> {
    waiting(sockets, Backend::Poll, Mode::Level)
}

pub(super) fn select(sockets: &[UnixStream]) -> Wait<'_> {
    waiting(sockets, Backend::Select, Mode::Level)
}

fn waiting(sockets: &[UnixStream], backend: Backend, mode: Mode) -> Wait<'_> {
    let mut selector: DefaultSelector<&UnixStream, u64> = backend.selector().expect("a selector");
    for (index, socket) in sockets.iter().enumerate() {
        if let Err(refused) = selector.register_with(socket, EVENT_READ, mode, index as u64) {
            panic!("register: {}", refused.error);
        }
    }
    Box::new(move |active| {
        let (mut seen, mut sum) = (0, 0);
        while seen < active {
            seen += selector
                .select_with(None, |_, key, _| sum += key.data)
                .expect("select");
        }
        sum
    })
}
