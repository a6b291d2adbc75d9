//! select by its system call: a bitmap as long as the highest fd needs.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use super::Dispatcher;
use crate::sys;

#[derive(Default)]
struct Select {
    interest: Vec<u64>,
    ready: Vec<u64>,
    /// The program's number of each fd.
    indices: Vec<usize>,
}

pub(super) fn open() -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Select::default()))
}

impl Dispatcher for Select {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd() as usize;
        if self.interest.len() <= fd / 64 {
            self.interest.resize(fd / 64 + 1, 0);
            self.indices.resize((fd / 64 + 1) * 64, usize::MAX);
        }
        self.interest[fd / 64] |= 1 << (fd % 64);
        self.indices[fd] = index;
        Ok(())
    }

    /// Only reading is watched here: a second bitmap would be a cost that nobody else pays.
    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, _write: bool) -> io::Result<()> {
        self.add(index, fd)
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd() as usize;
        self.interest[fd / 64] &= !(1 << (fd % 64));
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        self.ready.clone_from(&self.interest);
        sys::select_read(&mut self.ready)?;
        for (word, &bits) in self.ready.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                ready.push(self.indices[word * 64 + bits.trailing_zeros() as usize]);
                bits &= bits - 1;
            }
        }
        Ok(())
    }
}
