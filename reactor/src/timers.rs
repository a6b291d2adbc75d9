//! The timers of one reactor: a heap of deadlines with lazy cancel.
//!
//! Most timers never fire: they guard a read that succeeds. So cancelling one, making the next
//! and moving a deadline back must cost stores, not heap operations:
//!
//! * a cancelled timer leaves its heap entry behind; the next timer adopts place and entry if its
//!   own deadline is not earlier, and writes nothing but that deadline and its waker;
//! * an entry that reaches the top before its timer's real deadline is pushed again, once;
//! * entries that stand for nobody are dropped when they reach the top, or all together when they
//!   are at least half of the heap when one is added or cancelled.
//!
//! Time is in nanoseconds of the reactor's clock. A deadline beyond 64 bits, 584 years, is clamped,
//! never an error.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::mem;
use std::task::Waker;

/// Fewer stale entries than this are not worth a purge.
const PURGE_FROM: usize = 64;

/// Names a timer while its owner holds it.
pub(crate) type TimerId = u32;

/// A place that is not there: there are fewer than 4 billion timers.
const NOWHERE: TimerId = TimerId::MAX;

/// Heap, timers and clock of one reactor.
pub(crate) struct Timers {
    /// Earliest deadline on top; holds stale entries too.
    heap: BinaryHeap<Entry>,
    /// The timers, indexed by [`TimerId`].
    table: Vec<Timer>,
    /// The unused place in `table` that is taken next: the one cancelled last. Each names the next;
    /// the last of them names a place that is not there.
    free: TimerId,
    /// Heap entries that stand for no waiting timer.
    stale: usize,
    /// The sequence number given last.
    sequence: u32,
}

struct Timer {
    /// When it is really due.
    deadline: u64,
    /// The deadline of its heap entry: the same or earlier.
    queued_at: u64,
    /// The sequence number of its heap entry; entries with any other are stale. Zero: none.
    entry: u32,
    /// The place that is free after this one, while this one is unused.
    next_free: TimerId,
    state: State,
}

enum State {
    /// On the free list, perhaps with an entry left in the heap.
    Unused,
    /// Somebody waits.
    Waiting(Waker),
    /// Due, and whoever waited was woken.
    Fired,
}

/// The answer of [`Timers::poll`].
pub(crate) enum Polled {
    Fired,
    /// With a waker that was replaced: to be dropped when nothing is borrowed, because its
    /// destructor is not our code.
    Waiting(Option<Waker>),
}

#[derive(PartialEq, Eq)]
struct Entry {
    deadline: u64,
    /// Order of insertion, so that equal deadlines fire in that order.
    sequence: u32,
    id: TimerId,
}

impl Ord for Entry {
    /// Reversed, because `BinaryHeap` has its greatest entry on top.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.deadline, other.sequence).cmp(&(self.deadline, self.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Timers {
    pub(crate) fn new() -> Self {
        Timers {
            heap: BinaryHeap::new(),
            table: Vec::new(),
            free: NOWHERE,
            stale: 0,
            sequence: 0,
        }
    }

    /// Timers that somebody waits for.
    pub(crate) fn len(&self) -> usize {
        self.heap.len() - self.stale
    }

    /// Shows every waker, with its deadline.
    pub(crate) fn for_each_waiter(&self, mut visit: impl FnMut(&Waker, u64)) {
        for timer in &self.table {
            if let State::Waiting(waker) = &timer.state {
                visit(waker, timer.deadline);
            }
        }
    }

    /// When to look again: the earliest deadline, or earlier if that timer was moved back.
    pub(crate) fn next_deadline(&mut self) -> Option<u64> {
        while let Some(top) = self.heap.peek() {
            let timer = &mut self.table[top.id as usize];
            if timer.entry == top.sequence {
                if let State::Waiting(_) = timer.state {
                    return Some(top.deadline);
                }
                timer.entry = 0;
            }
            self.heap.pop();
            self.stale -= 1;
        }
        None
    }

    /// A new timer; `waker` is called when `deadline` has passed.
    // Inlined into its only caller, as `cancel` is: half of what they do is to pass things on.
    #[inline(always)]
    pub(crate) fn insert(&mut self, deadline: u64, waker: Waker) -> TimerId {
        if self.free as usize >= self.table.len() {
            self.grow();
        }
        let id = self.free;
        let timer = &mut self.table[id as usize];
        self.free = timer.next_free;
        timer.deadline = deadline;
        // What was there was unused: there is no waker to be dropped.
        mem::forget(mem::replace(&mut timer.state, State::Waiting(waker)));
        if timer.entry != 0 && timer.queued_at <= deadline {
            self.stale -= 1;
        } else {
            self.push(id);
        }
        id
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let id = u32::try_from(self.table.len()).expect("fewer than 4 billion timers");
        self.table.push(Timer {
            deadline: 0,
            queued_at: 0,
            entry: 0,
            next_free: self.free,
            state: State::Unused,
        });
        self.free = id;
    }

