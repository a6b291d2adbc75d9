//! Who lives in which slot: a mark for each, with the id that nobody else has had or will have.
//!
//! Ids are never given twice, also not to the tasks of a later runtime with the same number: its
//! slots go on where the ids of the one before it ended. So a slot whose ids are used up is retired,
//! and a table that is given back after a burst leaves behind the generation that comes next.

use crate::task::id::Id;

/// The slot of the first future of `block_on`. No task ever lives here.
pub(crate) const NO_TASK: u32 = 0;

/// A table of that length, or shorter, is kept however few live in it.
const FEW: usize = 4096;

/// A slot that has had fewer than this may be forgotten: those that take its place begin there, and
/// have at least as many left.
const FORGETTABLE: u32 = Id::GENERATIONS / 2;

/// What is known of one slot, in one word: the id of whoever lives here, or of the next one (ids of
/// the earlier ones are stale), with the flags in the bits that no id has. So a wake asks with one
/// comparison whether there is anything to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mark(u64);

impl Mark {
    /// In the queue. Set by a wake, cleared when the task is about to be polled: two wakes before
    /// a poll are one poll, and a wake during a poll queues the task again.
    const QUEUED: u64 = Id::SPARE[0];
    /// To be dropped instead of polled, if it is in the queue as well; alone: nobody lives here.
    const ENDED: u64 = Id::SPARE[1];
    const FLAGS: u64 = Self::QUEUED | Self::ENDED;

    /// Of `id`, which has been woken. Written as a whole, not by setting the flag: the compiler would
    /// set it in its byte, and the CPU makes whoever reads all eight soon after a store of one wait
    /// until that store is done.
    #[inline]
    pub(crate) fn queued(id: Id) -> Self {
        Mark(id.bits() | Self::QUEUED)
    }

    #[inline]
    fn vacant(id: Id) -> Self {
        Mark(id.bits() | Self::ENDED)
    }

    /// Does `id` live here, and was it not woken yet?
    #[inline]
    pub(crate) fn is_asleep(self, id: Id) -> bool {
        self.0 == id.bits()
    }

    /// Clears the flag of who was woken, and is to be polled; false, and nothing is done, for
    /// everybody else.
    #[inline]
    pub(crate) fn begin_poll(&mut self) -> bool {
        let unqueued = self.0 ^ Self::QUEUED;
        let to_be_polled = unqueued & Self::FLAGS == 0;
        if to_be_polled {
            self.0 = unqueued;
        }
        to_be_polled
    }

    /// The task, which has just been woken, is to be dropped where it would be polled.
    pub(crate) fn abort(&mut self) {
        self.0 |= Self::FLAGS;
    }

    pub(crate) fn is_aborted(self) -> bool {
        self.0 & Self::FLAGS == Self::FLAGS
    }

    pub(crate) fn is_queued(self) -> bool {
        self.0 & Self::QUEUED != 0
    }

    pub(crate) fn is_vacant(self) -> bool {
        self.0 & Self::FLAGS == Self::ENDED
    }

    #[inline]
    pub(crate) fn id(self) -> Id {
        Id::from_bits(self.0 & !Self::FLAGS)
    }
}

/// The marks of one runtime.
pub(crate) struct Marks {
    /// The runtime's number, a part of every id.
    runtime: u16,
    /// Indexed by slot.
    list: Vec<Mark>,
    /// Slots that are vacant and have ids left.
    free: Vec<u32>,
    /// The generation with which a slot begins that the list does not have yet.
    first_generation: u32,
    /// Who was in the way when part of the list was to be given back; [`NO_TASK`] if nobody was.
    blocker: u32,
}

/// The ids that runtimes with one number have had.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// The next of each slot, or the last if there is none, as vacant marks.
    list: Vec<Mark>,
    first_generation: u32,
}

#[cfg(test)]
impl Past {
    /// As if the first `slots` came to this generation next.
    pub(crate) fn of(runtime: u16, slots: u32, generation: u32) -> Self {
        let vacant = |slot| Mark::vacant(Id::new(runtime, slot, generation));
        Past {
            list: (0..slots).map(vacant).collect(),
            first_generation: 0,
        }
    }
}

