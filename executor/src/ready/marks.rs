//! Who lives in which slot: a mark for each, with the id that nobody else has had or will have.
//!
//! Ids are never given twice, also not to the tasks of a later runtime with the same number: its
//! slots go on where the ids of the one before it ended. So a slot whose ids are used up is retired,
//! and a table that is given back after a burst leaves behind the generation that comes next.

use std::mem;

use reactor::Ascending;

use crate::task::id::Id;

/// The slot of the first future of `block_on`. No task ever lives here.
pub(crate) const NO_TASK: u32 = 0;

/// A table of that length, or shorter, is kept however few live in it.
const FEW: usize = 4096;

/// Part of the list stays if more than one in that many of its slots cannot be forgotten: what it
/// takes is then less than what the tasks themselves do.
const IN_THE_WAY: usize = 8;

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

    /// Of who was woken, and is to be polled, without the flag; `None` of everybody else.
    #[inline]
    pub(crate) fn to_be_polled(self) -> Option<Self> {
        // Where that flag is not set it is borrowed from the other one, so one test tells.
        let unqueued = self.0.wrapping_sub(Self::QUEUED);
        (unqueued & Self::FLAGS == 0).then_some(Mark(unqueued))
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

    /// By what it is found beyond the list.
    fn place(self) -> u64 {
        self.id().slot().into()
    }

    /// After whoever lives here: vacant, with the next id, or the last if there is none.
    fn left(self) -> Self {
        let id = self.id();
        Self::vacant(id.next_generation().unwrap_or(id))
    }

    fn may_be_forgotten(self) -> bool {
        self.is_vacant() && self.id().generation() < FORGETTABLE
    }

    /// Forgets a slot, if that may be: whatever takes its place begins with an id that it has not had.
    fn forget(self, first_generation: &mut u32) -> bool {
        let may_be = self.may_be_forgotten();
        if may_be {
            *first_generation = self.id().generation().max(*first_generation);
        }
        may_be
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
    /// Those beyond the list that cannot be forgotten: they were in a part that was given back.
    far: Ascending<Mark>,
    /// The generation with which a slot begins that is in neither.
    first_generation: u32,
    /// Too many were in the way when part of the list was to be given back: the next search is when
    /// no more live than that.
    search_at: usize,
}

/// The ids that runtimes with one number have had.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// The next of each slot, or the last if there is none, as vacant marks.
    list: Vec<Mark>,
    far: Ascending<Mark>,
    first_generation: u32,
}

#[cfg(test)]
impl Past {
    /// As if the first `slots` came to this generation next.
    pub(crate) fn of(runtime: u16, slots: u32, generation: u32) -> Self {
        let vacant = |slot| Mark::vacant(Id::new(runtime, slot, generation));
        Past {
            list: (0..slots).map(vacant).collect(),
            ..Past::default()
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
            far: past.far,
            first_generation: past.first_generation,
            search_at: usize::MAX,
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
            list: self.list.iter().map(|mark| mark.left()).collect(),
            far: Ascending::default(),
            first_generation: self.first_generation,
        };
        for mark in self.far.iter().map(|mark| mark.left()) {
            if !mark.forget(&mut past.first_generation) {
                past.far.push(mark.place(), mark);
            }
        }
        while let Some(mark) = past.list.last() {
            if !mark.forget(&mut past.first_generation) {
                break;
            }
            past.list.pop();
        }
        past
    }

    /// How many slots the list has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// May there be anything to be given back, or somebody who is far?
    pub(crate) fn are_many(&self) -> bool {
        self.list.len() > FEW || !self.far.is_empty()
    }

    pub(crate) fn get(&self, slot: u32) -> Option<Mark> {
        let far = || self.far.get(slot.into());
        self.list.get(slot as usize).or_else(far).copied()
    }

