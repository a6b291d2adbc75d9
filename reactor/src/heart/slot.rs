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
//! turn, finds a slot that is whole.

use std::cell::Cell;
use std::mem;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::Waker;

use selectors_core::{Events, Mode, Readiness, SelectorKey};

use crate::heart::crowd::{Crowd, Use};
use crate::heart::queue::WaiterId;
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
    const fn awaited(self) -> u8 {
        self.bit() << AWAITED_SHIFT
    }

    /// All bits of the slot that make a call in this direction worth a try.
    pub(crate) const fn tries(self) -> u8 {
        match self {
            Direction::Read => READABLE | INSIST,
            Direction::Write => WRITABLE,
        }
    }

    /// The waiter of the poll-style operations in this direction, the same for as long as the
    /// slot lives. It is even, all others are odd; see
    /// [`Shared::next_waiter`](crate::heart::shared::Shared).
    pub(crate) const fn standing_waiter(self) -> WaiterId {
        2 + 2 * self as WaiterId
    }

    /// What poll(2) calls it.
    pub(crate) const fn readiness(self) -> Readiness {
        match self {
            Direction::Read => Readiness::READABLE,
            Direction::Write => Readiness::WRITABLE,
        }
    }

    /// Both.
    pub(crate) const BOTH: [Direction; 2] = [Direction::Read, Direction::Write];
}

// The state of a slot, one byte.
//
// bit          set by                               cleared by
// READABLE     dispatch; creation of most types     WouldBlock or a short transfer in that direction
// WRITABLE     dispatch; creation                   the same
// INSIST       dispatch: the peer has closed, the   WouldBlock when reading; a short read proves
//              socket is broken, or urgent data     nothing then: the end of the stream, or what
//              is in the stream                     is behind the urgent byte, is still to come
// CROWDED      a second waiter                      dispatch or `forget`, when the crowd is gone
// SETTLED      registered edge-triggered: there     unregistering
//              is never anything to arm
// AWAITED      the first waiter (what it waits      dispatch, or `forget` of that waiter
//              for, READABLE or WRITABLE, shifted)
//
// A direction that is marked here has no waiters, and nobody waits for what is worth a try. Where
// an event leaves some of a crowd asleep, the crowd keeps the mark, so that those in a hurry take
// the long way and meet it.
//
// READABLE and WRITABLE are the bits of `Readiness`, so that dispatch translates nothing.
const READABLE: u8 = Readiness::READABLE.bits() as u8;
const WRITABLE: u8 = Readiness::WRITABLE.bits() as u8;
const INSIST: u8 = 2;
const CROWDED: u8 = 8;
const SETTLED: u8 = 0x80;
/// From the bit of a direction to the one that says that the first waiter waits for it.
const AWAITED_SHIFT: u8 = 4;
/// There is a first waiter. At most one of the two is set.
const AWAITED: u8 = (READABLE | WRITABLE) << AWAITED_SHIFT;

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
pub(crate) type Key = SelectorKey<Rc<dyn AsFd>, Rc<Slot>>;

/// What an event has changed in a slot.
#[derive(Clone, Copy)]
pub(crate) struct Marked {
    /// The state before.
    before: u8,
    /// What is ready now, as it is cached.
    ready: u8,
    /// The AWAITED bit of the first waiter, if it is its turn.
    awaited: u8,
}

impl Marked {
    /// Does nobody wait but perhaps one who reads, and is there nothing to be armed? That is what
    /// most events find.
    #[inline(always)]
    pub(crate) fn concerns_only_a_reader(self) -> bool {
        self.before & (CROWDED | SETTLED | Direction::Write.awaited()) == SETTLED
    }
}

/// All that the reactor knows about one registered fd. With the counters of its `Rc` it fits into a
/// cache line, and into the 64 bytes that an allocator has for it.
pub(crate) struct Slot {
    /// Who waits first, and nearly always alone. Present exactly when somebody is AWAITED.
    waker: Cell<Option<Waker>>,
    /// Who that is, or who it was.
    waiter: Cell<WaiterId>,
    /// The waiters beyond the first: any number of tasks may wait on one fd. Once made, the crowd
    /// stays, for a socket that is read and written at once needs it again and again.
    crowd: Cell<Option<Box<Crowd>>>,
    /// Cached readiness and flags, see the table above.
    state: Cell<u8>,
    /// Level mode: the interest that the kernel has now (bits of [`Events`]); 0 is parked.
    armed: Cell<u8>,
    /// Level mode: this slot is on the reactor's list of interests to flush.
    dirty: Cell<bool>,
    /// REGISTERED and DOUBTFUL; above them how many calls have said WouldBlock, round and round: see
    /// [`lasting`](crate::heart::lasting).
    key: Cell<u8>,
}