#[cfg(test)]
impl Marks {
    /// As if all slots but one were retired.
    pub(crate) fn full_but_one() -> Self {
        let mut marks = Marks::new(0, Past::of(0, 1, Id::GENERATIONS - 1));
        let retired = marks.list[0];
        marks.list.resize(Id::MAX_SLOTS - 1, retired);
        marks
    }
}

impl Marks {
    /// Ids that none of `past` has had.
    pub(crate) fn new(runtime: u16, past: Past) -> Self {
        let mut marks = Marks {
            runtime,
            list: past.list,
            free: Vec::new(),
            first_generation: past.first_generation,
            blocker: NO_TASK,
        };
        if marks.list.is_empty() {
            marks.grow();
        }
        // The lowest is taken first.
        let slots = (1..marks.list.len() as u32).rev();
        let free = slots.filter(|slot| marks.list[*slot as usize].id().next_generation().is_some());
        marks.free = free.collect();
        marks
    }

    /// What the next runtime with this number has to know.
    pub(crate) fn past(&self) -> Past {
        let mut past = Past {
            list: self.list.clone(),
            first_generation: self.first_generation,
        };
        for mark in &mut past.list {
            let id = mark.id();
            *mark = Mark::vacant(id.next_generation().unwrap_or(id));
        }
        let kept = past.list.iter().rposition(|mark| !may_be_forgotten(*mark));
        forget(
            &mut past.list,
            kept.map_or(0, |last| last + 1),
            &mut past.first_generation,
        );
        past
    }