    /// The mark of a slot, if the list has it.
    #[inline]
    pub(crate) fn near_mut(&mut self, slot: u32) -> Option<&mut Mark> {
        self.list.get_mut(slot as usize)
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Mark> {
        match self.list.get_mut(slot as usize) {
            None => self.far.get_mut(slot.into()),
            near => near,
        }
    }

    /// Of all slots, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Mark> {
        self.list.iter().chain(self.far.iter()).copied()
    }

    /// The slots beyond the list in which somebody lives.
    pub(crate) fn far(&self) -> impl Iterator<Item = u32> {
        let live = self.far.iter().filter(|mark| !mark.is_vacant());
        live.map(|mark| mark.id().slot())
    }

    /// A vacant slot from those that are there.
    #[inline]
    pub(crate) fn take_free(&mut self) -> Option<u32> {
        self.free.pop()
    }

    /// One more slot that is vacant. Those who were far come near when the list reaches them.
    #[cold]
    pub(crate) fn grow(&mut self) -> u32 {
        self.search_at = usize::MAX;
        loop {
            let slot = self.list.len();
            assert!(slot < Id::MAX_SLOTS, "16 million tasks in one runtime");
            let known = self.far.remove(slot as u64);
            let mark = known.unwrap_or_else(|| {
                Mark::vacant(Id::new(self.runtime, slot as u32, self.first_generation))
            });
            self.list.push(mark);
            if mark.is_vacant() && (known.is_none() || mark.id().next_generation().is_some()) {
                return slot as u32;
            }
        }
    }

    /// Nobody lives in `slot` any more; the next one will have the next id.
    #[inline(always)]
    pub(crate) fn vacate(&mut self, slot: u32) {
        let Some(mark) = self.list.get_mut(slot as usize) else {
            return self.vacate_far(slot);
        };
        // The flags are far below what is added.
        match Id::from_bits(mark.0).next_generation() {
            Some(next) => {
                *mark = Mark::vacant(Mark(next.bits()).id());
                self.free.push(slot);
            }
            // Retired: it is vacant, and not free.
            None => *mark = Mark::vacant(mark.id()),
        }
    }

    #[cold]
    fn vacate_far(&mut self, slot: u32) {
        let mark = self.far.get_mut(slot.into());
        let mark = mark.expect("somebody lived there");
        *mark = mark.left();
        if mark.forget(&mut self.first_generation) {
            self.far.remove(slot.into());
        }
    }

    /// The next future in a slot that goes from one to the next without being free; false if there
    /// is no id left, and the slot is retired.
    pub(crate) fn renew(&mut self, slot: u32) -> bool {
        let mark = self.get_mut(slot).expect("somebody lived there");
        let next = mark.id().next_generation();
        *mark = next.map_or(Mark::vacant(mark.id()), |next| Mark(next.bits()));
        next.is_some()
    }

