//! Deadlines in order, without the work of ordering those that are far away: most of them never come.
//!
//! ```text
//!             now                                                                       time -->
//!   near       | 3 5 6 8 |                        sorted, 64 at most; the earliest is taken
//!   far                  | 14 11 12 | 31 19 27 24 17 | 90 47 66 52 71 83 40 35 |
//!                        ^ runs: each is later than the one before; within a run, no order
//! ```
//!
//! * A deadline that is later than where `far` begins is added at the end of its run. The other runs make
//!   room, each by moving its first to its end; nearly always it is the last run, and none has to.
//! * When `near` is empty, the first run is divided by a deadline of its own, again and again, until
//!   the earlier part is short enough to be sorted, and is `near`. That is quicksort, put off until
//!   somebody asks.
//! * A run whose deadlines came in order, as those of equal timeouts do, is known to be sorted, and
//!   is never divided: the next few are taken from its beginning.
//! * When `near` grows too long, its later half goes back as a run of its own. Where runs are no longer
//!   than the one before, or too many, neighbours become one, so that there are few, whatever comes.
//!
//! So each deadline is moved about as often as a heap would move it, but by passes over memory that
//! lies in a row: a heap of a million misses the caches at each step.

use crate::timers::timer::TimerId;

/// So many are sorted at a time.
const NEAR: usize = 32;

/// So many runs are too many: a million in no order are divided into half of them.
const RUNS: usize = 64;

/// Room for so many, 48 KiB, is kept.
const KEEP: usize = 2048;

/// A deadline, and whose it was when it was queued.
#[derive(Clone, Copy)]
pub(super) struct Queued {
    pub(super) deadline: u64,
    /// Names the entry, and orders those of one deadline.
    pub(super) sequence: u64,
    pub(super) id: TimerId,
}

impl Queued {
    /// What it is ordered by: no two entries have the same.
    fn key(&self) -> u128 {
        u128::from(self.deadline) << 64 | u128::from(self.sequence)
    }
}

/// The entries of all timers, in the order of their deadlines.
#[derive(Default)]
pub(super) struct Queue {
    /// The earliest ones, the earliest last. Empty only if there are no others.
    near: Vec<Queued>,
    /// The others, run by run, behind some that are gone.
    far: Vec<Queued>,
    /// Where they begin, the last one first.
    runs: Vec<Run>,
}

