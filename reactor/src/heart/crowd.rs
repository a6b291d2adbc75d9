//! The crowd: who waits on one fd beyond the first, and which of them an event wakes.
//!
//! # The rule
//!
//! | who waits | an event wakes |
//! |---|---|
//! | with a call of ours that takes what is there, and is told when nothing is left: `accept`, `recv`, `send` | one, the one that has waited longest |
//! | with a call of its own (`read_with`), without a call (`readable`), or poll-style | all of them, for nobody but they can tell whether the event is theirs |
//!
//! One connection is for one task: to wake ten thousand for it costs ten thousand system calls. But
//! there may be more than one, and the one that was woken may be dropped before it makes its call,
//! or may never be polled again. So nothing depends on what it does: **as long as the direction is
//! ready and somebody sleeps, each turn wakes more of them**, one, then two, four, eight. It ends
//! when a call says that nothing is left, or nobody is left. A crowd of any size is awake after as
//! many turns as its size has bits; and an event that one can use wakes two.
//!
//! Coming and going costs the same in any crowd, but for a search among names that ascend.

use std::mem;
use std::task::Waker;

use selectors_core::act;

use crate::ascending::Ascending;
use crate::watch::acts;
use crate::watch::call::Call;
use crate::watch::direction::Direction;

/// Names one waiting operation of one slot, so that a cancelled one removes itself and nobody
/// else. Zero: not waiting yet. No name is given twice: a billion waits in a second use 64 bits up in
/// 292 years. They ascend, and so a crowd is kept in the order in which it came.
pub(crate) type WaiterId = u64;

impl Direction {
    /// The waiter of the poll-style operations in this direction, the same for as long as the
    /// slot lives. It is even, all others are odd; see
    /// [`Shared::next_waiter`](crate::heart::shared::Shared).
    pub(crate) const fn standing_waiter(self) -> WaiterId {
        2 + 2 * self as WaiterId
    }
}

/// What a waiter will do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It takes what is there, and if the call says WouldBlock nothing is left for others either.
    Take,
    /// It looks whether the event concerns it.
    Look,
}

impl From<Call> for Use {
    fn from(call: Call) -> Use {
        match call {
            Call::Accept | Call::Recv | Call::Recvmsg | Call::Send => Use::Take,
            Call::Connect | Call::Custom => Use::Look,
        }
    }
}

/// The waiters of a slot beyond the first.
#[derive(Default)]
pub(crate) struct Crowd {
    /// The directions that may be ready although somebody sleeps; the bits of the slot's state.
    ready: u8,
    /// How many of a direction the next turn wakes. Not zero: the reactor will ask in that turn.
    wave: usize,
    /// The waiters of the poll-style operations.
    standing: [Option<Waker>; 2],
    /// Those who look.
    lookers: [Ascending<Waker>; 2],
    /// Those who take.
    takers: [Ascending<Waker>; 2],
}

impl Crowd {
    /// Stores a waker, in the place of that waiter's last one if there is one.
    pub(crate) fn wait(
        &mut self,
        direction: Direction,
        id: WaiterId,
        waker: Waker,
        what: Use,
    ) -> Option<Waker> {
        let at = direction as usize;
        if id == direction.standing_waiter() {
            return self.standing[at].replace(waker);
        }
        if let Some(stored) = self.find_mut(direction, id) {
            return Some(mem::replace(stored, waker));
        }
        let queue = match what {
            Use::Take => &mut self.takers[at],
            Use::Look => &mut self.lookers[at],
        };
        act!(acts::StoredInCrowd, queue.push(id, waker));
        None
    }

    /// The waker of this waiter.
    pub(crate) fn find(&mut self, direction: Direction, id: WaiterId) -> Option<&Waker> {
        self.find_mut(direction, id).map(|waker| &*waker)
    }

    fn find_mut(&mut self, direction: Direction, id: WaiterId) -> Option<&mut Waker> {
        let at = direction as usize;
        if id == direction.standing_waiter() {
            return self.standing[at].as_mut();
        }
        let taker = self.takers[at].get_mut(id);
        taker.or_else(|| self.lookers[at].get_mut(id))
    }

    /// Takes this waiter out.
    pub(crate) fn leave(&mut self, direction: Direction, id: WaiterId) -> Option<Waker> {
        let at = direction as usize;
        if id == direction.standing_waiter() {
            return self.standing[at].take();
        }
        let taker = self.takers[at].remove(id);
        taker.or_else(|| self.lookers[at].remove(id))
    }

    /// How many wait for this direction.
    pub(crate) fn waiters(&self, direction: Direction) -> usize {
        let at = direction as usize;
        usize::from(self.standing[at].is_some()) + self.lookers[at].len() + self.takers[at].len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        Direction::BOTH
            .iter()
            .all(|direction| self.waiters(*direction) == 0)
    }

    /// May this direction be ready, although somebody sleeps?
    pub(crate) fn is_ready(&self, direction: Direction) -> bool {
        self.ready & direction.tries() != 0
    }

    /// Nothing is left in this direction.
    pub(crate) fn clear(&mut self, direction: Direction) {
        self.ready &= !direction.tries();
    }

    /// The marks of directions that nobody waits for: they belong into the slot.
    pub(crate) fn hand_over(&mut self) -> u8 {
        let mut free = 0;
        for direction in Direction::BOTH {
            if self.waiters(direction) == 0 {
                free |= self.ready & direction.tries();
            }
        }
        self.ready &= !free;
        free
    }

    /// An event: wakes by the rule. True if the reactor has to ask for the [next
    /// wave](Self::next_wave), and does not know it yet.
    pub(crate) fn dispatch(&mut self, ready: u8, woken: &mut Vec<Waker>) -> bool {
        self.ready |= ready;
        let first = self.wave == 0;
        for direction in Direction::BOTH {
            if ready & direction.bit() != 0 {
                let at = direction as usize;
                woken.extend(self.standing[at].take());
                self.lookers[at].take_all(woken);
                if first {
                    woken.extend(self.takers[at].pop());
                }
            }
        }
        if first && self.sleeps_though_ready() {
            self.wave = 1;
        }
        first && self.wave != 0
    }

    /// A turn later: wakes more, and twice as many the next time; false if there is none.
    pub(crate) fn next_wave(&mut self, woken: &mut Vec<Waker>) -> bool {
        let wave = mem::take(&mut self.wave);
        for direction in Direction::BOTH {
            if self.is_ready(direction) {
                let takers = &mut self.takers[direction as usize];
                woken.extend((0..wave).map_while(|_| takers.pop()));
            }
        }
        if self.sleeps_though_ready() {
            self.wave = wave.saturating_mul(2);
        }
        self.wave != 0
    }

    fn sleeps_though_ready(&self) -> bool {
        let sleeps = |direction: &Direction| {
            self.is_ready(*direction) && !self.takers[*direction as usize].is_empty()
        };
        Direction::BOTH.iter().any(sleeps)
    }

    /// All of them.
    pub(crate) fn take_all(&mut self, woken: &mut Vec<Waker>) {
        for at in [0, 1] {
            woken.extend(self.standing[at].take());
            self.lookers[at].take_all(woken);
            self.takers[at].take_all(woken);
        }
    }

    /// Shows every waker.
    pub(crate) fn for_each(&self, visit: &mut dyn FnMut(&Waker, Direction)) {
        for direction in Direction::BOTH {
            let at = direction as usize;
            if let Some(waker) = &self.standing[at] {
                visit(waker, direction);
            }
            for queue in [&self.lookers[at], &self.takers[at]] {
                for waker in queue.iter() {
                    visit(waker, direction);
                }
            }
        }
    }
}
