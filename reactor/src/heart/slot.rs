//! The slot: the reactor's `data` in a key. Who waits for READ, who for WRITE, and what the
//! kernel last said about each.
//!
//! A sleeping task is in no list of the executor; the only thing that remembers it is the waker
//! stored here. The order that cannot lose a wake is always the same: **store the waker, then arm
//! the key, then return `Pending`**. [`Slot::mark`] is the other side of that bargain: it marks
//! the direction ready first, the wakers are taken out second, and they are called only after
//! every borrow is released.
//!
//! # What is believed, and what is asked
//!
//! The bits below are a guess: an event of the past, less what our own calls have said since. A
//! call of ours may rely on it, because a wrong guess costs one call that says WouldBlock. Who
//! makes the call himself may not, for nobody tells the slot what such a call has said:
//!
//! | who | what counts |
//! |---|---|
//! | `read`, `accept`, `read_with` and their like | the guess, then the call's own answer |
//! | `readable`, `writable`, `ready` and their poll-style forms | what poll(2) says when they are polled; if it says no, the guess is dropped, and the next event asks again |
//! | `try_read`, `try_with` and their like | the call is made |
//!
//! # Code that is not ours
//!
//! A waker is cloned before anything of it is stored, and the slot is looked at again after that;
//! it is dropped after everything is in its place. So what such code does, a panic or a nested
//! turn, finds a slot that is whole. The source is asked for its fd before that, for the same reason, and
//! once: from then on the key's number counts. [`contracts`](crate::contracts#foreign-code) has all such
//! places.

use std::cell::Cell;
use std::mem;
use std::panic::RefUnwindSafe;
use std::rc::Rc;
use std::task::Waker;

use selectors_core::os::RawFd;
use selectors_core::{Events, Readiness, SelectorKey, act};

use crate::heart::crowd::{Crowd, WaiterId};
use crate::heart::pollable::Pollable;
use crate::watch::acts;
use crate::watch::direction::Direction;

impl Direction {
    /// The readiness bit of this direction, as it is cached in the slot.
    pub(crate) const fn bit(self) -> u8 {
        match self {
            Direction::Read => READABLE,
            Direction::Write => WRITABLE,
        }
    }

    /// The bit that says that the first place is taken, by somebody who waits for this direction.
    pub(super) const fn awaited(self) -> u8 {
        self.bit() << AWAITED_SHIFT
    }

    /// All bits of the slot that make a call in this direction worth a try.
    pub(crate) const fn tries(self) -> u8 {
        match self {
            Direction::Read => READABLE | INSIST,
            Direction::Write => WRITABLE,
        }
    }
}

// The state of a slot, one byte.
//
// bit          set by                               cleared by
// READABLE     dispatch; creation of most types     WouldBlock or a short transfer in that direction,
//                                                   or one connection of a paced listener
// WRITABLE     dispatch; creation                   the same
// INSIST       dispatch: the peer has closed, the   WouldBlock when reading; a short read proves
//              socket is broken, or urgent data     nothing then: the end of the stream, or what
//              is in the stream                     is behind the urgent byte, is still to come
// CROWDED      a second waiter                      dispatch or `forget`, when the crowd is gone
// SETTLED      for who reads there is nothing to    unregistering; by level a flush that tells the
//              arm: registered edge-triggered, or   kernel something else, and the refusal that
//              by level just for reading            is doubted
// AWAITED      the first waiter (what it waits      dispatch, or `forget` of that waiter
//              for, READABLE or WRITABLE, shifted)
//
// A direction that is marked here has no waiters, and nobody waits for what is worth a try. Where
// an event leaves some of a crowd asleep, the crowd keeps the mark, so that those in a hurry take
// the long way and meet it.
//
// READABLE and WRITABLE are the bits of `Readiness`, so that dispatch translates nothing.
pub(super) const READABLE: u8 = Readiness::READABLE.bits() as u8;
pub(super) const WRITABLE: u8 = Readiness::WRITABLE.bits() as u8;
const INSIST: u8 = 2;
pub(super) const CROWDED: u8 = 8;
pub(super) const SETTLED: u8 = 0x80;
/// From the bit of a direction to the one that says that the first waiter waits for it.
pub(super) const AWAITED_SHIFT: u8 = 4;
/// There is a first waiter. At most one of the two is set.
pub(super) const AWAITED: u8 = (READABLE | WRITABLE) << AWAITED_SHIFT;

