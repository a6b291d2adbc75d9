//! epoll by its system calls, in any of its modes.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use super::{Dispatcher, Kind};
use crate::sys;

pub(super) const KINDS: &[Kind] = &[
    Kind::new("bare-epoll", "raw epoll, level", || open(0)),
    Kind::new("bare-epoll-edge", "raw epoll, edge", || open(libc::EPOLLET)).on_demand(),
    Kind::new("bare-epoll-oneshot", "raw epoll, oneshot", || open(libc::EPOLLONESHOT)).on_demand(),
];

/// Events that one wait can report, as many as in ours.
const EVENTS: usize = 1024;

struct Epoll {
    epoll: OwnedFd,
    events: Vec<sys::EpollEvent>,
    flags: i32,
}

fn open(flags: i32) -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Epoll { epoll: sys::epoll_create1()?, events: vec![sys::NO_EVENT; EVENTS], flags }))
}

impl Dispatcher for Epoll {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let interest = libc::EPOLLIN | self.flags;
        sys::epoll_add(&self.epoll, fd.as_raw_fd(), interest, index as u64)
    }

    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let write = if write { libc::EPOLLOUT } else { 0 };
        let interest = libc::EPOLLIN | write | self.flags;
        let fd = fd.as_raw_fd();
        sys::epoll_ctl(&self.epoll, libc::EPOLL_CTL_MOD, fd, interest, index as u64)
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        sys::epoll_ctl(&self.epoll, libc::EPOLL_CTL_DEL, fd.as_raw_fd(), 0, 0)
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        let count = sys::epoll_wait(&self.epoll, &mut self.events, -1)?;
        ready.extend(self.events[..count].iter().map(|event| event.u64 as usize));
        Ok(())
    }

    fn rearm(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<u64> {
        let oneshot = self.flags & libc::EPOLLONESHOT != 0;
        if oneshot {
            self.change(index, fd, false)?;
        }
        Ok(u64::from(oneshot))
    }
}
