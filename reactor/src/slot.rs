//! The slot: the reactor's `data` in a key. Who waits for READ, who for WRITE, and what the
//! kernel last said about each.
//!
//! A sleeping task is in no list of the executor; the only thing that remembers it is the waker
//! stored here. The order that cannot lose a wake is always the same: **store the waker, then arm
//! the key, then return `Pending`**. [`Slot::dispatch`] is the other side of that bargain: it
//! marks the direction ready first and takes the wakers out second, and the caller wakes them
//! only after every borrow is released.

use std::cell::Cell;
use std::mem;
use std::task::Waker;

use selectors_core::{Events, Mode, Readiness, Token};

/// The direction an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Reading, accepting: anything that needs input.
    Read = 0,
    /// Writing, connecting: anything that needs room for output.
    Write = 1,
}

impl Direction {
    /// The readiness bit of this direction, as it is cached in the slot.
    const fn bit(self) -> u8 {
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
    const fn tries(self) -> u8 {
        match self {
            Direction::Read => READABLE | INSIST,
            Direction::Write => WRITABLE,
        }
    }

    /// The waiter of the poll-style operations in this direction, the same for as long as the
    /// slot lives. It is even, all others are odd; see
    /// [`Shared::next_waiter`](crate::shared::Shared).
    pub(crate) const fn standing_waiter(self) -> WaiterId {
        2 + 2 * self as WaiterId
    }
}

// The state of a slot, one byte.
//
// bit          set by                               cleared by
// READABLE     dispatch; creation of most types     WouldBlock or a short transfer in that direction
// WRITABLE     dispatch; creation                   the same
// INSIST       dispatch: the peer has closed, the   WouldBlock when reading; a short read proves
//              socket is broken, or urgent data     nothing then: the end of the stream, or what
//              is in the stream                     is behind the urgent byte, is still to come
// CROWDED      a second waiter                      dispatch or `forget`, when `more` runs empty
// SETTLED      registered edge-triggered: there     unregistering
//              is never anything to arm
// AWAITED      the first waiter (what it waits      dispatch, or `forget` of that waiter
//              for, READABLE or WRITABLE, shifted)
//
// A direction that may be ready has no waiters: dispatch takes them all when it marks it, and
// nobody waits for what is worth a try.
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

/// Names one waiting operation of one slot, so that a cancelled one removes itself and nobody
/// else. Zero: not waiting yet.
pub(crate) type WaiterId = u32;

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

/// One waiter beyond the first.
struct Another {
    direction: Direction,
    id: WaiterId,
    waker: Waker,
}

/// All that the reactor knows about one registered fd. With the counters of its `Rc` it fits into a
/// cache line.
pub(crate) struct Slot {
    /// The name of the key; [`Token::NONE`] before the first wait registers it.
    token: Cell<Token>,
    /// Who waits first, and nearly always alone. Present exactly when somebody is AWAITED.
    waker: Cell<Option<Waker>>,
    /// Who that is, or who it was.
    waiter: Cell<WaiterId>,
    /// Cached readiness and flags, see the table above.
    state: Cell<u8>,
    /// Level mode: the interest that the kernel has now (bits of [`Events`]); 0 is parked.
    armed: Cell<u8>,
    /// Level mode: this slot is on the reactor's list of interests to flush.
    dirty: Cell<bool>,
    /// The waiters beyond the first: any number of tasks may wait on one fd. Once made, the list
    /// stays, for a socket that is read and written at once needs it again and again.
    #[expect(
        clippy::box_collection,
        reason = "8 bytes instead of 24 in a slot that rarely uses it"
    )]
    more: Cell<Option<Box<Vec<Another>>>>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(
    size_of::<Slot>() == 48,
    "8 more and the Rc leaves its cache line"
);

impl Slot {
    /// A slot that believes the directions of `ready` to be worth a try.
    pub(crate) fn new(ready: Option<Events>) -> Self {
        Slot {
            token: Cell::new(Token::NONE),
            waker: Cell::new(None),
            waiter: Cell::new(0),
            state: Cell::new(ready.map_or(0, readiness_of)),
            armed: Cell::new(0),
            dirty: Cell::new(false),
            more: Cell::new(None),
        }
    }

    pub(crate) fn token(&self) -> Option<Token> {
        Some(self.token.get()).filter(|token| *token != Token::NONE)
    }

    /// The key was registered with `armed` as its interest.
    pub(crate) fn registered(&self, token: Token, armed: Events, mode: Mode) {
        self.token.set(token);
        self.armed.set(armed.bits());
        if mode == Mode::Edge {
            self.state.set(self.state.get() | SETTLED);
        }
    }

    /// The key was unregistered; returns its name.
    pub(crate) fn unregistered(&self) -> Option<Token> {
        self.state.set(self.state.get() & !SETTLED);
        let token = self.token();
        self.token.set(Token::NONE);
        token
    }

    /// May a system call in this direction succeed, as far as we know?
    #[inline]
    pub(crate) fn may_be_ready(&self, direction: Direction) -> bool {
        self.state.get() & direction.tries() != 0
    }