#[derive(Clone, Copy)]
struct Run {
    /// No entry of this run or a later one is before it, and each of an earlier one is.
    from: u128,
    /// Its place in `far`; it ends where the next begins.
    start: usize,
    /// Are its entries known to be in order?
    sorted: bool,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.near.len() + self.far.len() - self.gone()
    }

    /// The earliest one.
    pub(super) fn first(&self) -> Option<&Queued> {
        self.near.last()
    }

    /// Takes the earliest one out.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        let first = self.near.pop();
        if self.near.is_empty() {
            self.refill();
        }
        first
    }

    pub(super) fn push(&mut self, entry: Queued) {
        let key = entry.key();
        if self.runs.last().is_some_and(|run| run.from <= key) {
            self.push_far(entry);
        } else {
            self.put_near(entry);
            if self.near.len() > 2 * NEAR {
                self.spill();
            }
        }
    }

    fn put_near(&mut self, entry: Queued) {
        let later = self.near.partition_point(|other| other.key() > entry.key());
        self.near.insert(later, entry);
    }

    /// Adds an entry to the run that it belongs to.
    fn push_far(&mut self, entry: Queued) {
        let mut at = self.far.len();
        self.far.push(entry);
        for run in &mut self.runs {
            if run.from <= entry.key() {
                run.sorted &= at == run.start || self.far[at - 1].key() < entry.key();
                break;
            }
            self.far.swap(at, run.start);
            at = run.start;
            run.start += 1;
            run.sorted = false;
        }
    }

    /// The later half of those that are near becomes a run.
    #[cold]
    fn spill(&mut self) {
        self.runs.push(Run {
            from: self.near[NEAR - 1].key(),
            start: self.gone(),
            sorted: true,
        });
        for at in (0..NEAR).rev() {
            self.push_far(self.near[at]);
        }
        self.near.drain(..NEAR);
        while let [.., later, first] = &self.runs[..] {
            let end = self.end_of(self.runs.len() - 2);
            if end - later.start > later.start - first.start {
                break;
            }
            let later = self.runs.remove(self.runs.len() - 2);
            if let Some(first) = self.runs.last_mut() {
                first.sorted &= later.sorted;
            }
        }
        if self.runs.len() > RUNS {
            self.join();
        }
    }

    /// Each run becomes one with the one before unless it is twice as long: then few are left, and those that
    /// fall due first are short, as they were.
    #[cold]
    fn join(&mut self) {
        let mut joined: Vec<Run> = Vec::with_capacity(RUNS);
        for at in (0..self.runs.len()).rev() {
            let (run, end) = (self.runs[at], self.end_of(at));
            match joined.last_mut() {
                Some(before) if end - run.start < 2 * (run.start - before.start) => {
                    before.sorted &= run.sorted;
                }
                _ => joined.push(run),
            }
        }
        joined.reverse();
        self.runs = joined;
    }

    /// If none is near, the earliest of the others are.
    #[cold]
    fn refill(&mut self) {
        while self.near.is_empty() {
            let Some(run) = self.runs.pop() else { break };
            let end = self.end_of(self.runs.len());
            if run.sorted || end - run.start <= NEAR {
                let next = end.min(run.start + NEAR);
                // The last one first, so that those in order are pushed. So few sort themselves no faster.
                for at in (run.start..next).rev() {
                    self.put_near(self.far[at]);
                }
                if next < end {
                    let from = self.far[next].key();
                    self.runs.push(Run {
                        from,
                        start: next,
                        ..run
                    });
                }
                self.forget_those_that_are_gone();
            } else {
                let (from, before) = divide(&mut self.far[run.start..end]);
                let start = run.start + before;
                self.runs.push(Run { from, start, ..run });
                self.runs.push(run);
            }
        }
    }

    /// Drops all entries but those that are wanted.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(&Queued) -> bool) {
        self.near.retain(&mut wanted);
        self.far.drain(..self.gone());
        self.far.retain(wanted);
        // They are one run from now on.
        let sorted = self.runs.iter().all(|run| run.sorted);
        if let Some(first) = self.runs.pop() {
            self.runs.clear();
            self.runs.push(Run {
                start: 0,
                sorted,
                ..first
            });
        }
        if self.near.is_empty() {
            self.refill();
        }
    }

    /// After a crowd, its memory is given back. So much less is left that making room for the next
    /// crowd costs each of its timers next to nothing.
    pub(super) fn give_back(&mut self) {
        if self.far.capacity() > KEEP && self.len() <= self.far.capacity() / 8 {
            self.far.shrink_to(KEEP.max(2 * self.far.len()));
        }
    }

    /// Where a run ends in `far`, or would end that follows the last.
    fn end_of(&self, run: usize) -> usize {
        match run {
            0 => self.far.len(),
            _ => self.runs[run - 1].start,
        }
    }

    /// So many entries at the beginning of `far` were taken.
    fn gone(&self) -> usize {
        self.end_of(self.runs.len())
    }

    /// Moves the others to the beginning when they are no more than that.
    fn forget_those_that_are_gone(&mut self) {
        let gone = self.gone();
        if gone >= self.far.len() - gone {
            self.far.drain(..gone);
            self.runs.iter_mut().for_each(|run| run.start -= gone);
        }
    }
}

