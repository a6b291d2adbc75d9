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
        1 << self as u8
    }

    /// All bits of the slot that make a call in this direction worth a try.
    const fn tries(self) -> u8 {
        (READABLE | INSIST) << self as u8
    }

    /// The waiter of the poll-style operations in this direction, the same for as long as the
    /// slot lives. It is even, all others are odd; see
    /// [`Shared::next_waiter`](crate::shared::Shared).
    pub(crate) const fn standing_waiter(self) -> WaiterId {
        2 + 2 * self as WaiterId
    }
}

// The cached readiness, one byte.
//
// bit          set by                               cleared by
// READABLE     dispatch; creation of most types     WouldBlock or a short transfer in that direction
// WRITABLE     dispatch; creation                   the same
// INSIST       dispatch: the peer has closed, the   WouldBlock when reading; a short read proves
//              socket is broken, or urgent data     nothing then: the end of the stream, or what
//              is in the stream                     is behind the urgent byte, is still to come
// CROWDED      a second waiter in one direction     dispatch or `forget`, when `more` runs empty
// SETTLED      registered edge-triggered: there     unregistering
//              is never anything to arm
const READABLE: u8 = Direction::Read.bit();
const WRITABLE: u8 = Direction::Write.bit();
/// Two above READABLE; two above WRITABLE is a bit that is never set. See [`Direction::tries`].
const INSIST: u8 = READABLE << 2;
const CROWDED: u8 = 16;
const SETTLED: u8 = 32;

/// The conditions that are more than "would not block"; an echo meets none of them.
const UNUSUAL: u16 = Readiness::READ_CLOSED.bits()
    | Readiness::PRIORITY.bits()
    | Readiness::HANGUP.bits()
    | Readiness::ERROR.bits();

/// Names one waiting operation of one slot, so that a cancelled one removes itself and nobody
/// else. Zero: not waiting yet.
pub(crate) type WaiterId = u32;

/// The first waiter of one direction; nearly always the only one.
#[derive(Default)]
struct Waiting {
    /// Who it is; zero when nobody waits, or all who do are in the crowd.
    id: Cell<WaiterId>,
    /// Present exactly when `id` is not zero.
    waker: Cell<Option<Waker>>,
}

/// One waiter beyond the first, of either direction.
struct Another {
    direction: Direction,
    id: WaiterId,
    waker: Waker,
}

/// All that the reactor knows about one registered fd.
pub(crate) struct Slot {
    /// The name of the key; `None` before the first wait registers it.
    token: Cell<Option<Token>>,
    /// Cached readiness and flags, see the table above.
    state: Cell<u8>,
    /// Level mode: the interest that the kernel has now (bits of [`Events`]); 0 is parked.
    armed: Cell<u8>,
    /// Level mode: this slot is on the reactor's list of interests to flush.
    dirty: Cell<bool>,
    /// The first waiter for READ and for WRITE.
    first: [Waiting; 2],
    /// The waiters beyond the first; any number of tasks may wait on one direction. (The double
    /// indirection keeps an uncrowded slot within one cache line.)
    #[expect(
        clippy::box_collection,
        reason = "8 bytes instead of 24 in a slot that rarely uses it"
    )]
    more: Cell<Option<Box<Vec<Another>>>>,
}

impl Slot {
    /// A slot that believes the directions of `ready` to be worth a try.
    pub(crate) fn new(ready: Option<Events>) -> Self {
        Slot {
            token: Cell::new(None),
            state: Cell::new(ready.map_or(0, Events::bits)),
            armed: Cell::new(0),
            dirty: Cell::new(false),
            first: Default::default(),
            more: Cell::new(None),
        }
    }

    pub(crate) fn token(&self) -> Option<Token> {
        self.token.get()
    }

    /// The key was registered with `armed` as its interest.
    pub(crate) fn registered(&self, token: Token, armed: Events, mode: Mode) {
        self.token.set(Some(token));
        self.armed.set(armed.bits());
        if mode == Mode::Edge {
            self.state.set(self.state.get() | SETTLED);
        }
    }

