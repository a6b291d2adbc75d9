//! select by its system call: a bitmap as long as the highest fd needs.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use super::{Dispatcher, Kind};
use crate::sys;

pub(super) const KINDS: &[Kind] = &[Kind::new("bare-select", "raw select", open)];

#[derive(Default)]
struct Select {
    interest: Vec<u64>,
    /// Fds that are watched for writing, and how many they are: none is no second bitmap.
    writing: Vec<u64>,
    writers: usize,
    ready: [Vec<u64>; 2],
    indices: Vec<usize>,
}

fn open() -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Select::default()))
}

impl Select {
    fn write(&mut self, fd: usize, write: bool) {
        let (word, bit) = (&mut self.writing[fd / 64], 1 << (fd % 64));
        self.writers -= usize::from(*word & bit != 0);
        self.writers += usize::from(write);
        *word = if write { *word | bit } else { *word & !bit };
    }
}

impl Dispatcher for Select {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd() as usize;
        if self.interest.len() <= fd / 64 {
            self.interest.resize(fd / 64 + 1, 0);
            self.writing.resize(fd / 64 + 1, 0);
            self.indices.resize((fd / 64 + 1) * 64, usize::MAX);
        }
        self.interest[fd / 64] |= 1 << (fd % 64);
        self.indices[fd] = index;
        Ok(())
    }

    fn change(&mut self, _index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        self.write(fd.as_raw_fd() as usize, write);
        Ok(())
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd() as usize;
        self.interest[fd / 64] &= !(1 << (fd % 64));
        self.write(fd, false);
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        let [read, write] = &mut self.ready;
        read.clone_from(&self.interest);
        let write = (self.writers > 0).then(|| {
            write.clone_from(&self.writing);
            &mut write[..]
        });
        sys::select(read, write)?;
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