/// There is a key. Its token is asked for at the selector, which has it under the fd.
const REGISTERED: u8 = 1;
/// A short read proves nothing about this fd: it is not what its type says. Never SETTLED, so that
/// who is to wait comes by the long way, and asks the kernel first.
const DOUBTFUL: u8 = 2;
/// One call that said WouldBlock, in `key`.
const REFUSAL: u8 = 4;

#[cfg(target_pointer_width = "64")]
const _: () = assert!(
    size_of::<Slot>() == 40,
    "more, and each connection takes 16 bytes more"
);

impl Slot {
    /// A slot that believes the directions of `ready` to be worth a try.
    pub(crate) fn new(ready: Option<Events>) -> Self {
        Slot {
            waker: Cell::new(None),
            waiter: Cell::new(0),
            crowd: Cell::new(None),
            state: Cell::new(ready.map_or(0, readiness_of)),
            armed: Cell::new(0),
            dirty: Cell::new(false),
            key: Cell::new(0),
        }
    }

    /// Is there a key?
    pub(crate) fn is_registered(&self) -> bool {
        self.key.get() & REGISTERED != 0
    }

    /// The key was registered with `armed` as its interest.
    pub(crate) fn registered(&self, armed: Events, mode: Mode) {
        self.key.set(self.key.get() | REGISTERED);
        self.armed.set(armed.bits());
        if mode == Mode::Edge && !self.is_doubtful() {
            self.state.set(self.state.get() | SETTLED);
        }
    }

    /// The key was unregistered.
    pub(crate) fn unregistered(&self) {
        self.state.set(self.state.get() & !SETTLED);
        self.key.set(self.key.get() & !REGISTERED);
    }

    /// From now on a short read proves nothing. Before the key is registered.
    pub(crate) fn doubt(&self) {
        self.key.set(self.key.get() | DOUBTFUL);
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.key.get() & DOUBTFUL != 0
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
    /// read proves nothing.
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
        mem::forget(self.waker.replace(Some(waker)));
    }

    /// Is this waiter here, and would it be woken by this waker?
    pub(crate) fn is_waiting(&self, direction: Direction, id: WaiterId, waker: &Waker) -> bool {
        if self.is_first(direction, id) {
            let stored = self.waker.take();
            let same = stored
                .as_ref()
                .is_some_and(|stored| stored.will_wake(waker));
            self.waker.set(stored);
            return same;
        }
        self.is_crowded()
            && self.with_crowd(|crowd| {
                let stored = crowd.find(direction, id);
                stored.is_some_and(|stored| stored.will_wake(waker))
            })
    }

    /// Stores `waker` as waiter `id`, or refreshes it if that waiter is already here. Who comes
    /// anew brings a new name, and is given back the waker that he has replaced.
    #[must_use = "dropping a waker runs code that is not ours: last"]
    pub(crate) fn wait(
        &self,
        direction: Direction,
        id: WaiterId,
        waker: Waker,
        what: Use,
    ) -> Option<Waker> {
        if self.is_first(direction, id) {
            self.waker.replace(Some(waker))
        } else if self.state.get() & (CROWDED | AWAITED) == 0 {
            self.wait_alone(direction, id, waker);
            None
        } else {
            // Also where the first place is free: who is in the crowd already must not take a second
            // one.
            self.state.set(self.state.get() | CROWDED);
            self.with_crowd(|crowd| crowd.wait(direction, id, waker, what))
        }
    }

    /// Does nobody wait, and is this direction not worth a try?
    pub(crate) fn is_vacant(&self, direction: Direction) -> bool {
        self.state.get() & (CROWDED | AWAITED | direction.tries()) == 0
    }

    /// Is this waiter here?
    pub(crate) fn knows(&self, direction: Direction, id: WaiterId) -> bool {
        self.is_first(direction, id)
            || self.is_crowded() && self.with_crowd(|crowd| crowd.find(direction, id).is_some())
    }

    /// Is it this waiter that waits first?
    #[inline]
    fn is_first(&self, direction: Direction, id: WaiterId) -> bool {
        self.state.get() & direction.awaited() != 0 && self.waiter.get() == id
    }

    /// Waiter `id` was dropped or is done: removes that waiter and no other.
    #[inline]
    pub(crate) fn forget(&self, direction: Direction, id: WaiterId) {
        if self.is_first(direction, id) {
            self.state.set(self.state.get() & !direction.awaited());
            drop(self.waker.take());
        } else if self.is_crowded() {
            self.forget_in_crowd(direction, id);
        }
    }

    #[cold]
    fn forget_in_crowd(&self, direction: Direction, id: WaiterId) {
        let gone = self.with_crowd(|crowd| crowd.leave(direction, id));
        // Last, because dropping a waker runs code that is not ours.
        drop(gone);
    }

