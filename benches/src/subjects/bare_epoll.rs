//! epoll by its system calls, in any of its modes.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};

use super::{Dispatcher, Kind};
use crate::sys;

pub(super) const KINDS: &[Kind] = &[
    Kind::new("bare-epoll", "raw epoll, level", || open(EpollFlags::empty())),
    Kind::new("bare-epoll-edge", "raw epoll, edge", || open(EpollFlags::EPOLLET)).on_demand(),
    Kind::new("bare-epoll-oneshot", "raw epoll, oneshot", || open(EpollFlags::EPOLLONESHOT))
        .on_demand(),
];

const EVENTS: usize = 1024;

struct Bare {
    epoll: Epoll,
    events: Vec<EpollEvent>,
    flags: EpollFlags,
}

fn open(flags: EpollFlags) -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Bare { epoll: sys::epoll()?, events: vec![EpollEvent::empty(); EVENTS], flags }))
}

impl Dispatcher for Bare {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let interest = EpollFlags::EPOLLIN | self.flags;
        Ok(self.epoll.add(fd, EpollEvent::new(interest, index as u64))?)
    }

    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let write = if write { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
        let interest = EpollFlags::EPOLLIN | write | self.flags;
        Ok(self.epoll.modify(fd, &mut EpollEvent::new(interest, index as u64))?)
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        Ok(self.epoll.delete(fd)?)
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        let count = self.epoll.wait(&mut self.events, EpollTimeout::NONE)?;
        ready.extend(self.events[..count].iter().map(|event| event.data() as usize));
        Ok(())
    }

    fn rearm(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<u64> {
        let oneshot = self.flags.contains(EpollFlags::EPOLLONESHOT);
        if oneshot {
            self.change(index, fd, false)?;
        }
        Ok(u64::from(oneshot))
    }
}