    /// How many slots there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// More than are kept in any case?
    pub(crate) fn are_many(&self) -> bool {
        self.list.len() > FEW
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<Mark> {
        self.list.get(slot as usize).copied()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Mark> {
        self.list.get_mut(slot as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Mark> {
        self.list.iter().copied()
    }

    /// A vacant slot from those that are there.
    #[inline]
    pub(crate) fn take_free(&mut self) -> Option<u32> {
        self.free.pop()
    }

    /// One more slot.
    #[cold]
    pub(crate) fn grow(&mut self) -> u32 {
        let slot = self.list.len();
        assert!(slot < Id::MAX_SLOTS, "16 million tasks in one runtime");
        let id = Id::new(self.runtime, slot as u32, self.first_generation);
        self.list.push(Mark::vacant(id));
        self.blocker = NO_TASK;
        slot as u32
    }

    /// Nobody lives in `slot` any more; the next one will have the next id.
    #[inline(always)]
    pub(crate) fn vacate(&mut self, slot: u32) {
        let mark = &mut self.list[slot as usize];
        match mark.id().next_generation() {
            Some(next) => {
                *mark = Mark::vacant(next);
                self.free.push(slot);
            }
            // Retired: it is vacant, and not free.
            None => *mark = Mark::vacant(mark.id()),
        }
    }

    /// The next future in a slot that goes from one to the next without being free; false if there
    /// is no id left, and the slot is retired.
    pub(crate) fn renew(&mut self, slot: u32) -> bool {
        let mark = &mut self.list[slot as usize];
        let next = mark.id().next_generation();
        *mark = next.map_or(Mark::vacant(mark.id()), |next| Mark(next.bits()));
        next.is_some()
    }

    /// Gives memory back if few are left of many, after `slot` was vacated. True if it did.
    ///
    /// The upper half goes when nobody lives there. Who is in the way is remembered, so that the
    /// search is not repeated before that one is gone.
    pub(crate) fn give_back(&mut self, slot: u32, live: usize) -> bool {
        if self.blocker != NO_TASK && self.blocker != slot {
            return false;
        }
        self.blocker = NO_TASK;
        let before = self.list.len();
        while self.are_many() && live < self.list.len() / 4 {
            let half = self.list.len() / 2;
            let in_the_way = self.list[half..]
                .iter()
                .rposition(|mark| !may_be_forgotten(*mark));
            if let Some(at) = in_the_way {
                self.blocker = (half + at) as u32;
                break;
            }
            forget(&mut self.list, half, &mut self.first_generation);
        }
        let given_back = self.list.len() < before;
        if given_back {
            let kept = self.list.len();
            self.free.retain(|slot| (*slot as usize) < kept);
            self.free.shrink_to_fit();
            self.list.shrink_to_fit();
        }
        given_back
    }
}

fn may_be_forgotten(mark: Mark) -> bool {
    mark.is_vacant() && mark.id().generation() < FORGETTABLE
}

/// Shortens `list`; the slots that take the place of the others begin with ids that none of them had.
fn forget(list: &mut Vec<Mark>, kept: usize, first_generation: &mut u32) {
    for mark in list.drain(kept..) {
        *first_generation = mark.id().generation().max(*first_generation);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{FEW, FORGETTABLE, Mark, Marks, NO_TASK, Past};
    use crate::task::id::Id;

    const LAST: u32 = Id::GENERATIONS - 1;

    /// Marks whose first `slots` are about to use their last ids up.
    fn near_the_end(slots: u32) -> Marks {
        Marks::new(3, Past::of(3, slots, LAST - 1))
    }

    fn come(marks: &mut Marks) -> Id {
        let slot = marks.take_free().unwrap_or_else(|| marks.grow());
        let mark = marks.get_mut(slot).unwrap();
        assert!(mark.is_vacant());
        *mark = Mark::queued(mark.id());
        mark.id()
    }

    #[test]
    fn a_slot_whose_ids_are_used_up_is_retired() {
        let mut marks = near_the_end(3);
        let mut given = HashSet::new();
        for _ in 0..10 {
            let id = come(&mut marks);
            assert!(given.insert(id), "{id:?} was given twice");
            assert_eq!(id.runtime(), 3);
            assert_ne!(id.slot(), NO_TASK);
            marks.vacate(id.slot());
            assert_ne!(marks.get(id.slot()), Some(Mark::queued(id)));
        }
        let of_the_old = given.iter().filter(|id| id.slot() < 3);
        assert_eq!(of_the_old.count(), 4, "two each, then the slot is retired");
    }

    #[test]
    fn a_later_runtime_with_the_same_number_gives_none_of_the_ids_again() {
        let mut given = HashSet::new();
        let mut past = Past {
            list: vec![
                Mark::vacant(Id::new(7, 0, LAST)),
                Mark::vacant(Id::new(7, 1, LAST - 3)),
            ],
            first_generation: FORGETTABLE - 3,
        };
        for round in 0..6 {
            let mut marks = Marks::new(7, past);
            // Some end, some are there until the end.
            for number in 0..20 {
                let id = come(&mut marks);
                assert!(given.insert(id), "round {round}: {id:?} was given twice");
                if number % 3 != 0 {
                    marks.vacate(id.slot());
                }
            }
            past = marks.past();
        }
        assert_eq!(given.len(), 120);
    }

    #[test]
    fn what_is_given_back_leaves_its_ids_behind() {
        let mut marks = Marks::new(0, Past::default());
        let mut given = HashSet::new();
        for _ in 0..5 {
            let ids: Vec<_> = (0..3 * FEW).map(|_| come(&mut marks)).collect();
            assert!(ids.iter().all(|id| given.insert(*id)));
            let mut live = ids.len();
            for id in ids {
                live -= 1;
                marks.vacate(id.slot());
                marks.give_back(id.slot(), live);
            }
            assert!(marks.len() <= FEW, "{} slots are kept", marks.len());
            assert!(marks.free.capacity() <= 2 * FEW);
        }
    }

    #[test]
    fn one_who_stays_in_a_high_slot_is_waited_for_and_not_searched_for() {
        let mut marks = Marks::new(0, Past::default());
        let ids: Vec<_> = (0..4 * FEW).map(|_| come(&mut marks)).collect();
        let last = ids[ids.len() - 1];
        for id in &ids[..ids.len() - 1] {
            marks.vacate(id.slot());
            assert!(!marks.give_back(id.slot(), 1));
        }
        assert_eq!(marks.blocker, last.slot());
        marks.vacate(last.slot());
        assert!(marks.give_back(last.slot(), 0));
        assert!(!marks.are_many());
    }

    #[test]
    fn a_slot_that_has_used_half_its_ids_is_not_forgotten() {
        let mut marks = near_the_end(2 * FEW as u32);
        let id = come(&mut marks);
        marks.vacate(id.slot());
        assert!(!marks.give_back(id.slot(), 0));
        assert_eq!(marks.first_generation, 0);
    }
}
