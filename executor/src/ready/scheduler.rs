//! The ready queue: who is to be polled next, and in which order.
//!
//! First in, first out: a task that wakes itself goes to the end, so it cannot keep the others
//! waiting. The queue may be left at any point, for a turn of the reactor, at the end of `block_on`
//! or by a panic; what is in it goes on later.
//!
//! The futures themselves are elsewhere, in the [slab](crate::task::slab), because they are borrowed
//! while one of them is polled, and a poll may wake and spawn. What a wake needs is here: a
//! [mark](crate::ready::marks) for each task.

use std::collections::HashMap;
use std::panic::Location;
use std::rc::Rc;

use reactor::{Ascending, BySpread};
use selectors_core::act;

use crate::ready::marks::{Mark, Marks, NO_TASK, Past};
use crate::ready::queue::Queue;
use crate::task::acts;
use crate::task::id::Id;

/// A mark for each task of one runtime, and the queue of those that were woken.
pub(crate) struct Scheduler {
    marks: Marks,
    /// The slot of the future that `block_on` drives, which the slab does not hold.
    root: u32,
    /// It is driven now. Between two of them nobody lives there, and nobody has the id.
    root_runs: bool,
    /// Where each was spawned, indexed by slot: apart from the marks, because only dumps ask.
    spawned_at: Vec<&'static Location<'static>>,
    /// The same, for those whose slots are beyond the list.
    spawned_far: Ascending<&'static Location<'static>>,
    /// What those who have a name are called, by slot.
    names: HashMap<u32, Rc<str>, BySpread>,
    /// Nobody has a name, and there are few slots: a task that ends leaves nothing to be looked
    /// after.
    is_plain: bool,
    /// The slots of who was woken, in that order. An entry is a hint: it counts only if the task
    /// is still marked as queued.
    queue: Queue,
    /// Tasks that exist.
    live: usize,
    /// Tasks made so far.
    spawned: u64,
}

/// What a task tells about itself in dumps.
pub(crate) struct About<'a> {
    pub(crate) id: Id,
    /// Where `spawn` was called.
    pub(crate) spawned_at: &'static Location<'static>,
    /// The name that it was given.
    pub(crate) name: Option<&'a Rc<str>>,
    pub(crate) is_queued: bool,
}

/// Who is to be polled next.
pub(crate) enum Next {
    /// The task in this slot.
    Poll(u32),
    /// The task in this slot, which is to be dropped instead.
    Abort(u32),
    /// A hint that no longer counts: that task is over, or was polled since.
    Stale,
    /// Nobody is woken.
    Nobody,
}

impl Scheduler {
    pub(crate) fn new(runtime: u16, past: Past, seed: Option<u64>) -> Self {
        let marks = Marks::new(runtime, past);
        Scheduler {
            root: NO_TASK,
            root_runs: false,
            spawned_at: vec![Location::caller(); marks.len()],
            is_plain: !marks.are_many(),
            marks,
            spawned_far: Ascending::default(),
            names: HashMap::default(),
            queue: Queue::new(seed),
            live: 0,
            spawned: 0,
        }
    }

    /// As if it had followed on `past`.
    #[cfg(test)]
    pub(crate) fn age(&mut self, runtime: u16, past: Past) {
        *self = Scheduler::new(runtime, past, None);
    }

    /// The ids that were given, for the next runtime with this number.
    pub(crate) fn past(&self) -> Past {
        self.marks.past()
    }

    /// A new future for `block_on`, woken once so that it is polled.
    pub(crate) fn new_root(&mut self) -> Id {
        while !self.marks.renew(self.root) {
            self.root = self.slot(Location::caller());
        }
        self.root_runs = true;
        let id = self.id(self.root);
        self.schedule(id);
        id
    }

    /// The future of `block_on` is over, or given up: who wakes it from now on wakes nobody.
    pub(crate) fn end_root(&mut self) {
        self.root_runs = false;
        // Where no id is left it is vacant, and the next one has another slot.
        let _ = self.marks.renew(self.root);
    }

    /// The id of a new task, woken once so that it is polled.
    #[inline]
    pub(crate) fn new_task(&mut self, spawned_at: &'static Location<'static>) -> Id {
        let slot = self.slot(spawned_at);
        self.spawned_at[slot as usize] = spawned_at;
        self.live += 1;
        self.spawned += 1;
        let mark = self.marks.near_mut(slot).expect("it was just taken");
        let id = mark.id();
        *mark = Mark::queued(id);
        act!(acts::PushedNew, self.queue.push(slot));
        id
    }

    #[inline(always)]
    fn slot(&mut self, spawned_at: &'static Location<'static>) -> u32 {
        match self.marks.take_free() {
            Some(slot) => slot,
            None => self.grow(spawned_at),
        }
    }

    #[cold]
    fn grow(&mut self, spawned_at: &'static Location<'static>) -> u32 {
        let slot = self.marks.grow();
        for near in self.spawned_at.len()..self.marks.len() {
            let known = self.spawned_far.remove(near as u64);
            self.spawned_at.push(known.unwrap_or(spawned_at));
        }
        self.is_plain &= !self.marks.are_many();
        slot
    }

    /// Gives a task its name.
    pub(crate) fn name(&mut self, id: Id, name: Rc<str>) {
        if self.is_ours(id) {
            self.names.insert(id.slot(), name);
            self.is_plain = false;
            if self.names.len() < self.names.capacity() / 8 {
                // After a burst, and here, or each program would carry it.
                self.names.shrink_to_fit();
            }
        }
    }