    /// The kernel said WouldBlock: wait for the next event, whatever the last one said.
    #[inline]
    pub(crate) fn clear(&self, direction: Direction) {
        self.state.set(self.state.get() & !direction.tries());
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

    /// Is nobody waiting, and nothing to be armed?
    #[inline(always)]
    pub(crate) fn may_wait_alone(&self) -> bool {
        self.state.get() & (CROWDED | SETTLED | AWAITED) == SETTLED
    }

    /// Becomes the first waiter, where there is none.
    #[inline(always)]
    pub(crate) fn wait_alone(&self, direction: Direction, id: WaiterId, waker: &Waker) {
        self.state.set(self.state.get() | direction.awaited());
        self.waiter.set(id);
        // There is none to be dropped: nobody waited.
        mem::forget(self.waker.replace(Some(waker.clone())));
    }

    /// Stores `waker` as waiter `id`, or refreshes it if that waiter is already here.
    pub(crate) fn wait(&self, direction: Direction, id: WaiterId, waker: &Waker) {
        if self.is_first(direction, id) {
            let stored = self.waker.take().filter(|stored| stored.will_wake(waker));
            self.waker
                .set(Some(stored.unwrap_or_else(|| waker.clone())));
        } else if self.state.get() & (CROWDED | AWAITED) == 0 {
            self.wait_alone(direction, id, waker);
        } else {
            // Also where the first place is free: who is in the crowd already must not take a second
            // one.
            self.wait_in_crowd(direction, id, waker);
        }
    }

    /// Is it this waiter that waits first?
    #[inline]
    fn is_first(&self, direction: Direction, id: WaiterId) -> bool {
        self.state.get() & direction.awaited() != 0 && self.waiter.get() == id
    }

    #[cold]
    fn wait_in_crowd(&self, direction: Direction, id: WaiterId, waker: &Waker) {
        let mut more = self.more.take().unwrap_or_default();
        match more.iter_mut().find(|another| another.id == id) {
            Some(another) => another.waker.clone_from(waker),
            None => more.push(Another {
                direction,
                id,
                waker: waker.clone(),
            }),
        }
        self.more.set(Some(more));
        self.state.set(self.state.get() | CROWDED);
    }

    /// Waiter `id` was dropped or is done: removes that waiter and no other.
    #[inline]
    pub(crate) fn forget(&self, direction: Direction, id: WaiterId) {
        if self.is_first(direction, id) {
            self.state.set(self.state.get() & !direction.awaited());
            drop(self.waker.take());
        } else if self.is_crowded() {
            self.forget_in_crowd(id);
        }
    }

    #[cold]
    fn forget_in_crowd(&self, id: WaiterId) {
        let mut more = self.more.take().unwrap_or_default();
        let gone = more
            .iter()
            .position(|another| another.id == id)
            .map(|at| more.swap_remove(at));
        self.put_crowd_back(more);
        // Last, because dropping a waker runs code that is not ours.
        drop(gone);
    }

    #[expect(clippy::box_collection, reason = "see the field")]
    fn put_crowd_back(&self, more: Box<Vec<Another>>) {
        if more.is_empty() {
            self.state.set(self.state.get() & !CROWDED);
        }
        self.more.set(Some(more));
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
        let marked = self.mark(Readiness::ERROR);
        woken.extend(self.waker.take());
        if self.is_crowded() {
            self.take_crowd(marked, woken);
        }
    }

    /// The wakers of those beyond the first who wait for what is ready now, in the order of their
    /// arrival, so that tasks that share a socket take turns.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_crowd(&self, marked: Marked, woken: &mut Vec<Waker>) {
        let mut more = self.more.take().unwrap_or_default();
        let (wake, stay): (Vec<_>, _) = more
            .drain(..)
            .partition(|another| marked.ready & another.direction.bit() != 0);
        *more = stay;
        self.put_crowd_back(more);
        woken.extend(wake.into_iter().map(|another| another.waker));
    }

    /// Shows every waker in this slot.
    pub(crate) fn for_each_waiter(&self, mut visit: impl FnMut(&Waker, Direction)) {
        if let Some(waker) = self.waker.take() {
            let direction = if self.state.get() & Direction::Write.awaited() != 0 {
                Direction::Write
            } else {
                Direction::Read
            };
            visit(&waker, direction);
            self.waker.set(Some(waker));
        }
        if let Some(more) = self.more.take() {
            more.iter()
                .for_each(|another| visit(&another.waker, another.direction));
            self.more.set(Some(more));
        }
    }

    /// Is there more than one waiter, of either direction?
    pub(crate) fn is_crowded(&self) -> bool {
        self.state.get() & CROWDED != 0
    }

    /// Has a direction more than one waiter?
    pub(crate) fn is_crowded_for(&self, direction: Direction) -> bool {
        let mut waiters = 0;
        self.for_each_waiter(|_, theirs| waiters += usize::from(theirs == direction));
        waiters > 1
    }

    /// Level mode: the interest that the waiters of this moment need; `None` if nobody waits.
    pub(crate) fn want(&self) -> Option<Events> {
        let mut bits = self.state.get() >> AWAITED_SHIFT & (READABLE | WRITABLE);
        if self.state.get() & CROWDED != 0 {
            let more = self.more.take().unwrap_or_default();
            bits |= more
                .iter()
                .fold(0, |bits, another| bits | another.direction.bit());
            self.more.set(Some(more));
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
