//! What can be waited with, behind one trait: a new subject is a few methods and one line in
//! [`ALL`].

mod bare_epoll;
mod bare_poll;
mod bare_select;
mod ours;
#[cfg(feature = "rivals")]
mod rivals;

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use selectors_core::{Backend, Mode};

/// A way to wait for many fds to become readable.
///
/// An fd is known by its *index*, the program's own number for it. The calls that reach the
/// kernel are counted by whoever knows them: [`Dispatcher::changes`] for those that `wait` and
/// `rearm` hide.
pub trait Dispatcher {
    /// Watches for reading.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()>;

    /// Watches for reading, and for writing too if `write`.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()>;

    /// Watches no longer.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn remove(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()>;

    /// Sleeps until something is ready, and adds the index of each ready fd to `ready`.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()>;

    /// After a report in oneshot mode: watch on. Nothing in other modes.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn rearm(&mut self, _index: usize, _fd: &Rc<OwnedFd>) -> io::Result<()> {
        Ok(())
    }

    /// Calls of `rearm` that reached the kernel so far.
    fn changes(&self) -> u64 {
        0
    }
}

/// A kind of [`Dispatcher`].
#[derive(Clone, Copy)]
pub struct Kind {
    /// On command lines and in tables.
    pub name: &'static str,
    /// One line: what waits, and how.
    pub about: &'static str,
    /// Makes one for fds up to this number.
    pub open: fn() -> io::Result<Box<dyn Dispatcher>>,
    /// Whether it is measured when nobody names subjects.
    pub usual: bool,
}

/// All of them, the yardstick first.
pub const ALL: &[Kind] = &[
    kind(
        "bare-epoll",
        "raw epoll, level",
        || bare_epoll::open(0),
        true,
    ),
    kind(
        "bare-epoll-edge",
        "raw epoll, edge",
        || bare_epoll::open(libc::EPOLLET),
        false,
    ),
    kind(
        "bare-epoll-oneshot",
        "raw epoll, oneshot",
        || bare_epoll::open(libc::EPOLLONESHOT),
        false,
    ),
    kind("bare-poll", "raw poll", bare_poll::open, true),
    kind("bare-select", "raw select", bare_select::open, true),
    kind(
        "ours-epoll",
        "selectors-core, epoll, level",
        || ours::open(Backend::Epoll, Mode::Level),
        true,
    ),
    kind(
        "ours-epoll-edge",
        "selectors-core, epoll, edge",
        || ours::open(Backend::Epoll, Mode::Edge),
        true,
    ),
    kind(
        "ours-epoll-oneshot",
        "selectors-core, epoll, oneshot",
        || ours::open(Backend::Epoll, Mode::Oneshot),
        true,
    ),
    kind(
        "ours-poll",
        "selectors-core, poll",
        || ours::open(Backend::Poll, Mode::Level),
        true,
    ),
    kind(
        "ours-select",
        "selectors-core, select",
        || ours::open(Backend::Select, Mode::Level),
        true,
    ),
    #[cfg(feature = "rivals")]
    kind("mio", "mio's Poll, edge", rivals::mio, true),
    #[cfg(feature = "rivals")]
    kind("polling", "polling's Poller, level", rivals::polling, true),
];

const fn kind(
    name: &'static str,
    about: &'static str,
    open: fn() -> io::Result<Box<dyn Dispatcher>>,
    usual: bool,
) -> Kind {
    Kind {
        name,
        about,
        open,
        usual,
    }
}

/// Looks a kind up by its name.
pub fn named(name: &str) -> Option<Kind> {
    ALL.iter().find(|kind| kind.name == name).copied()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn every_kind_reports_what_is_ready_and_nothing_else() {
        for kind in ALL {
            let mut dispatcher = (kind.open)().unwrap();
            let mut senders = Vec::new();
            let mut receivers = Vec::new();
            for index in 0..5 {
                let (receiver, sender) = UnixStream::pair().unwrap();
                let receiver = Rc::new(OwnedFd::from(receiver));
                dispatcher.add(index, &receiver).unwrap();
                receivers.push(receiver);
                senders.push(sender);
            }
            dispatcher.remove(4, &receivers[4]).unwrap();
            dispatcher.change(2, &receivers[2], true).unwrap();
            dispatcher.change(2, &receivers[2], false).unwrap();
            for index in [0, 2, 4] {
                (&senders[index]).write_all(&[1]).unwrap();
            }
            let mut ready = Vec::new();
            while ready.len() < 2 {
                dispatcher.wait(&mut ready).unwrap();
            }
            ready.sort_unstable();
            ready.dedup();
            assert_eq!(ready, [0, 2], "{}", kind.name);
        }
    }
}