    /// A wake: queues the task, once. False if it is not a task of this runtime, or gone.
    #[inline]
    pub(crate) fn schedule(&mut self, id: Id) -> bool {
        match self.marks.near_mut(id.slot()) {
            // The whole id: slot, generation and runtime. And no flag.
            Some(mark) if mark.is_asleep(id) => {
                *mark = Mark::queued(id);
                act!(acts::Pushed, self.queue.push(id.slot()));
                true
            }
            Some(_) => self.is_ours(id),
            None => self.schedule_far(id),
        }
    }

    #[cold]
    #[inline(never)]
    fn schedule_far(&mut self, id: Id) -> bool {
        if let Some(mark) = self.marks.get_mut(id.slot()).filter(|it| it.is_asleep(id)) {
            *mark = Mark::queued(id);
            self.queue.push(id.slot());
        }
        self.is_ours(id)
    }

    /// The same, where it takes no more than a push; false, and nothing is done, if it is queued
    /// already, gone, far, not ours, or the queue has to grow. It calls nobody, so it saves no register.
    #[inline]
    pub(crate) fn schedule_at_once(&mut self, id: Id) -> bool {
        match self.marks.near_mut(id.slot()) {
            Some(mark) if mark.is_asleep(id) && self.queue.push_if_room(id.slot()) => {
                *mark = Mark::queued(id);
                true
            }
            _ => false,
        }
    }

    /// Is that task one of this runtime, and not gone?
    #[cold]
    #[inline(never)]
    fn is_ours(&self, id: Id) -> bool {
        let mark = self.marks.get(id.slot());
        mark.is_some_and(|mark| mark.id() == id && !mark.is_vacant())
    }

    /// The task, which has just been woken, is to be dropped where it would be polled.
    pub(crate) fn abort(&mut self, id: Id) {
        let is_ours = self.is_ours(id);
        if let Some(mark) = self.marks.get_mut(id.slot()).filter(|_| is_ours) {
            mark.abort();
        }
    }

    /// Takes the next hint out of the queue.
    #[inline]
    pub(crate) fn next(&mut self) -> Next {
        let Some(slot) = self.queue.pop() else {
            return Next::Nobody;
        };
        match self.marks.near_mut(slot) {
            Some(mark) => Self::next_of(slot, mark),
            None => self.next_far(slot),
        }
    }

    #[inline(always)]
    fn next_of(slot: u32, mark: &mut Mark) -> Next {
        match mark.to_be_polled() {
            Some(unqueued) => {
                *mark = unqueued;
                Next::Poll(slot)
            }
            None => Self::not_to_be_polled(slot, *mark),
        }
    }

    /// Gets the mark by value, so that the hot path need not load it twice.
    #[cold]
    #[inline(never)]
    fn not_to_be_polled(slot: u32, mark: Mark) -> Next {
        match mark.is_aborted() {
            true => Next::Abort(slot),
            false => Next::Stale,
        }
    }

    #[cold]
    #[inline(never)]
    fn next_far(&mut self, slot: u32) -> Next {
        // Its place may have been given back.
        let mark = self.marks.get_mut(slot);
        mark.map_or(Next::Stale, |mark| Self::next_of(slot, mark))
    }

    /// Who lives in a slot.
    pub(crate) fn id(&self, slot: u32) -> Id {
        self.marks.get(slot).expect("somebody lives there").id()
    }

    /// The task is over: its slot is free, its id stale. True if memory was given back for a burst
    /// of tasks that is over.
    #[inline(always)]
    pub(crate) fn remove(&mut self, slot: u32) -> bool {
        self.marks.vacate(slot);
        self.live -= 1;
        !self.is_plain && self.look_after(slot)
    }

    #[cold]
    #[inline(never)]
    fn look_after(&mut self, slot: u32) -> bool {
        self.names.remove(&slot);
        self.spawned_far.remove(slot.into());
        let given_back = self.marks.give_back(self.live);
        if given_back {
            let mut far = Ascending::default();
            for slot in self.marks.far() {
                far.push(slot.into(), self.spawned_at(slot));
            }
            self.spawned_far = far;
            self.spawned_at.truncate(self.marks.len());
            self.spawned_at.shrink_to_fit();
            self.queue.give_back();
        }
        self.is_plain = self.names.is_empty() && !self.marks.are_many();
        given_back
    }

    /// How many slots there are, those that are far left out.
    pub(crate) fn slots(&self) -> usize {
        self.marks.len()
    }

    /// The others, if somebody lives there.
    pub(crate) fn far_slots(&self) -> impl Iterator<Item = u32> {
        self.marks.far()
    }

    /// Is nobody woken?
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many are in the queue, hints included.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Tasks made so far.
    pub(crate) fn spawned(&self) -> u64 {
        self.spawned
    }

    /// Everybody who exists, in the order of the slots.
    pub(crate) fn each(&self) -> impl Iterator<Item = About<'_>> {
        let live = self.marks.iter().filter(|mark| !mark.is_vacant());
        live.filter(|mark| mark.id().slot() != self.root)
            .map(|mark| About {
                id: mark.id(),
                spawned_at: self.spawned_at(mark.id().slot()),
                name: self.names.get(&mark.id().slot()),
                is_queued: mark.is_queued(),
            })
    }

    fn spawned_at(&self, slot: u32) -> &'static Location<'static> {
        let near = self.spawned_at.get(slot as usize);
        near.unwrap_or_else(|| self.spawned_far.get(slot.into()).expect("it is far"))
    }

    /// Who can be woken: in the order of the slots, the future of `block_on` among them.
    pub(crate) fn everybody(&self) -> Vec<Id> {
        let marks = self.marks.iter().filter(|mark| !mark.is_vacant());
        let ids = marks.map(Mark::id);
        ids.filter(|id| self.root_runs || id.slot() != self.root)
            .collect()
    }

    /// Tasks that exist, the future of `block_on` not counted.
    pub(crate) fn live(&self) -> usize {
        self.live
    }
}
