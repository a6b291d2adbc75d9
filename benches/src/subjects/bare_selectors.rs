//! The kernel's calls themselves: epoll in any of its modes; poll and select, which look at all that is
//! watched in each wait.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};

use super::{Dispatcher, Kind};
use crate::sys;

pub(super) const KINDS: &[Kind] = &[
    Kind::new("bare-epoll", "raw epoll, level", || epoll(EpollFlags::empty())),
    Kind::new("bare-epoll-edge", "raw epoll, edge", || epoll(EpollFlags::EPOLLET)).on_demand(),
    Kind::new("bare-epoll-oneshot", "raw epoll, oneshot", || epoll(EpollFlags::EPOLLONESHOT))
        .on_demand(),
    Kind::new("bare-poll", "raw poll", || Ok(Box::new(Poll::default()))),
    Kind::new("bare-select", "raw select", || Ok(Box::new(Select::default()))),
];

const EVENTS: usize = 1024;

struct Set {
    epoll: Epoll,
    events: Vec<EpollEvent>,
    flags: EpollFlags,
}

fn epoll(flags: EpollFlags) -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Set { epoll: sys::epoll()?, events: vec![EpollEvent::empty(); EVENTS], flags }))
}

impl Dispatcher for Set {
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

/// The array is the interest; a number without an fd has one that the kernel skips.
#[derive(Default)]
struct Poll(Vec<libc::pollfd>);

const NONE: libc::pollfd = libc::pollfd { fd: -1, events: 0, revents: 0 };

impl Dispatcher for Poll {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        self.0.resize(self.0.len().max(index + 1), NONE);
        self.0[index] = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        Ok(())
    }

    fn change(&mut self, index: usize, _fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        self.0[index].events = libc::POLLIN | if write { libc::POLLOUT } else { 0 };
        Ok(())
    }

    fn remove(&mut self, index: usize, _fd: &Rc<OwnedFd>) -> io::Result<()> {
        self.0[index] = NONE;
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        let count = sys::poll(&mut self.0)?;
        let all = self.0.iter().enumerate().filter(|(_, entry)| entry.revents != 0);
        ready.extend(all.map(|(index, _)| index).take(count));
        Ok(())
    }
}

/// Bitmaps as long as the highest fd needs: who is watched for reading, and for writing.
#[derive(Default)]
struct Select {
    interest: [Vec<u64>; 2],
    ready: [Vec<u64>; 2],
    indices: Vec<usize>,
}

impl Select {
    fn set(&mut self, direction: usize, fd: &OwnedFd, watched: bool) {
        let fd = fd.as_raw_fd() as usize;
        let (word, bit) = (&mut self.interest[direction][fd / 64], 1 << (fd % 64));
        *word = if watched { *word | bit } else { *word & !bit };
    }
}

impl Dispatcher for Select {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let place = fd.as_raw_fd() as usize;
        let words = self.interest[0].len().max(place / 64 + 1);
        self.interest.iter_mut().for_each(|map| map.resize(words, 0));
        self.indices.resize(words * 64, usize::MAX);
        self.indices[place] = index;
        self.set(0, fd, true);
        Ok(())
    }

    fn change(&mut self, _index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        self.set(1, fd, write);
        Ok(())
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        self.set(0, fd, false);
        self.set(1, fd, false);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        let [read, write] = &mut self.ready;
        read.clone_from(&self.interest[0]);
        write.clone_from(&self.interest[1]);
        // Nobody who writes is no second bitmap.
        let writes = write.iter().any(|word| *word != 0);
        sys::select(read, writes.then_some(&mut write[..]))?;
        for (word, &bits) in read.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                ready.push(self.indices[word * 64 + bits.trailing_zeros() as usize]);
                bits &= bits - 1;
            }
        }
        Ok(())
    }
}