    /// Gives memory back if few are left of many, after one has ended. True if it did.
    ///
    /// The upper half of the list goes when nearly nobody lives there; those few are far from then on,
    /// until the list reaches their slots again. Where there are more, the search is not repeated
    /// before some have ended.
    pub(crate) fn give_back(&mut self, live: usize) -> bool {
        if live > self.search_at {
            return false;
        }
        self.search_at = usize::MAX;
        let before = self.list.len();
        while self.list.len() > FEW && live < self.list.len() / 4 {
            let half = self.list.len() / 2;
            let most = half / IN_THE_WAY;
            let upper = self.list[half..].iter();
            let in_the_way = upper.filter(|mark| !mark.may_be_forgotten()).count();
            if in_the_way > most {
                let ends = (in_the_way - most).max(most / 4);
                self.search_at = live.saturating_sub(ends);
                break;
            }
            // All are before those who are far already.
            let farther = mem::take(&mut self.far);
            for mark in self.list.drain(half..) {
                if !mark.forget(&mut self.first_generation) {
                    self.far.push(mark.place(), mark);
                }
            }
            self.far.append(farther);
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
            ..Past::default()
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
                marks.give_back(live);
            }
            assert!(marks.len() <= FEW, "{} slots are kept", marks.len());
            assert!(marks.free.capacity() <= 2 * FEW);
        }
    }

    #[test]
    fn one_who_stays_in_a_high_slot_keeps_its_mark_and_no_more() {
        let mut marks = Marks::new(0, Past::default());
        let ids: Vec<_> = (0..4 * FEW).map(|_| come(&mut marks)).collect();
        let last = ids[ids.len() - 1];
        for (ended, id) in ids[..ids.len() - 1].iter().enumerate() {
            marks.vacate(id.slot());
            marks.give_back(ids.len() - 1 - ended);
        }
        assert!(marks.len() <= FEW);
        assert_eq!(marks.far().collect::<Vec<_>>(), [last.slot()]);
        assert_eq!(marks.get(last.slot()), Some(Mark::queued(last)));
        // Those who come now take other slots, and other ids.
        let mut given: HashSet<_> = ids.iter().copied().collect();
        for _ in 0..4 * FEW + 7 {
            assert!(given.insert(come(&mut marks)));
        }
        assert_eq!(marks.far().count(), 0, "the list has reached it");
        assert_eq!(marks.get(last.slot()), Some(Mark::queued(last)));
    }

    #[test]
    fn one_who_is_far_and_ends_leaves_its_ids_behind() {
        let mut marks = Marks::new(0, Past::default());
        let ids: Vec<_> = (0..4 * FEW).map(|_| come(&mut marks)).collect();
        let (last, others) = ids.split_last().unwrap();
        others.iter().for_each(|id| marks.vacate(id.slot()));
        assert!(marks.give_back(1));
        marks.vacate(last.slot());
        assert!(marks.far.is_empty());
        assert!(!marks.are_many());
        let mut given: HashSet<_> = ids.iter().copied().collect();
        assert!((0..4 * FEW).all(|_| given.insert(come(&mut marks))));
    }

    #[test]
    fn those_who_are_far_are_known_to_the_next_runtime() {
        let mut marks = Marks::new(3, Past::of(3, 2 * FEW as u32, FORGETTABLE));
        let id = come(&mut marks);
        marks.vacate(id.slot());
        let last = marks.get(2 * FEW as u32 - 1).unwrap();
        let far = Mark::vacant(Id::new(3, 9 * FEW as u32, LAST));
        marks.far.push(far.place(), far);
        let past = marks.past();
        let later = Marks::new(3, past);
        assert_eq!(
            later.get(last.id().slot()).unwrap().id().generation(),
            FORGETTABLE + 1
        );
        let far = later.get(9 * FEW as u32).unwrap();
        assert_eq!(far.id().generation(), LAST);
    }

    #[test]
    fn where_many_stay_the_search_is_not_repeated_before_some_have_ended() {
        let mut marks = Marks::new(0, Past::default());
        let ids: Vec<_> = (0..8 * FEW).map(|_| come(&mut marks)).collect();
        let most = 4 * FEW / super::IN_THE_WAY;
        let (ended, stay) = ids.split_at(ids.len() - most - 1);
        ended.iter().for_each(|id| marks.vacate(id.slot()));
        assert!(!marks.give_back(stay.len()));
        assert!(marks.search_at < stay.len() && marks.search_at >= stay.len() - most);
        let (ended, stay) = stay.split_at(most / 2);
        ended.iter().for_each(|id| marks.vacate(id.slot()));
        assert!(marks.give_back(stay.len()));
        assert_eq!(marks.far().count(), stay.len());
    }

    #[test]
    fn slots_that_have_used_half_their_ids_are_not_forgotten() {
        let mut marks = near_the_end(2 * FEW as u32);
        let id = come(&mut marks);
        marks.vacate(id.slot());
        assert!(!marks.give_back(0));
        assert_eq!(marks.first_generation, 0);
    }
}
