//! The ready queue: who is to be polled next, and in which order.
//!
//! The futures themselves are elsewhere (`tasks.rs`), because they are borrowed while one of them
//! is polled, and a poll may wake and spawn. What a wake needs is here: a mark for each task.

use std::mem;

use crate::waker::TaskId;

/// The slot of the future that `block_on` drives, which the slab does not hold.
pub(crate) const ROOT: u32 = 0;

/// A mark for each task of one runtime, and the queue of those that were woken.
pub(crate) struct Scheduler {
    /// The runtime's number, a part of every id.
    runtime: u16,
    /// Indexed by slot. Place [`ROOT`] is reserved.
    marks: Vec<Mark>,
    /// Slots that no task has.
    free: Vec<u32>,
    /// The next round: the slots of who was woken, in that order. An entry is a hint: it counts
    /// only if the task's `queued` mark is still set.
    queue: Vec<u32>,
    /// Tasks that exist.
    live: usize,
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
    pub(crate) fn new(runtime: u16) -> Self {
        let root = Mark {
            id: TaskId::new(runtime, ROOT, 0),
            queued: false,
        };
        Scheduler {
            runtime,
            marks: vec![root],
            free: Vec::new(),
            queue: Vec::new(),
            live: 0,
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
    pub(crate) fn new_task(&mut self) -> TaskId {
        let slot = self.free.pop().unwrap_or_else(|| {
            let slot = self.marks.len();
            assert!(slot < TaskId::MAX_SLOTS, "16 million tasks in one runtime");
            let id = TaskId::new(self.runtime, slot as u32, 0);
            self.marks.push(Mark { id, queued: false });
            slot as u32
        });
        self.live += 1;
        let id = self.marks[slot as usize].id;
        self.schedule(id);
        id
    }

    /// A wake: queues the task, once, unless it is gone.
    #[inline]
    pub(crate) fn schedule(&mut self, id: TaskId) {
        if let Some(mark) = self.marks.get_mut(id.slot() as usize) {
            if mark.id == id && !mem::replace(&mut mark.queued, true) {
                self.queue.push(id.slot());
            }
        }
    }

    /// The task in `slot` is about to be polled: its id, or `None` if nobody woke it.
    #[inline]
    pub(crate) fn begin_poll(&mut self, slot: u32) -> Option<TaskId> {
        let mark = &mut self.marks[slot as usize];
        mem::take(&mut mark.queued).then_some(mark.id)
    }

    /// The task is over: its slot is free, its id stale.
    pub(crate) fn remove(&mut self, id: TaskId) {
        let mark = &mut self.marks[id.slot() as usize];
        mark.id = id.next_generation();
        mark.queued = false;
        self.free.push(id.slot());
        self.live -= 1;
    }

    /// Exchanges the queue for `empty`.
    #[inline]
    pub(crate) fn take_queue(&mut self, empty: &mut Vec<u32>) {
        mem::swap(&mut self.queue, empty);
    }

    /// Is nobody woken?
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Tasks that exist, the future of `block_on` not counted.
    pub(crate) fn live(&self) -> usize {
        self.live
    }
}