// No bit stands for two things. (INSIST, shifted, is nothing.)
const _: () = {
    let directions = READABLE | WRITABLE;
    let shifted = (directions | INSIST) << AWAITED_SHIFT;
    assert!(directions & (INSIST | CROWDED | SETTLED) == 0);
    assert!(shifted & (directions | INSIST | CROWDED | SETTLED) == 0);
};

/// The conditions that are more than "would not block"; an echo meets none of them.
const UNUSUAL: u16 = Readiness::READ_CLOSED.bits()
    | Readiness::PRIORITY.bits()
    | Readiness::HANGUP.bits()
    | Readiness::ERROR.bits();

/// One of its keys.
pub(crate) type Key = SelectorKey<Pollable, Rc<Slot>>;

/// What an event has changed in a slot.
#[derive(Clone, Copy)]
pub(crate) struct Marked {
    /// The state before.
    before: u8,
    /// What is ready now, as it is cached.
    pub(super) ready: u8,
    /// The AWAITED bit of the first waiter, if it is its turn.
    awaited: u8,
}

impl Marked {
    /// Was there something to be read before, for somebody who has not come to it?
    pub(super) fn was_readable(self) -> bool {
        self.before & READABLE != 0
    }

    /// Does nobody wait but perhaps one who reads, and is there nothing to be armed for him? That is
    /// what most events find.
    #[inline(always)]
    pub(crate) fn concerns_only_a_reader(self) -> bool {
        self.before & (CROWDED | SETTLED | Direction::Write.awaited()) == SETTLED
    }
}

/// Is a slot on the list of interests to flush?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dirty {
    No,
    Yes,
    /// It is, but its reader was woken and may be on his way back.
    Patiently,
}

/// All that the reactor knows about one registered fd. With the counters of its `Rc` it fits into a
/// cache line, and into the 64 bytes that an allocator has for it.
pub(crate) struct Slot {
    /// Who waits first, and nearly always alone. Present exactly when somebody is AWAITED.
    pub(super) waker: Cell<Option<Waker>>,
    /// Who that is, or who it was.
    pub(super) waiter: Cell<WaiterId>,
    /// The waiters beyond the first: any number of tasks may wait on one fd. Once made, the crowd
    /// stays, for a socket that is read and written at once needs it again and again.
    pub(super) crowd: Cell<Option<Box<Crowd>>>,
    /// Cached readiness and flags, see the table above.
    pub(super) state: Cell<u8>,
    /// Level mode: the interest that the kernel has now (bits of [`Events`]); 0 is parked. And whether
    /// it is [paced](Self::is_paced).
    pub(super) armed: Cell<u8>,
    /// Level mode: is this slot on the reactor's list of interests to flush?
    pub(super) dirty: Cell<Dirty>,
    /// Whether there is a key, and what is known of it; see [`interest`](crate::heart::interest).
    pub(super) key: Cell<u8>,
    /// The number that the key was registered with, whatever the source says later.
    pub(super) fd: Cell<RawFd>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(
    size_of::<Slot>() == 40,
    "more, and each connection takes 16 bytes more"
);

/// As [`Shared`](crate::heart::shared::Shared).
impl RefUnwindSafe for Slot {}

impl Slot {
    /// A slot that believes the directions of `ready` to be worth a try.
    pub(crate) fn new(ready: Option<Events>) -> Self {
        Slot {
            waker: Cell::new(None),
            waiter: Cell::new(0),
            crowd: Cell::new(None),
            state: Cell::new(ready.map_or(0, readiness_of)),
            armed: Cell::new(0),
            dirty: Cell::new(Dirty::No),
            key: Cell::new(0),
            fd: Cell::new(-1),
        }
    }

    /// May a system call in this direction succeed, as far as we know, and does nobody wait for it?
    #[inline]
    pub(crate) fn may_be_ready(&self, direction: Direction) -> bool {
        self.state.get() & direction.tries() != 0
    }

    /// May a system call in this direction succeed, as far as we know?
    pub(crate) fn is_worth_a_try(&self, direction: Direction) -> bool {
        self.may_be_ready(direction)
            || self.is_crowded() && self.with_crowd(|crowd| crowd.is_ready(direction))
    }