/// Puts those first that are before one of them, about the middle of three: which one, and how many
/// they are. There is one on each side at least.
fn divide(run: &mut [Queued]) -> (u128, usize) {
    // One from each third, at a place that nobody can foresee who does not know where the kernel put
    // them in memory.
    let third = run.len() / 3;
    let spread = (run.as_ptr() as usize / 8) as u64 ^ (third as u64) << 48;
    let spread = spread.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let spread = spread ^ spread >> 32;
    let one = |of: usize| run[of * third + (spread >> (16 * of)) as usize % third].key();
    let (a, b, c) = (one(0), one(1), one(2));
    let middle = a.max(b).min(a.min(b).max(c));
    let mut before = 0;
    for at in 0..run.len() {
        let is_before = run[at].key() < middle;
        run.swap(before, at);
        // Not by a branch, which nobody could predict.
        before += usize::from(is_before);
    }
    (middle, before)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fastrand::Rng;

    use super::{KEEP, NEAR, Queue, Queued, RUNS};

    /// The queue, and a tree that does the same.
    #[derive(Default)]
    struct Both {
        queue: Queue,
        tree: BTreeSet<u128>,
        sequence: u64,
    }

    impl Both {
        fn push(&mut self, deadline: u64) {
            self.sequence += 1;
            let entry = Queued {
                deadline,
                sequence: self.sequence,
                id: 0,
            };
            self.queue.push(entry);
            self.tree.insert(entry.key());
        }

        fn pop(&mut self) -> Option<u128> {
            let first = self.queue.first().map(Queued::key);
            let popped = self.queue.pop().map(|entry| entry.key());
            assert_eq!(first, popped);
            assert_eq!(popped, self.tree.pop_first());
            popped
        }

        /// What the fields promise.
        fn check(&self) {
            let Queue { near, far, runs } = &self.queue;
            assert_eq!(self.queue.len(), self.tree.len());
            assert!(near.len() <= 2 * NEAR && near.is_empty() == self.tree.is_empty());
            assert!(near.is_sorted_by(|a, b| a.key() > b.key()));
            let mut before = near.first().map(Queued::key);
            for (at, run) in runs.iter().enumerate().rev() {
                let entries = &far[run.start..self.queue.end_of(at)];
                assert!(before < Some(run.from));
                assert!(entries.iter().all(|entry| entry.key() >= run.from));
                assert!(!run.sorted || entries.is_sorted_by(|a, b| a.key() < b.key()));
                before = entries.iter().map(Queued::key).max().max(before);
            }
            assert!(self.queue.gone() <= far.len() / 2, "they are forgotten");
        }
    }

    /// A deadline of one kind or another, `now` being the last one that came.
    fn deadline(rng: &mut Rng, kind: u32, now: u64, count: u64) -> u64 {
        match kind {
            // All equal; in order; the other way round; a few that are often the same; anything.
            0 => 7,
            1 => count,
            2 => u64::MAX - count,
            3 => now.saturating_add(rng.u64(..4)),
            4 => rng.u64(..),
            // As soon as may be, as late, or about as far as the last.
            5 => 0,
            6 => u64::MAX,
            _ => now.saturating_add(rng.u64(..1 << (8 * kind % 64))),
        }
    }

    #[test]
    fn whatever_comes_and_goes_the_earliest_is_first() {
        let mut rng = Rng::with_seed(5);
        for _ in 0..100 {
            let mut both = Both::default();
            let mut now = 0;
            for _ in 0..40 {
                let kind = rng.u32(0..12);
                for _ in 0..rng.usize(..10 * NEAR) {
                    let soon = deadline(&mut rng, kind, now, both.sequence);
                    both.push(soon);
                    if rng.u32(..4) == 0 {
                        now = (both.pop().expect("there is one") >> 64) as u64;
                    }
                }
                both.check();
                for _ in 0..rng.usize(..10 * NEAR) {
                    both.pop();
                }
                both.check();
                if rng.u32(..8) == 0 {
                    let part = rng.u64(1..4);
                    let wanted = |key: u128| key as u64 % 4 < part;
                    both.queue.retain(|entry| wanted(entry.key()));
                    both.tree.retain(|key| wanted(*key));
                    both.check();
                }
            }
            while both.pop().is_some() {}
            both.check();
        }
    }

    #[test]
    fn runs_are_few_whatever_the_order_in_which_deadlines_come() {
        const MANY: u64 = 100_000;
        let orders: [fn(u64) -> u64; 6] = [
            |at| at,
            |at| MANY - at,
            |at| at.wrapping_mul(37) % MANY,
            // From both ends to the middle.
            |at| if at % 2 == 0 { at } else { 2 * MANY - at },
            // The last group first, and each group in order; groups of one length, and ever longer ones.
            |at| (MANY / 100 - at / 100) * 100 + at % 100,
            |at| (MANY - at.isqrt()) * MANY + at,
        ];
        for order in orders {
            let mut both = Both::default();
            let mut most = 0;
            for at in 0..MANY {
                both.push(order(at));
                most = most.max(both.queue.runs.len());
            }
            both.check();
            while both.pop().is_some() {
                most = most.max(both.queue.runs.len());
            }
            assert!(most <= RUNS, "{most} runs");
        }
    }

    #[test]
    fn those_that_come_in_order_are_never_divided() {
        let mut both = Both::default();
        for at in 0..100_000 {
            both.push(at);
        }
        while both.pop().is_some() {
            assert!(both.queue.runs.len() <= 1);
        }
    }

    #[test]
    fn a_crowd_that_is_gone_leaves_little_room() {
        let mut both = Both::default();
        for at in 0..100_000 {
            both.push(at * 37 % 100_000);
        }
        both.queue.give_back();
        assert!(both.queue.far.capacity() >= 99_000, "they are still there");
        while both.queue.len() > 10 {
            both.pop();
        }
        both.queue.give_back();
        assert!(both.queue.far.capacity() <= KEEP);
        assert!(both.queue.near.capacity() <= 4 * NEAR);
    }
}
