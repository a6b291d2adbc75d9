//! First in, first out: a list that is read from the front and written at the end.
//!
//! A ring would have to wrap round at each step. This one is moved down when it is full, and
//! doubles only if it is not mostly read by then, so moving costs a constant share of the pushes.

use crate::ready::shuffle::Shuffle;

/// Room for that many is kept in any case.
const FEW: usize = 1024;

/// Room for that many is made at first: who wakes himself again and again moves the list down as
/// seldom.
const FIRST: usize = 256;

/// The slots of who was woken.
#[derive(Default)]
pub(crate) struct Queue {
    /// Has no room while `shuffled` is there, so that the hot path need not ask.
    list: Vec<u32>,
    /// How much of the list was taken already.
    taken: usize,
    /// Instead of the list: those who are taken in another order than that of the wakes.
    shuffled: Option<Box<Shuffle>>,
}

impl Queue {
    /// An order from `seed`, or that of the wakes.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Queue {
            shuffled: seed.map(|seed| Box::new(Shuffle::new(seed))),
            ..Queue::default()
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, slot: u32) {
        // The growing is out of the way: nothing has to be saved for it on the hot path.
        if !self.push_if_room(slot) {
            self.push_slowly(slot);
        }
    }

    /// The same, where there is room; false, and nothing is done, where there is none.
    #[inline]
    pub(crate) fn push_if_room(&mut self, slot: u32) -> bool {
        let room = self.list.len() < self.list.capacity();
        if room {
            self.list.push(slot);
        }
        room
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<u32> {
        match self.list.get(self.taken) {
            Some(&slot) => {
                self.taken += 1;
                Some(slot)
            }
            None => {
                self.list.clear();
                self.taken = 0;
                self.shuffled.as_mut()?.pop()
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        let shuffled = self.shuffled.as_ref().map_or(0, |shuffle| shuffle.len());
        self.list.len() - self.taken + shuffled
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives memory back after a burst.
    pub(crate) fn give_back(&mut self) {
        self.list.drain(..self.taken);
        self.taken = 0;
        self.list.shrink_to(FEW.max(self.list.len() * 2));
        if let Some(shuffle) = &mut self.shuffled {
            // Without room, so that the hot path need not ask whether it is there.
            self.list = Vec::new();
            shuffle.give_back(FEW);
        }
    }

    #[cold]
    #[inline(never)]
    fn push_slowly(&mut self, slot: u32) {
        if let Some(shuffle) = &mut self.shuffled {
            shuffle.push(slot);
            return;
        }
        self.list.drain(..self.taken);
        self.taken = 0;
        if self.list.len() * 2 >= self.list.capacity() {
            self.list.reserve(self.list.capacity().max(FIRST));
        }
        self.list.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST, Queue};

    #[test]
    fn a_queue_that_is_never_empty_stays_small_and_in_order() {
        let mut queue = Queue::default();
        let (mut pushed, mut popped) = (0, 0);
        for _ in 0..10_000 {
            for _ in 0..3 {
                queue.push(pushed);
                pushed += 1;
            }
            while queue.len() > 5 {
                assert_eq!(queue.pop(), Some(popped));
                popped += 1;
            }
        }
        assert!(queue.list.capacity() <= FIRST, "{}", queue.list.capacity());
        assert_eq!(queue.len(), 5);
        for _ in 0..5 {
            assert_eq!(queue.pop(), Some(popped));
            popped += 1;
        }
        assert!(queue.is_empty());
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn a_queue_grows_with_what_is_in_it() {
        let mut queue = Queue::default();
        (0..10_000).for_each(|slot| queue.push(slot));
        assert_eq!(queue.len(), 10_000);
        assert!((0..10_000).all(|slot| queue.pop() == Some(slot)));
    }
}
