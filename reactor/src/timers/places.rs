//! Where timers stand: a table of places that are used again, the one that was left last first.
//!
//! A timer keeps its place for as long as its owner holds it, so after a crowd the table would have
//! to stay as large as it was until the last of them is gone. It does not: those who stand far out
//! become *strays*, kept aside by the number that their owners know, and the table ends
//! before them. Nobody else pays for that: a number beyond the table is looked for among them, where
//! it would have been a panic.

use std::mem;
use std::task::Waker;

use super::timer::{Timer, TimerId};
use crate::ascending::Ascending;

/// A table of no more than this, 112 KiB, is kept.
const KEEP: usize = 2048;

/// Where [`Timer::next_free`] leads at the end: to a place that is not there.
const NOWHERE: TimerId = TimerId::MAX;

/// [`Timer::next_free`] of one that has fired and whose owner is still there.
const HELD: TimerId = NOWHERE - 1;

/// The timers of one reactor, by their numbers.
pub(super) struct TimerPlaces {
    /// Indexed by [`TimerId`].
    table: Vec<Timer>,
    /// The unused place that is taken next.
    free: TimerId,
    /// Timers whose number is beyond the table.
    strays: Ascending<Timer>,
    /// Timers that have fired and whose owner is still there.
    fired: usize,
}

impl TimerPlaces {
    pub(super) fn new() -> Self {
        TimerPlaces {
            table: Vec::new(),
            free: NOWHERE,
            strays: Ascending::default(),
            fired: 0,
        }
    }

    /// Lets `waker` have the place that was left last; `None`, with the waker, if there is none.
    #[inline(always)]
    pub(super) fn take(&mut self, waker: Waker) -> Result<(TimerId, &mut Timer), Waker> {
        let id = self.free;
        let Some(timer) = self.table.get_mut(id as usize) else {
            return Err(waker);
        };
        self.free = timer.next_free;
        // There is none to be dropped: the place was unused.
        mem::forget(timer.waker.replace(waker));
        Ok((id, timer))
    }

    /// A place more, which is taken next.
    pub(super) fn grow(&mut self) {
        let mut id = number(self.table.len());
        // Has the table come to where a stray stands?
        while let Some(timer) = self.strays.remove(id.into()) {
            self.table.push(timer);
            id = number(self.table.len());
        }
        self.table.push(Timer::unused(self.free));
        self.free = id;
    }

    /// The timer of that number; `None` if it was a stray and is gone.
    #[inline(always)]
    pub(super) fn find(&mut self, id: TimerId) -> Option<&mut Timer> {
        match self.table.get_mut(id as usize) {
            Some(timer) => Some(timer),
            None => stray(&mut self.strays, id),
        }
    }

    /// A timer that somebody holds.
    #[inline(always)]
    pub(super) fn held(&mut self, id: TimerId) -> &mut Timer {
        self.find(id).expect("its owner holds it")
    }

    /// Takes the waker of a timer that is due.
    pub(super) fn fire(&mut self, id: TimerId) -> Option<Waker> {
        let timer = self.held(id);
        timer.next_free = HELD;
        let waker = timer.waker.take();
        self.fired += 1;
        waker
    }

    /// The owner is gone; takes the waker, if it has not fired.
    #[inline(always)]
    pub(super) fn leave(&mut self, id: TimerId) -> Option<Waker> {
        let Some(timer) = self.table.get_mut(id as usize) else {
            return self.stray_leaves(id);
        };
        timer.next_free = mem::replace(&mut self.free, id);
        timer.waker.take()
    }

    #[cold]
    #[inline(never)]
    fn stray_leaves(&mut self, id: TimerId) -> Option<Waker> {
        self.strays.remove(id.into())?.waker
    }

    /// Who left had fired.
    #[inline]
    pub(super) fn fired_one_left(&mut self) {
        self.fired -= 1;
    }

    /// Is the table far too large for those who wait, and those who have fired?
    #[inline]
    pub(super) fn are_far_too_many(&self, waiting: usize) -> bool {
        self.table.len() > KEEP && waiting + self.fired <= self.table.len() / 8
    }