    /// Has it fired? If not, `waker` replaces the one that was given before.
    pub(crate) fn poll(&mut self, id: TimerId, waker: &Waker) -> Polled {
        match &mut self.table[id as usize].state {
            State::Waiting(stored) if stored.will_wake(waker) => Polled::Waiting(None),
            State::Waiting(stored) => Polled::Waiting(Some(mem::replace(stored, waker.clone()))),
            State::Fired | State::Unused => Polled::Fired,
        }
    }

    /// Moves the deadline of a timer, which keeps its waker; false if it has fired already.
    pub(crate) fn reset(&mut self, id: TimerId, deadline: u64) -> bool {
        let timer = &mut self.table[id as usize];
        if !matches!(timer.state, State::Waiting(_)) {
            return false;
        }
        timer.deadline = deadline;
        if timer.queued_at > deadline {
            self.stale += 1;
            self.push(id);
        }
        true
    }

    /// The owner is gone. Returns its waker, to be dropped when nothing is borrowed.
    #[inline(always)]
    pub(crate) fn cancel(&mut self, id: TimerId) -> Option<Waker> {
        // First, while nothing is at hand that would have to be saved for it.
        self.purge_if_worth_it();
        let timer = &mut self.table[id as usize];
        timer.next_free = mem::replace(&mut self.free, id);
        match mem::replace(&mut timer.state, State::Unused) {
            State::Waiting(waker) => {
                self.stale += 1;
                Some(waker)
            }
            State::Fired | State::Unused => None,
        }
    }

    /// Hands the wakers of all timers due at `now` to `fired`, in the order of their deadlines.
    pub(crate) fn fire(&mut self, now: u64, mut fired: impl FnMut(TimerId, Waker)) {
        while self.next_deadline().is_some_and(|deadline| deadline <= now) {
            let Some(top) = self.heap.pop() else { break };
            let timer = &mut self.table[top.id as usize];
            timer.entry = 0;
            if timer.deadline > now {
                // It was moved back: this is the one time that it costs a push.
                self.push(top.id);
            } else if let State::Waiting(waker) = mem::replace(&mut timer.state, State::Fired) {
                fired(top.id, waker);
            }
        }
    }

    /// Gives a waiting timer an entry of its own; the one it had, if any, is stale from now on.
    #[inline(never)]
    fn push(&mut self, id: TimerId) {
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        let timer = &mut self.table[id as usize];
        timer.entry = self.sequence;
        timer.queued_at = timer.deadline;
        self.heap.push(Entry {
            deadline: timer.deadline,
            sequence: self.sequence,
            id,
        });
        // Last: only now does the entry that it had count as stale to `purge`.
        self.purge_if_worth_it();
    }

    #[inline(always)]
    fn purge_if_worth_it(&mut self) {
        if self.stale >= PURGE_FROM {
            self.purge();
        }
    }

    /// Drops the stale entries, if they are at least half of the heap.
    #[cold]
    #[inline(never)]
    fn purge(&mut self) {
        if self.stale * 2 < self.heap.len() {
            return;
        }
        let table = &mut self.table;
        self.heap.retain(|entry| {
            let timer = &mut table[entry.id as usize];
            let current = timer.entry == entry.sequence;
            let waits = matches!(timer.state, State::Waiting(_));
            if current && !waits {
                timer.entry = 0;
            }
            current && waits
        });
        self.stale = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::{PURGE_FROM, Timers};

    fn insert(timers: &mut Timers, deadline: u64) -> super::TimerId {
        timers.insert(deadline, Waker::noop().clone())
    }

    #[test]
    fn a_purge_drops_the_entry_of_a_timer_that_moved_forward() {
        let mut timers = Timers::new();
        let many = 2 * PURGE_FROM as u64;
        let ids: Vec<_> = (1..=many)
            .map(|at| insert(&mut timers, 1000 * at))
            .collect();
        for id in &ids[1..] {
            drop(timers.cancel(*id));
        }
        assert!(timers.reset(ids[0], 10));
        assert_eq!((timers.len(), timers.heap.len()), (1, 1));
        let mut fired = Vec::new();
        timers.fire(u64::MAX, |id, _| fired.push(id));
        assert_eq!((fired, timers.len()), (vec![ids[0]], 0));
    }

    #[test]
    fn cancelling_them_all_empties_the_heap_before_anybody_looks() {
        let mut timers = Timers::new();
        let many = 100 * PURGE_FROM as u64;
        let ids: Vec<_> = (1..=many).map(|at| insert(&mut timers, at)).collect();
        for id in &ids[1..] {
            drop(timers.cancel(*id));
        }
        assert!(timers.heap.len() <= 2 * PURGE_FROM, "{}", timers.heap.len());
        assert_eq!((timers.len(), timers.next_deadline()), (1, Some(1)));
    }

    #[test]
    fn cancelled_timers_do_not_fill_the_heap() {
        let mut timers = Timers::new();
        for round in 0..100_u64 {
            // Earlier each time, so that none adopts the entry of another.
            let ids: Vec<_> = (0..100)
                .map(|at| insert(&mut timers, 1_000_000 - 1000 * round - at))
                .collect();
            for id in ids {
                drop(timers.cancel(id));
            }
        }
        assert_eq!(timers.len(), 0);
        assert!(timers.heap.len() <= 400, "{}", timers.heap.len());
        assert_eq!(timers.table.len(), 100, "places are used again");
    }
}
