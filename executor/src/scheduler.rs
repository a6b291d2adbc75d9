//! The ready queue: who is to be polled next, and in which order.
//!
//! First in, first out: a task that wakes itself goes to the end, so it cannot keep the others
//! waiting. The queue may be left at any point, for a turn of the reactor, at the end of `block_on`
//! or by a panic; what is in it goes on later.
//!
//! The futures themselves are elsewhere (`tasks.rs`), because they are borrowed while one of them
//! is polled, and a poll may wake and spawn. What a wake needs is here: a mark for each task.

use std::collections::BTreeMap;
use std::panic::Location;
use std::rc::Rc;

use crate::queue::Queue;
use crate::waker::TaskId;

/// The slot of the future that `block_on` drives, which the slab does not hold.
pub(crate) const ROOT: u32 = 0;

/// A mark for each task of one runtime, and the queue of those that were woken.
pub(crate) struct Scheduler {
    /// The runtime's number, a part of every id.
    runtime: u16,
    /// Indexed by slot. Place [`ROOT`] is reserved.
    marks: Vec<Mark>,
    /// Where each was spawned, indexed by slot: apart from the marks, because only dumps ask.
    spawned_at: Vec<&'static Location<'static>>,
    /// What those who have a name are called, by slot.
    names: BTreeMap<u32, Rc<str>>,
    /// Slots that no task has.
    free: Vec<u32>,
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
    pub(crate) id: TaskId,
    /// Where `spawn` was called.
    pub(crate) spawned_at: &'static Location<'static>,
    /// The name that it was given.
    pub(crate) name: Option<&'a Rc<str>>,
    pub(crate) is_queued: bool,
}

/// What the scheduler knows of one slot, in one word: the id of whoever lives here, or of the next
/// one (ids of the earlier ones are stale), with the flags in the bits that no id has. So a wake
/// asks with one comparison whether there is anything to be done.
#[derive(Clone, Copy)]
struct Mark(u64);

impl Mark {
    /// In the queue. Set by a wake, cleared when the task is about to be polled: two wakes before
    /// a poll are one poll, and a wake during a poll queues the task again.
    const QUEUED: u64 = TaskId::SPARE[0];
    /// To be dropped instead of polled.
    const ABORTED: u64 = TaskId::SPARE[1];

    /// Of `id`, which has been woken. Written as a whole, not by setting the flag: the compiler would
    /// set it in its byte, and the CPU makes whoever reads all eight soon after a store of one wait
    /// until that store is done.
    fn queued(id: TaskId) -> Self {
        Mark(id.bits() | Self::QUEUED)
    }

    fn id(self) -> TaskId {
        TaskId::from_bits(self.0 & !(Self::QUEUED | Self::ABORTED))
    }
}

/// Who is to be polled next.
pub(crate) enum Next {
    /// The task in this slot.
    Poll(u32),
    /// The task in this slot, which is to be dropped instead.
    Abort(u32),
    /// Nobody is woken.
    Nobody,
}

impl Scheduler {
    pub(crate) fn new(runtime: u16, seed: Option<u64>) -> Self {
        let root = Mark(TaskId::new(runtime, ROOT, 0).bits());
        Scheduler {
            runtime,
            marks: vec![root],
            spawned_at: vec![Location::caller()],
            names: BTreeMap::new(),
            free: Vec::new(),
            queue: Queue::new(seed),
            live: 0,
            spawned: 0,
        }
    }

    /// A new future for `block_on`, woken once so that it is polled.
    pub(crate) fn new_root(&mut self) -> TaskId {
        let root = &mut self.marks[ROOT as usize];
        let id = root.id().next_generation();
        *root = Mark(id.bits());
        self.schedule(id);
        id
    }

