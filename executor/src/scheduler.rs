//! The ready queue: who is to be polled next, and in which order.
//!
//! It is polled in rounds. Who is woken during a round runs in the next one, so a task that wakes
//! itself cannot keep the others waiting. A round may be interrupted by a turn of the reactor, by
//! the end of `block_on` or by a panic; what is left of it goes on later.
//!
//! The futures themselves are elsewhere (`tasks.rs`), because they are borrowed while one of them
//! is polled, and a poll may wake and spawn. What a wake needs is here: a mark for each task.

use std::mem;
use std::panic::Location;
use std::rc::Rc;

use crate::waker::TaskId;

/// The slot of the future that `block_on` drives, which the slab does not hold.
pub(crate) const ROOT: u32 = 0;

/// A mark for each task of one runtime, and the queue of those that were woken.
pub(crate) struct Scheduler {
    /// The runtime's number, a part of every id.
    runtime: u16,
    /// Indexed by slot. Place [`ROOT`] is reserved.
    marks: Vec<Mark>,
    /// Who lives there, indexed by slot: apart from the marks, because nobody asks in a hurry.
    about: Vec<About>,
    /// Slots that no task has.
    free: Vec<u32>,
    /// The next round: the slots of who was woken, in that order. An entry is a hint: it counts
    /// only if the task's `queued` mark is still set.
    queue: Vec<u32>,
    /// The round that is under way, and how far it has come.
    round: Vec<u32>,
    polled: usize,
    /// Tasks that exist.
    live: usize,
    /// Tasks made so far.
    spawned: u64,
    /// State of the generator that shuffles each round; `None` keeps the order of the wakes.
    shuffle: Option<u64>,
}

/// What a task tells about itself in dumps.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// Where `spawn` was called.
    pub(crate) from: &'static Location<'static>,
    /// The name that it was given.
    pub(crate) name: Option<Rc<str>>,
}

impl About {
    /// A task without a name, spawned by whoever called us.
    #[track_caller]
    #[inline]
    pub(crate) fn caller() -> Self {
        About {
            from: Location::caller(),
            name: None,
        }
    }
}

/// What the scheduler knows of one slot.
struct Mark {
    /// The id of whoever lives here, or of the next one; ids of the earlier ones are stale.
    id: TaskId,
    /// In the queue. Set by a wake, cleared when the task is about to be polled: two wakes before
    /// a poll are one poll, and a wake during a poll queues the task again.
    queued: bool,
}

impl Scheduler {
    pub(crate) fn new(runtime: u16, seed: Option<u64>) -> Self {
        let root = Mark {
            id: TaskId::new(runtime, ROOT, 0),
            queued: false,
        };
        Scheduler {
            runtime,
            marks: vec![root],
            about: vec![About::caller()],
            free: Vec::new(),
            queue: Vec::new(),
            round: Vec::new(),
            polled: 0,
            live: 0,
            spawned: 0,
            // Spread, so that seeds side by side differ in more than one bit; and the generator
            // below never leaves zero.
            shuffle: seed.map(|seed| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        }
    }

    /// A new future for `block_on`, woken once so that it is polled.
    pub(crate) fn new_root(&mut self) -> TaskId {
        let root = &mut self.marks[ROOT as usize];
        root.id = root.id.next_generation();
        let id = root.id;
        self.schedule(id);
        id
    }

    /// The id of a new task, woken once so that it is polled.
    pub(crate) fn new_task(&mut self, about: About) -> TaskId {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.about[slot as usize] = about;
                slot
            }
            None => self.grow(about),
        };
        self.live += 1;
        self.spawned += 1;
        let id = self.marks[slot as usize].id;
        self.schedule(id);
        id
    }

    #[cold]
    fn grow(&mut self, about: About) -> u32 {
        let slot = self.marks.len();
        assert!(slot < TaskId::MAX_SLOTS, "16 million tasks in one runtime");
        let id = TaskId::new(self.runtime, slot as u32, 0);
        self.marks.push(Mark { id, queued: false });
        self.about.push(about);
        slot as u32
    }

    /// A wake: queues the task, once. False if it is not a task of this runtime, or gone.
    #[inline]
    pub(crate) fn schedule(&mut self, id: TaskId) -> bool {
        match self.marks.get_mut(id.slot() as usize) {
            // The whole id: slot, generation and runtime.
            Some(mark) if mark.id == id => {
                if !mem::replace(&mut mark.queued, true) {
                    push(&mut self.queue, id.slot());
                }
                true
            }
            _ => false,
        }
    }

    /// The next slot of this round whose task is still woken, about to be polled; `None` when the
    /// round is over.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<u32> {
        loop {
            let slot = *self.round.get(self.polled)?;
            self.polled += 1;
            if mem::take(&mut self.marks[slot as usize].queued) {
                return Some(slot);
            }
        }
    }

    /// Who lives in a slot.
    pub(crate) fn id(&self, slot: u32) -> TaskId {
        self.marks[slot as usize].id
    }

    /// The task is over: its slot is free, its id stale.
    pub(crate) fn remove(&mut self, slot: u32) {
        let mark = &mut self.marks[slot as usize];
        mark.id = mark.id.next_generation();
        mark.queued = false;
        self.free.push(slot);
        self.live -= 1;
    }

    /// Begins the next round, of all who are woken now; false if nobody is.
    #[inline]
    pub(crate) fn begin_round(&mut self) -> bool {
        self.round.clear();
        self.polled = 0;
        mem::swap(&mut self.queue, &mut self.round);
        if let Some(state) = &mut self.shuffle {
            // Fisher and Yates, with Marsaglia's xorshift64.
            for last in (1..self.round.len()).rev() {
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                self.round.swap(last, (*state % (last as u64 + 1)) as usize);
            }
        }
        !self.round.is_empty()
    }

    /// Is nobody woken?
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.polled == self.round.len()
    }

    /// How many are in the queue, hints included.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Tasks made so far.
    pub(crate) fn spawned(&self) -> u64 {
        self.spawned
    }

    /// Everybody who exists: the id, what it tells about itself, and whether it is queued.
    pub(crate) fn each(&self) -> impl Iterator<Item = (TaskId, &About, bool)> {
        let mut vacant = vec![false; self.marks.len()];
        vacant[ROOT as usize] = true;
        for slot in &self.free {
            vacant[*slot as usize] = true;
        }
        let places = self.marks.iter().zip(&self.about).zip(vacant);
        places
            .filter(|(_, vacant)| !vacant)
            .map(|((mark, about), _)| (mark.id, about, mark.queued))
    }

    /// Tasks that exist, the future of `block_on` not counted.
    pub(crate) fn live(&self) -> usize {
        self.live
    }
}

/// `queue.push(slot)`, with the growing out of the way: nothing has to be saved for it on the hot
/// path.
#[inline]
fn push(queue: &mut Vec<u32>, slot: u32) {
    if queue.len() < queue.capacity() {
        queue.push(slot);
    } else {
        push_and_grow(queue, slot);
    }
}

#[cold]
#[inline(never)]
fn push_and_grow(queue: &mut Vec<u32>, slot: u32) {
    queue.push(slot);
}