    /// Does something with the crowd, which is out of its place meanwhile. Where nobody is left who
    /// waits for a direction, the crowd hands its mark over to the slot.
    #[cold]
    fn with_crowd<R>(&self, act: impl FnOnce(&mut Crowd) -> R) -> R {
        let mut crowd = InHand(self, self.crowd.take().unwrap_or_default());
        act(&mut crowd.1)
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

    /// Something failed that every waiter must see: marks both directions and takes all wakers.
    pub(crate) fn fail(&self, woken: &mut Vec<Waker>) {
        let _ = self.mark(Readiness::ERROR);
        woken.extend(self.waker.take());
        if self.is_crowded() {
            self.with_crowd(|crowd| crowd.take_all(woken));
        }
    }

    /// The wakers of those beyond the first whom this event concerns. True if some stay asleep whom
    /// the next turns have to wake, as long as the direction is ready.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_crowd(&self, marked: Marked, woken: &mut Vec<Waker>) -> bool {
        let ready = marked.ready;
        self.with_crowd(|crowd| {
            // The crowd keeps the marks of those who sleep on, and gives back the others.
            self.state.set(self.state.get() & !ready);
            crowd.dispatch(ready, woken)
        })
    }

    /// A turn later: wakes more of those who were left asleep; true if there still are some.
    pub(crate) fn next_wave(&self, woken: &mut Vec<Waker>) -> bool {
        // Also if nobody is left: the crowd has to know that it is asked no more.
        self.with_crowd(|crowd| crowd.next_wave(woken))
    }

    /// Shows every waker in this slot.
    pub(crate) fn for_each_waiter(&self, mut visit: impl FnMut(&Waker, Direction)) {
        for direction in Direction::BOTH {
            if self.state.get() & direction.awaited() != 0 {
                let first = FirstInHand(self, self.waker.take());
                first.1.iter().for_each(|waker| visit(waker, direction));
            }
        }
        if self.is_crowded() {
            self.with_crowd(|crowd| crowd.for_each(visit));
        }
    }

    /// Is there more than one waiter, of either direction?
    pub(crate) fn is_crowded(&self) -> bool {
        self.state.get() & CROWDED != 0
    }

    /// Has a direction more than one waiter?
    pub(crate) fn is_crowded_for(&self, direction: Direction) -> bool {
        let first = usize::from(self.state.get() & direction.awaited() != 0);
        self.is_crowded() && self.with_crowd(|crowd| crowd.waiters(direction)) + first > 1
    }

    /// Level mode: the interest that the waiters of this moment need; `None` if nobody waits.
    pub(crate) fn want(&self) -> Option<Events> {
        let mut bits = self.state.get() >> AWAITED_SHIFT & (READABLE | WRITABLE);
        if self.is_crowded() {
            for direction in Direction::BOTH {
                if self.with_crowd(|crowd| crowd.waiters(direction)) != 0 {
                    bits |= direction.bit();
                }
            }
        }
        match (bits & READABLE != 0, bits & WRITABLE != 0) {
            (true, true) => Some(Events::READ_WRITE),
            (true, false) => Some(Events::READ),
            (false, true) => Some(Events::WRITE),
            (false, false) => None,
        }
    }

    /// Level mode: the interest that the kernel has; `None` is parked.
    pub(crate) fn armed(&self) -> Option<Events> {
        Events::from_bits(self.armed.get())
    }

    pub(crate) fn set_armed(&self, armed: Option<Events>) {
        self.armed.set(armed.map_or(0, Events::bits));
    }

    /// Level mode: marks the slot for the next flush; true if it was not marked yet.
    pub(crate) fn mark_dirty(&self) -> bool {
        !self.dirty.replace(true)
    }

    pub(crate) fn flushed(&self) {
        self.dirty.set(false);
    }

    /// One more call has said WouldBlock.
    pub(crate) fn count_refusal(&self) {
        self.key.set(self.key.get().wrapping_add(REFUSAL));
    }

    /// The same, taken back.
    pub(crate) fn discount_refusal(&self) {
        self.key.set(self.key.get().wrapping_sub(REFUSAL));
    }

    /// How many calls have said WouldBlock, modulo 64.
    pub(crate) fn refusals(&self) -> u8 {
        self.key.get() / REFUSAL
    }
}

/// The first waker, while it is shown; put back also if who looks at it panics.
struct FirstInHand<'a>(&'a Slot, Option<Waker>);

impl Drop for FirstInHand<'_> {
    fn drop(&mut self) {
        self.0.waker.set(self.1.take());
    }
}

/// The crowd, while something is done with it; put back also if that panics.
struct InHand<'a>(&'a Slot, Box<Crowd>);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        let InHand(slot, crowd) = self;
        let mut state = slot.state.get() | crowd.hand_over();
        if crowd.is_empty() {
            state &= !CROWDED;
        }
        slot.state.set(state);
        slot.crowd.set(Some(mem::take(crowd)));
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
