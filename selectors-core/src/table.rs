//! Tables that grow with the open files, and give their memory back when those are gone.

use crate::os::RawFd;

/// What every table may keep, in places: a program below this size never gives anything back.
const KEPT: usize = 1024;

/// Gives back what a burst has left: if less than an eighth of the room is needed, all but twice
/// of what is. Growing doubles, so that files which come and go steadily reallocate nothing.
pub(crate) fn give_back<T>(room: &mut Vec<T>, needed: usize) {
    if room.capacity() > KEPT && needed < room.capacity() / 8 {
        shrink(room, needed);
    }
}

#[cold]
#[inline(never)]
fn shrink<T>(room: &mut Vec<T>, needed: usize) {
    let kept = (needed * 2).max(KEPT);
    room.truncate(kept);
    room.shrink_to(kept);
}

/// One place for each number of an fd.
///
/// The kernel hands out the lowest free number, so numbers are small and dense, and a plain array
/// finds a place with one comparison and no hash.
pub(crate) struct Table<T> {
    places: Vec<Option<T>>,
    /// All places from here on are free.
    end: usize,
    /// How many places may be looked at to find a lower end. Each removal brings eight, so that a
    /// number far above all others may come and go.
    steps: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            places: Vec::new(),
            end: 0,
            steps: 0,
        }
    }
}

impl<T> Table<T> {
    /// What is in the place of a number. A negative one becomes a huge index, which is out of bounds.
    #[inline]
    pub(crate) fn get(&self, fd: RawFd) -> Option<&T> {
        self.places.get(fd as usize)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, fd: RawFd) -> Option<&mut T> {
        self.places.get_mut(fd as usize)?.as_mut()
    }

    /// Puts it in, and returns what was there. The number must be that of an open file, which
    /// bounds the table.
    pub(crate) fn insert(&mut self, fd: RawFd, value: T) -> Option<T> {
        let index = fd as usize;
        if index >= self.places.len() {
            self.places.resize_with(index + 1, || None);
        }
        self.end = self.end.max(index + 1);
        self.places[index].replace(value)
    }

    pub(crate) fn remove(&mut self, fd: RawFd) -> Option<T> {
        let removed = self.places.get_mut(fd as usize)?.take()?;
        self.steps = (self.steps + 8).min(self.places.len());
        while self.steps > 0 && self.end > 0 && self.places[self.end - 1].is_none() {
            self.end -= 1;
            self.steps -= 1;
        }
        give_back(&mut self.places, self.end);
        Some(removed)
    }

    /// All that is in, in the order of the numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.places.into_iter().flatten()
    }
}
