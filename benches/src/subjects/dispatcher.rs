//! What can be waited with, behind one trait.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// A way to wait for many fds to become readable.
///
/// An fd is known by its *index*, the program's own number for it.
pub trait Dispatcher {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()>;

    /// Watches for reading, and for writing too if `write`.
    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()>;

    fn remove(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()>;

    /// Sleeps until something is ready, and adds the index of each ready fd to `ready`.
    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()>;

    /// After a report in oneshot mode: watch on. Nothing in other modes. The system calls that it made.
    fn rearm(&mut self, _index: usize, _fd: &Rc<OwnedFd>) -> io::Result<u64> {
        Ok(0)
    }
}

#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub about: &'static str,
    pub open: fn() -> io::Result<Box<dyn Dispatcher>>,
    pub usual: bool,
}

impl Kind {
    pub const fn new(
        name: &'static str,
        about: &'static str,
        open: fn() -> io::Result<Box<dyn Dispatcher>>,
    ) -> Self {
        Self { name, about, open, usual: true }
    }

    pub const fn on_demand(self) -> Self {
        Self { usual: false, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn every_kind_reports_what_is_ready_and_nothing_else() {
        for kind in crate::subjects::selectors() {
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