    /// The key was unregistered; returns its name.
    pub(crate) fn unregistered(&self) -> Option<Token> {
        self.state.set(self.state.get() & !SETTLED);
        self.token.take()
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

    /// A transfer came up short: wait for the next event, unless the last one said that a short
    /// read proves nothing.
    #[inline]
    pub(crate) fn came_up_short(&self, direction: Direction) {
        self.state.set(self.state.get() & !direction.bit());
    }

    /// Marks both directions as worth a try, whatever the kernel said.
    pub(crate) fn assume_ready(&self) {
        self.state.set(self.state.get() | READABLE | WRITABLE);
    }

    /// The short way of [`wait`](Self::wait): stores `waker` if nobody else waits and nothing
    /// needs to be armed; false if that is not so.
    #[inline(always)]
    pub(crate) fn wait_alone(&self, direction: Direction, id: WaiterId, waker: &Waker) -> bool {
        let first = &self.first[direction as usize];
        let alone = self.state.get() & (CROWDED | SETTLED) == SETTLED && first.id.get() == 0;
        if alone {
            first.id.set(id);
            // There is none to be dropped: `id` was zero.
            mem::forget(first.waker.replace(Some(waker.clone())));
        }
        alone
    }

    /// Stores `waker` as waiter `id`, or refreshes it if that waiter is already here.
    pub(crate) fn wait(&self, direction: Direction, id: WaiterId, waker: &Waker) {
        let first = &self.first[direction as usize];
        match first.id.get() {
            // In a crowd, somebody who is in it already must not take a second place.
            0 if self.state.get() & CROWDED == 0 => {
                first.id.set(id);
                first.waker.set(Some(waker.clone()));
            }
            holder if holder == id => {
                let stored = first.waker.take().filter(|stored| stored.will_wake(waker));
                first
                    .waker
                    .set(Some(stored.unwrap_or_else(|| waker.clone())));
            }
            _ => self.wait_in_crowd(direction, id, waker),
        }
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
        let first = &self.first[direction as usize];
        if first.id.get() == id {
            first.id.set(0);
            drop(first.waker.take());
        } else if self.state.get() & CROWDED != 0 {
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
        } else {
            self.more.set(Some(more));
        }
    }

    /// The kernel reported `readiness`: marks the directions and moves their wakers to `woken`.
    ///
    /// An error or a hang-up concerns whoever waits, in either direction.
    #[inline(always)]
    pub(crate) fn dispatch(&self, readiness: Readiness, woken: &mut impl FnMut(Waker)) {
        let mut bits = 0;
        if readiness.is_readable() {
            bits |= READABLE;
        }
        if readiness.is_writable() {
            bits |= WRITABLE;
        }
        if readiness.bits() & UNUSUAL != 0 {
            bits |= Self::unusual(readiness);
        }
        let before = self.state.get();
        self.state.set(before | bits);
        if bits & READABLE != 0 {
            self.take_first(Direction::Read, woken);
        }
        if bits & WRITABLE != 0 {
            self.take_first(Direction::Write, woken);
        }
        if before & CROWDED != 0 {
            self.take_crowd(bits, woken);
        }
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
        self.dispatch(Readiness::ERROR, &mut |waker| woken.push(waker));
    }

    #[inline(always)]
    fn take_first(&self, direction: Direction, woken: &mut impl FnMut(Waker)) {
        let first = &self.first[direction as usize];
        if first.id.replace(0) != 0 {
            if let Some(waker) = first.waker.take() {
                woken(waker);
            }
        }
    }

    #[cold]
    fn take_crowd(&self, bits: u8, woken: &mut impl FnMut(Waker)) {
        let mut more = self.more.take().unwrap_or_default();
        // In the order of arrival, so that tasks that share a socket take turns.
        let (wake, stay) = more
            .drain(..)
            .partition(|another| bits & another.direction.bit() != 0);
        *more = stay;
        self.put_crowd_back(more);
        Vec::into_iter(wake).for_each(|another: Another| woken(another.waker));
    }

    /// Shows every waker in this slot.
    pub(crate) fn for_each_waiter(&self, mut visit: impl FnMut(&Waker, Direction)) {
        for direction in [Direction::Read, Direction::Write] {
            let first = &self.first[direction as usize];
            if let Some(waker) = first.waker.take() {
                visit(&waker, direction);
                first.waker.set(Some(waker));
            }
        }
        if let Some(more) = self.more.take() {
            more.iter()
                .for_each(|another| visit(&another.waker, another.direction));
            self.more.set(Some(more));
        }
    }

    /// Has a direction more than one waiter?
    pub(crate) fn is_crowded(&self) -> bool {
        self.state.get() & CROWDED != 0
    }

    /// Level mode: the interest that the waiters of this moment need; `None` if nobody waits.
    pub(crate) fn want(&self) -> Option<Events> {
        let mut bits = 0;
        for direction in [Direction::Read, Direction::Write] {
            if self.first[direction as usize].id.get() != 0 {
                bits |= direction.bit();
            }
        }
        if self.state.get() & CROWDED != 0 {
            let more = self.more.take().unwrap_or_default();
            bits |= more
                .iter()
                .fold(0, |bits, another| bits | another.direction.bit());
            self.more.set(Some(more));
        }
        Events::from_bits(bits)
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
