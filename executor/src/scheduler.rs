//! Tasks and the ready queue: who exists, who is to be polled next, and in which order.

use std::future::Future;
use std::mem;
use std::pin::Pin;

use crate::waker::TaskId;

/// A spawned future with its header; see [`Task`](crate::task::Task).
pub(crate) type Job = Pin<Box<dyn Future<Output = ()>>>;

/// The slot of the future that `block_on` drives, which no `Job` owns.
pub(crate) const ROOT: u32 = 0;

/// All tasks of one runtime, in a slab, and the queue of those that were woken.
pub(crate) struct Scheduler {
    /// The runtime's number, a part of every id.
    runtime: u16,
    /// The slab. Place [`ROOT`] is reserved.
    tasks: Vec<Entry>,
    /// Vacant places of the slab.
    free: Vec<u32>,
    /// The slots of this round, in the order in which they were woken. An entry is a hint: it
    /// counts only if the task's `queued` flag is still set.
    round: Vec<u32>,
    /// How far the round has come.
    done: usize,
    /// The next round: who was woken while this one ran.
    queue: Vec<u32>,
    /// Tasks that exist.
    live: usize,
}

/// One place of the slab.
struct Entry {
    /// `None` while vacant, and while it is being polled.
    job: Option<Job>,
    /// Counts the tasks that lived here; ids of the earlier ones are stale.
    generation: u32,
    /// In the queue. Set by a wake, cleared when the task is taken out to be polled: two wakes
    /// before a poll are one poll, and a wake during a poll queues the task again.
    queued: bool,
}

/// What stands at the head of the queue.
pub(crate) enum Next {
    /// The future of `block_on`.
    Root,
    /// A task, taken out of its place until it is [put back](Scheduler::put_back).
    Task(TaskId, Job),
    /// A hint that nobody needs any more.
    Nobody,
}

impl Scheduler {
    pub(crate) fn new(runtime: u16) -> Self {
        let root = Entry {
            job: None,
            generation: 0,
            queued: false,
        };
        Scheduler {
            runtime,
            tasks: vec![root],
            free: Vec::new(),
            round: Vec::new(),
            done: 0,
            queue: Vec::new(),
            live: 0,
        }
    }

    /// A new future for `block_on`, woken once so that it is polled.
    pub(crate) fn new_root(&mut self) -> TaskId {
        let root = &mut self.tasks[ROOT as usize];
        root.generation = root.generation.wrapping_add(1);
        root.queued = true;
        let id = TaskId::new(self.runtime, ROOT, root.generation);
        self.queue.push(ROOT);
        id
    }

    /// Reserves a place; `make` receives the id of the task that it is to make.
    pub(crate) fn insert(&mut self, make: impl FnOnce(TaskId) -> Job) {
        let slot = self.free.pop().unwrap_or_else(|| {
            assert!(
                self.tasks.len() < TaskId::MAX_SLOTS,
                "16 million tasks in one runtime"
            );
            self.tasks.push(Entry {
                job: None,
                generation: 0,
                queued: false,
            });
            (self.tasks.len() - 1) as u32
        });
        let entry = &mut self.tasks[slot as usize];
        entry.job = Some(make(TaskId::new(self.runtime, slot, entry.generation)));
        entry.queued = true;
        self.queue.push(slot);
        self.live += 1;
    }

    /// A wake: queues the task, once, unless it is gone.
    #[inline]
    pub(crate) fn schedule(&mut self, id: TaskId) {
        if let Some(entry) = self.tasks.get_mut(id.slot() as usize) {
            if id.is_generation(entry.generation) && !entry.queued {
                entry.queued = true;
                self.queue.push(id.slot());
            }
        }
    }

    /// Takes the next of this round; `None` when the round is over.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Next> {
        let slot = *self.round.get(self.done)?;
        self.done += 1;
        let entry = &mut self.tasks[slot as usize];
        if !mem::take(&mut entry.queued) {
            return Some(Next::Nobody);
        }
        Some(match entry.job.take() {
            Some(job) => Next::Task(TaskId::new(self.runtime, slot, entry.generation), job),
            None if slot == ROOT => Next::Root,
            None => Next::Nobody,
        })
    }

    /// Begins the next round if this one is over; false if nobody is ready.
    #[inline]
    pub(crate) fn begin_round(&mut self) -> bool {
        if self.done == self.round.len() {
            self.round.clear();
            self.done = 0;
            mem::swap(&mut self.round, &mut self.queue);
        }
        !self.round.is_empty()
    }

    /// The task is still pending.
    #[inline]
    pub(crate) fn put_back(&mut self, id: TaskId, job: Job) {
        self.tasks[id.slot() as usize].job = Some(job);
    }

    /// The task is done: its place is vacant, its id stale.
    #[inline]
    pub(crate) fn remove(&mut self, id: TaskId) {
        self.vacate(id.slot());
    }

    /// Takes the first task from place `from` on out for good, and says where to look for the
    /// next one; `None` if there is none.
    pub(crate) fn evict(&mut self, from: usize) -> Option<(Job, usize)> {
        let (at, job) = (from..self.tasks.len())
            .find_map(|at| self.tasks[at].job.take().map(|job| (at, job)))?;
        self.vacate(at as u32);
        Some((job, at + 1))
    }

    fn vacate(&mut self, slot: u32) {
        let entry = &mut self.tasks[slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.queued = false;
        self.free.push(slot);
        self.live -= 1;
    }

    /// Is nobody ready?
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.done == self.round.len()
    }

    /// Tasks that exist.
    pub(crate) fn live(&self) -> usize {
        self.live
    }
}
