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
    use crate::method::Pair;
    use crate::subjects;

    #[test]
    fn every_kind_reports_what_is_ready_and_nothing_else() {
        for kind in subjects::selectors() {
            let mut dispatcher = (kind.open)().unwrap();
            let pairs = Pair::many("socketpair", 5).unwrap();
            for (index, pair) in pairs.iter().enumerate() {
                dispatcher.add(index, &pair.receiver).unwrap();
            }
            dispatcher.remove(4, &pairs[4].receiver).unwrap();
            dispatcher.change(2, &pairs[2].receiver, true).unwrap();
            dispatcher.change(2, &pairs[2].receiver, false).unwrap();
            for index in [0, 2, 4] {
                pairs[index].send(&[1]).unwrap();
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