    /// The id of a new task, woken once so that it is polled.
    #[inline]
    pub(crate) fn new_task(&mut self, spawned_at: &'static Location<'static>) -> TaskId {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow(spawned_at),
        };
        self.spawned_at[slot as usize] = spawned_at;
        self.live += 1;
        self.spawned += 1;
        let mark = &mut self.marks[slot as usize];
        let id = mark.id();
        *mark = Mark::queued(id);
        self.queue.push(slot);
        id
    }

    #[cold]
    fn grow(&mut self, spawned_at: &'static Location<'static>) -> u32 {
        let slot = self.marks.len();
        assert!(slot < TaskId::MAX_SLOTS, "16 million tasks in one runtime");
        let id = TaskId::new(self.runtime, slot as u32, 0);
        self.marks.push(Mark(id.bits()));
        self.spawned_at.push(spawned_at);
        slot as u32
    }

    /// Gives a task its name.
    pub(crate) fn name(&mut self, id: TaskId, name: Rc<str>) {
        if self.is_ours(id) {
            self.names.insert(id.slot(), name);
        }
    }

    /// A wake: queues the task, once. False if it is not a task of this runtime, or gone.
    #[inline]
    pub(crate) fn schedule(&mut self, id: TaskId) -> bool {
        match self.marks.get_mut(id.slot() as usize) {
            // The whole id: slot, generation and runtime. And no flag.
            Some(mark) if mark.0 == id.bits() => {
                *mark = Mark::queued(id);
                self.queue.push(id.slot());
                true
            }
            _ => self.is_ours(id),
        }
    }

    /// The same, where it takes no more than a push; false, and nothing is done, if it is queued
    /// already, gone, not ours, or the queue has to grow. It calls nobody, so it saves no register.
    #[inline]
    pub(crate) fn schedule_at_once(&mut self, id: TaskId) -> bool {
        match self.marks.get_mut(id.slot() as usize) {
            Some(mark) if mark.0 == id.bits() && self.queue.push_if_room(id.slot()) => {
                *mark = Mark::queued(id);
                true
            }
            _ => false,
        }
    }

    /// Is that task one of this runtime, and not gone?
    #[cold]
    #[inline(never)]
    fn is_ours(&self, id: TaskId) -> bool {
        let mark = self.marks.get(id.slot() as usize);
        mark.is_some_and(|mark| mark.id() == id)
    }

    /// The task, which has just been woken, is to be dropped where it would be polled.
    pub(crate) fn abort(&mut self, id: TaskId) {
        if self.is_ours(id) {
            self.marks[id.slot() as usize].0 |= Mark::ABORTED;
        }
    }

    /// Takes the next slot whose task is still woken out of the queue.
    #[inline]
    pub(crate) fn next(&mut self) -> Next {
        let Some(slot) = self.queue.pop() else {
            return Next::Nobody;
        };
        let mark = &mut self.marks[slot as usize];
        let unqueued = mark.0 ^ Mark::QUEUED;
        if unqueued & (Mark::QUEUED | Mark::ABORTED) == 0 {
            mark.0 = unqueued;
            return Next::Poll(slot);
        }
        self.next_unusual(slot)
    }

    /// The task in `slot` was aborted; or it is over, and nobody new was woken there.
    #[cold]
    #[inline(never)]
    fn next_unusual(&mut self, slot: u32) -> Next {
        if self.marks[slot as usize].0 & Mark::ABORTED != 0 {
            return Next::Abort(slot);
        }
        self.next()
    }

    /// Who lives in a slot.
    pub(crate) fn id(&self, slot: u32) -> TaskId {
        self.marks[slot as usize].id()
    }

    /// The task is over: its slot is free, its id stale.
    #[inline(always)]
    pub(crate) fn remove(&mut self, slot: u32) {
        self.marks[slot as usize] = Mark(self.id(slot).next_generation().bits());
        if !self.names.is_empty() {
            self.names.remove(&slot);
        }
        self.free.push(slot);
        self.live -= 1;
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
        let mut vacant = vec![false; self.marks.len()];
        vacant[ROOT as usize] = true;
        for slot in &self.free {
            vacant[*slot as usize] = true;
        }
        let places = self.marks.iter().zip(&self.spawned_at).zip(vacant);
        places
            .filter(|(_, vacant)| !vacant)
            .map(|((mark, spawned_at), _)| About {
                id: mark.id(),
                spawned_at,
                name: self.names.get(&mark.id().slot()),
                is_queued: mark.0 & Mark::QUEUED != 0,
            })
    }

    /// Tasks that exist, the future of `block_on` not counted.
    pub(crate) fn live(&self) -> usize {
        self.live
    }
}
