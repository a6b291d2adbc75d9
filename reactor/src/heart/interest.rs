//! The key of a slot: whether there is one, and in level mode what the kernel is to watch, what it
//! watches, and whether what it reports is of any use (see [`lasting`](crate::heart::lasting)).

use selectors_core::os::RawFd;
use selectors_core::{Events, Mode};

use crate::heart::slot::{AWAITED_SHIFT, Dirty, Marked, READABLE, SETTLED, Slot, WRITABLE};
use crate::watch::call::Call;
use crate::watch::direction::Direction;

/// There is a key. Its token is asked for at the selector, which has it under the fd.
const REGISTERED: u8 = 1;
/// A short read proves nothing about this fd: it is not what its type says. By edge never SETTLED, so that
/// who is to wait comes by the long way, and asks the kernel first.
const DOUBTFUL: u8 = 2;
/// Since the count of refusals began, one of them was the answer to a first try, or to what is left after
/// a short write: somebody has had success.
const FIRST_TRY: u8 = 4;
/// One call that said WouldBlock, in `key`.
const REFUSAL: u8 = 8;
/// In `armed`: see [`Slot::is_paced`].
const PACED: u8 = 0x80;
/// So many of them are enough: the largest number that there is room for.
const DOUBTED: u8 = 31 * REFUSAL;

impl Slot {
    /// Is there a key?
    pub(crate) fn is_registered(&self) -> bool {
        self.key.get() & REGISTERED != 0
    }

    /// The key was registered with `armed` as its interest.
    pub(crate) fn registered(&self, fd: RawFd, armed: Events, mode: Mode) {
        self.fd.set(fd);
        self.key.set(self.key.get() | REGISTERED);
        match mode {
            Mode::Edge if self.is_doubtful() => {}
            Mode::Edge => self.state.set(self.state.get() | SETTLED),
            _ => self.set_armed(Some(armed)),
        }
    }

    /// It is a listener's, of which an event tells of one connection, most of the time: after that one
    /// it waits for the next event, and asks nobody whether there is another. So its key is
    /// level-triggered, also in edge mode. It stops being paced, and becomes a key like all others, when
    /// an event finds nobody who would accept, in edge mode also if it finds several.
    pub(crate) fn is_paced(&self) -> bool {
        self.armed.get() & PACED != 0
    }

    /// Before the key is registered.
    pub(crate) fn pace(&self) {
        self.armed.set(PACED);
    }

    /// It is not paced any more.
    pub(super) fn hurry(&self) {
        self.armed.set(self.armed.get() & !PACED);
    }

    /// The number of its key.
    pub(crate) fn fd(&self) -> RawFd {
        self.fd.get()
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
        Events::from_bits(self.armed.get() & !PACED)
    }

    pub(crate) fn set_armed(&self, armed: Option<Events>) {
        let paced = self.armed.get() & PACED;
        self.armed.set(paced | armed.map_or(0, Events::bits));
        self.settle();
    }

    /// Level mode: who reads, alone, need not be looked after in each turn if his interest is what the
    /// kernel has: after an event he is back, or the next one finds nobody, and the key is parked then.
    /// One that is in doubt is looked after.
    pub(crate) fn settle(&self) {
        let as_wanted = self.is_registered() && self.armed() == Some(Events::READ);
        let settled = as_wanted && !self.is_suspicious();
        let state = self.state.get() & !SETTLED;
        self.state.set(state | if settled { SETTLED } else { 0 });
    }

    /// Level mode: marks the slot for the next flush; true if it was not marked yet.
    pub(crate) fn mark_dirty(&self) -> bool {
        self.dirty.replace(Dirty::Yes) == Dirty::No
    }

    /// The same for an event that has found no reader.
    pub(super) fn mark_unread(&self, marked: Marked) -> bool {
        if !marked.was_readable() {
            return self.mark_dirty();
        }
        let is_new = self.dirty.get() == Dirty::No;
        if is_new {
            self.dirty.set(Dirty::Patiently);
        }
        is_new
    }

    /// Level mode: may its reader be on his way back?
    pub(super) fn is_patient(&self) -> bool {
        self.dirty.get() == Dirty::Patiently
    }

    pub(crate) fn flushed(&self) {
        self.dirty.set(Dirty::No);
    }

    /// One more call has said WouldBlock: one of ours, by somebody who was woken `for_nothing` or has
    /// not waited, or a closure that may say so for reasons of its own. The count stops where the last one
    /// is to be [doubted](Self::is_suspicious).
    pub(crate) fn count_refusal(&self, call: Call, for_nothing: bool) {
        let first_try = match call == Call::Custom || for_nothing {
            true => 0,
            false => FIRST_TRY,
        };
        let key = self.key.get() | first_try;
        let more = if key < DOUBTED { REFUSAL } else { 0 };
        self.key.set(key + more);
        // By edge nothing else ever is.
        if self.armed.get() != 0 {
            self.settle();
        }
    }

    /// The count of refusals begins anew.
    pub(crate) fn forget_refusals(&self) {
        self.key.set(self.key.get() & (REGISTERED | DOUBTFUL));
    }

    /// The next refusal is doubted as well.
    pub(crate) fn discount_refusal(&self) {
        self.key.set(self.key.get() - REFUSAL);
    }

    /// Have so many calls said WouldBlock that the last one is to be doubted?
    pub(crate) fn is_suspicious(&self) -> bool {
        self.key.get() >= DOUBTED
    }

    /// Were all of them for nothing, or closures of the program's own? Then nobody has had any success in
    /// between.
    pub(crate) fn may_last(&self) -> bool {
        self.key.get() & FIRST_TRY == 0
    }
}