    /// The kernel said WouldBlock: wait for the next event, whatever the last one said.
    #[inline]
    pub(crate) fn clear(&self, direction: Direction) {
        self.state.set(self.state.get() & !direction.tries());
        if self.is_crowded() {
            self.with_crowd(|crowd| crowd.clear(direction));
        }
    }

    /// A transfer came up short, so the kernel's buffer was drained, or filled, and the next call
    /// would only say WouldBlock: wait for the next event, unless the last one said that a short
    /// read proves nothing. Or a [paced](Self::is_paced) listener has had its connection.
    #[inline]
    pub(crate) fn came_up_short(&self, direction: Direction) {
        self.state.set(self.state.get() & !direction.bit());
    }

    /// Marks both directions as worth a try, whatever the kernel said.
    pub(crate) fn assume_ready(&self) {
        self.state.set(self.state.get() | READABLE | WRITABLE);
    }

    /// Is nobody waiting, nothing to be armed, and this direction not worth a try?
    #[inline(always)]
    pub(crate) fn may_wait_alone(&self, direction: Direction) -> bool {
        let all = CROWDED | SETTLED | AWAITED | direction.tries();
        self.state.get() & all == SETTLED
    }

    /// Becomes the first waiter, where there is none.
    #[inline(always)]
    pub(crate) fn wait_alone(&self, direction: Direction, id: WaiterId, waker: Waker) {
        self.state.set(self.state.get() | direction.awaited());
        self.waiter.set(id);
        // There is none to be dropped: nobody waited.
        mem::forget(act!(acts::Stored, self.waker.replace(Some(waker))));
    }

    /// Does nobody wait, and is this direction not worth a try?
    pub(crate) fn is_vacant(&self, direction: Direction) -> bool {
        self.state.get() & (CROWDED | AWAITED | direction.tries()) == 0
    }

    /// Is it this waiter that waits first?
    #[inline]
    pub(super) fn is_first(&self, direction: Direction, id: WaiterId) -> bool {
        self.state.get() & direction.awaited() != 0 && self.waiter.get() == id
    }

    /// Waiter `id` was dropped or is done: removes that waiter and no other. Out of line, so that the
    /// destructors of operations, which nearly always find that nobody waits, are inlined.
    #[cold]
    #[inline(never)]
    pub(crate) fn forget(&self, direction: Direction, id: WaiterId) {
        if self.is_first(direction, id) {
            self.state.set(self.state.get() & !direction.awaited());
            drop(self.waker.take());
        } else if self.is_crowded() {
            self.forget_in_crowd(direction, id);
        }
    }

    /// The kernel reported `readiness`: marks the directions. What is left to do is to wake the
    /// first waiter if it waits for what is [`Marked`], and the [crowd](Self::take_crowd) if there is
    /// one.
    ///
    /// An error or a hang-up concerns whoever waits, in either direction.
    #[inline(always)]
    pub(crate) fn mark(&self, readiness: Readiness) -> Marked {
        let mut ready = readiness.bits() as u8 & (READABLE | WRITABLE);
        if readiness.bits() & UNUSUAL != 0 {
            ready |= Self::unusual(readiness);
        }
        let before = self.state.get();
        let awaited = before & (ready << AWAITED_SHIFT);
        self.state.set((before ^ awaited) | ready);
        Marked {
            before,
            ready,
            awaited,
        }
    }

    /// The first waiter, if it waits for that direction and the kernel has just reported it.
    #[inline(always)]
    pub(crate) fn take_first(&self, marked: Marked, direction: Direction) -> Option<Waker> {
        if marked.awaited & direction.awaited() == 0 {
            return None;
        }
        self.waker.take()
    }

    #[cold]
    fn unusual(readiness: Readiness) -> u8 {
        if readiness.is_hangup() || readiness.is_error() {
            READABLE | WRITABLE | INSIST
        } else {
            READABLE | INSIST
        }
    }
}

/// The directions of `events`, as they are cached.
fn readiness_of(events: Events) -> u8 {
    let mut bits = 0;
    if events.is_readable() {
        bits |= READABLE;
    }
    if events.is_writable() {
        bits |= WRITABLE;
    }
    bits
}