    /// Lets the table end where there is place for twice as many as there are. No unused place may
    /// have an entry.
    pub(super) fn shrink(&mut self, waiting: usize) {
        let keep = KEEP.max(2 * (waiting + self.fired));
        // All are before those who have strayed already.
        let farther = mem::take(&mut self.strays);
        let beyond = self.table.drain(keep.min(self.table.len())..);
        for (id, timer) in (keep as u64..).zip(beyond) {
            if timer.is_held() {
                self.strays.push(id, timer);
            }
        }
        self.strays.append(farther);
        self.table.shrink_to_fit();
        self.free = NOWHERE;
        // The first one first, so that the end is left alone.
        for (at, timer) in self.table.iter_mut().enumerate().rev() {
            if !timer.is_held() {
                timer.next_free = self.free;
                self.free = number(at);
            }
        }
    }

    /// All of them, the unused ones too.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Timer> {
        self.table.iter().chain(self.strays.iter())
    }
}

impl Timer {
    /// Has it an owner?
    fn is_held(&self) -> bool {
        self.waker.is_some() || self.next_free == HELD
    }
}

/// The number of a place, which is never one that means something else.
fn number(at: usize) -> TimerId {
    let id = TimerId::try_from(at).ok().filter(|id| *id < HELD);
    id.expect("fewer than 4 billion timers")
}

#[cold]
#[inline(never)]
fn stray(strays: &mut Ascending<Timer>, id: TimerId) -> Option<&mut Timer> {
    strays.get_mut(id.into())
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::{HELD, KEEP, TimerPlaces, number};

    /// Takes `count` places, all new.
    fn crowd(count: usize) -> TimerPlaces {
        let mut places = TimerPlaces::new();
        for expected in 0..count {
            places.grow();
            let (id, _) = places.take(Waker::noop().clone()).expect("a place");
            assert_eq!(id, number(expected));
        }
        places
    }

    #[test]
    fn strays_keep_their_numbers_and_the_table_takes_them_in_again() {
        const CROWD: usize = 10 * KEEP;
        let mut places = crowd(CROWD);
        let stay = [3, KEEP, KEEP + 1, CROWD - 1].map(number);
        for id in (0..CROWD).map(number).filter(|id| !stay.contains(id)) {
            assert!(places.leave(id).is_some());
        }
        // One of them has fired.
        places.held(stay[2]).deadline = 7;
        assert!(places.fire(stay[2]).is_some());
        assert!(places.are_far_too_many(3));
        places.shrink(3);
        assert_eq!((places.table.len(), places.strays.len()), (KEEP, 3));
        assert!(!places.are_far_too_many(3));
        assert!(stay.iter().all(|id| places.find(*id).is_some()));
        assert!(places.find(number(CROWD - 2)).is_none());

        // One goes, the others are met by the table as it grows, and nobody's place is taken twice.
        assert!(places.leave(stay[3]).is_some());
        assert!(places.find(stay[3]).is_none());
        let mut taken = stay[..3].to_vec();
        for _ in 0..2 * KEEP {
            let taken_next = match places.take(Waker::noop().clone()) {
                Ok((id, _)) => id,
                Err(waker) => {
                    places.grow();
                    places.take(waker).expect("it has grown").0
                }
            };
            taken.push(taken_next);
        }
        assert!(places.strays.is_empty());
        assert_eq!(places.held(stay[2]).deadline, 7);
        assert!(places.leave(stay[2]).is_none(), "it had fired");
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 3 + 2 * KEEP);
    }

    #[test]
    fn a_crowd_that_fired_and_is_still_held_keeps_its_table() {
        const CROWD: usize = 10 * KEEP;
        let mut places = crowd(CROWD);
        for id in (0..CROWD).map(number) {
            assert!(places.fire(id).is_some());
        }
        assert!(!places.are_far_too_many(0));
        for id in (0..CROWD).map(number) {
            assert!(places.leave(id).is_none());
            places.fired_one_left();
        }
        assert!(places.are_far_too_many(0));
        places.shrink(0);
        assert_eq!((places.table.len(), places.strays.len()), (KEEP, 0));
    }

    #[test]
    #[should_panic(expected = "fewer than 4 billion timers")]
    fn a_number_is_never_one_that_means_something_else() {
        assert_eq!(number(HELD as usize - 1), HELD - 1);
        number(HELD as usize);
    }
}
