//! The timers of one reactor: a queue of deadlines with lazy cancel.
//!
//! Most timers never fire: they guard a read that succeeds. So cancelling one, making the next
//! and moving a deadline back must cost stores, and leave the queue alone:
//!
//! * a cancelled timer leaves its entry behind; the next timer adopts place and entry if its
//!   own deadline is not earlier, and writes nothing but that deadline and its waker;
//! * an entry that was adopted, or whose timer was moved back, is pushed again when it is due, once:
//!   to where the deadline that its timer has by then belongs;
//! * entries that stand for nobody are dropped when they are the earliest, or all together when they
//!   are at least half of the queue when one is added or cancelled.
//!
//! So timers fire in the order of their deadlines, and those of one deadline in the order in which
//! it was set, whichever entries they have.
//!
//! Time is in nanoseconds of the reactor's clock, which clamps what is beyond its end. What is
//! counted here, and why it cannot come round:
//!
//! | counter | width | because |
//! |---|---|---|
//! | sequence numbers | 64 bits | with one each nanosecond that takes 584 years |
//! | stale entries, timers that fired | `usize` | they count what is in memory |
//! | [`TimerId`] | 32 bits | a place, checked where there is a new one; used again when its owner is gone |

mod asked;
pub(crate) mod clock;
mod places;
mod purge;
mod queue;
mod timer;

use std::task::Waker;

pub(crate) use asked::poll_timer;
pub(crate) use timer::TimerId;

use places::TimerPlaces;
use queue::{Queue, Queued};
use timer::NO_ENTRY;

/// Queue and timers of one reactor.
pub(crate) struct Timers {
    /// The deadlines; holds stale entries too.
    queue: Queue,
    /// The timers.
    places: TimerPlaces,
    /// Entries that stand for no waiting timer.
    stale: usize,
    /// The sequence number given last.
    sequence: u64,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Timers {
            queue: Queue::default(),
            places: TimerPlaces::new(),
            stale: 0,
            sequence: 0,
        }
    }

    /// Timers that somebody waits for.
    pub(crate) fn len(&self) -> usize {
        self.queue.len() - self.stale
    }

    /// When to look again: the earliest deadline, or earlier if that timer was moved back.
    pub(crate) fn next_deadline(&mut self) -> Option<u64> {
        while let Some(first) = self.queue.first() {
            if stands_for_one_who_waits(first, &mut self.places) {
                return Some(first.deadline);
            }
            self.queue.pop();
            self.stale -= 1;
        }
        None
    }

    /// A new timer; `waker` is called when `deadline` has passed.
    // Inlined into its only caller, as `cancel` is: half of what they do is to pass things on.
    #[inline(always)]
    pub(crate) fn insert(&mut self, deadline: u64, waker: Waker) -> TimerId {
        let (id, timer) = match self.places.take(waker) {
            Ok(taken) => taken,
            Err(waker) => return self.insert_in_a_new_place(deadline, waker),
        };
        self.sequence += 1;
        timer.deadline = deadline;
        timer.sequence = self.sequence;
        if timer.queued_at <= deadline {
            self.stale -= 1;
        } else {
            self.push(id);
        }
        id
    }

    #[cold]
    #[inline(never)]
    fn insert_in_a_new_place(&mut self, deadline: u64, waker: Waker) -> TimerId {
        self.places.grow();
        self.insert(deadline, waker)
    }

    /// Moves the deadline of a timer, which keeps its waker; false if it has fired already.
    pub(crate) fn reset(&mut self, id: TimerId, deadline: u64) -> bool {
        let timer = self.places.held(id);
        if timer.waker.is_none() {
            return false;
        }
        self.sequence += 1;
        timer.deadline = deadline;
        timer.sequence = self.sequence;
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
        let waker = self.places.leave(id);
        if waker.is_some() {
            self.stale += 1;
        } else {
            self.fired_one_left();
        }
        waker
    }

    /// Hands the wakers of all timers due at `now` to `fired`, in the order of their deadlines.
    pub(crate) fn fire(&mut self, now: u64, mut fired: impl FnMut(TimerId, Waker)) {
        let before = self.queue.len();
        while self.next_deadline().is_some_and(|deadline| deadline <= now) {
            let Some(first) = self.queue.pop() else { break };
            let timer = self.places.held(first.id);
            timer.queued_at = NO_ENTRY;
            if timer.sequence != first.sequence {
                // The entry was made for an earlier deadline. This is the one time that to adopt
                // it, or to move back, costs a push.
                self.push(first.id);
            } else if let Some(waker) = self.places.fire(first.id) {
                fired(first.id, waker);
            }
        }
        if self.queue.len() < before {
            self.queue.give_back();
        }
    }

    /// Gives a waiting timer an entry of its own; the one it had, if any, is stale from now on.
    #[inline(never)]
    fn push(&mut self, id: TimerId) {
        let timer = self.places.held(id);
        timer.entry = timer.sequence;
        timer.queued_at = timer.deadline;
        self.queue.push(Queued {
            deadline: timer.deadline,
            sequence: timer.sequence,
            id,
        });
        // Last: only now does the entry that it had count as stale to `purge`.
        self.purge_if_worth_it();
    }
}

/// Does the timer of this entry wait? If not, the entry is about to go.
#[inline]
fn stands_for_one_who_waits(entry: &Queued, places: &mut TimerPlaces) -> bool {
    let Some(timer) = places.find(entry.id) else {
        return false;
    };
    if timer.entry != entry.sequence {
        return false;
    }
    let waits = timer.waker.is_some();
    if !waits {
        timer.queued_at = NO_ENTRY;
    }
    waits
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::Timers;
    use super::purge::PURGE_FROM;

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
        assert_eq!((timers.len(), timers.queue.len()), (1, 1));
        let mut fired = Vec::new();
        timers.fire(u64::MAX, |id, _| fired.push(id));
        assert_eq!((fired, timers.len()), (vec![ids[0]], 0));
    }

    #[test]
    fn cancelling_them_all_empties_the_queue_before_anybody_looks() {
        let mut timers = Timers::new();
        let many = 100 * PURGE_FROM as u64;
        let ids: Vec<_> = (1..=many).map(|at| insert(&mut timers, at)).collect();
        for id in &ids[1..] {
            drop(timers.cancel(*id));
        }
        assert!(
            timers.queue.len() <= 2 * PURGE_FROM,
            "{}",
            timers.queue.len()
        );
        assert_eq!((timers.len(), timers.next_deadline()), (1, Some(1)));
    }

    #[test]
    fn cancelled_timers_do_not_fill_the_queue() {
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
        assert!(timers.queue.len() <= 400, "{}", timers.queue.len());
        assert_eq!(timers.places.iter().count(), 100, "places are used again");
    }

    #[test]
    fn nothing_happens_where_a_number_of_32_bits_would_come_round() {
        let mut timers = Timers::new();
        timers.sequence = u64::from(u32::MAX) - 50;
        let early = insert(&mut timers, 10);
        // Cancelled, its entry stays; the next one adopts it, and comes later than all others.
        drop(timers.cancel(early));
        let ids: Vec<_> = (0..100).map(|_| insert(&mut timers, 20)).collect();
        assert_eq!(ids[0], early);
        assert!(timers.reset(ids[1], 20));
        let mut fired = Vec::new();
        timers.fire(20, |id, _| fired.push(id));
        let mut expected = ids.clone();
        expected.remove(1);
        expected.push(ids[1]);
        assert_eq!(fired, expected);
        assert!(timers.sequence > u64::from(u32::MAX));
    }
}
