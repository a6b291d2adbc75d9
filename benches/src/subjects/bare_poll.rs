//! poll by its system call: the array is the interest.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use super::{Dispatcher, Kind};
use crate::sys;

pub(super) const KINDS: &[Kind] = &[Kind::new("bare-poll", "raw poll", open)];

#[derive(Default)]
struct Poll {
    entries: Vec<libc::pollfd>,
    indices: Vec<usize>,
    /// Where the entry of a number is.
    places: Vec<usize>,
}

fn open() -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Poll::default()))
}

impl Dispatcher for Poll {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        if self.places.len() <= index {
            self.places.resize(index + 1, usize::MAX);
        }
        self.places[index] = self.entries.len();
        self.indices.push(index);
        self.entries.push(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
        Ok(())
    }

    fn change(&mut self, index: usize, _fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let write = if write { libc::POLLOUT } else { 0 };
        self.entries[self.places[index]].events = libc::POLLIN | write;
        Ok(())
    }

    fn remove(&mut self, index: usize, _fd: &Rc<OwnedFd>) -> io::Result<()> {
        let place = self.places[index];
        self.entries.swap_remove(place);
        self.indices.swap_remove(place);
        if let Some(&moved) = self.indices.get(place) {
            self.places[moved] = place;
        }
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        let mut left = sys::poll(&mut self.entries)?;
        for (entry, &index) in self.entries.iter().zip(&self.indices) {
            if left == 0 {
                break;
            }
            if entry.revents != 0 {
                ready.push(index);
                left -= 1;
            }
        }
        Ok(())
    }
}
