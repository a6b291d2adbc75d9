//! A slot that may have more than one waiter: who comes and goes the long way, what is asked of the
//! [crowd](crate::heart::crowd), and who is shown to those who ask.

use std::rc::Rc;
use std::task::Waker;

use selectors_core::Readiness;

use crate::heart::crowd::{Crowd, Use, WaiterId};
use crate::heart::flush::give_back;
use crate::heart::shared::Shared;
use crate::heart::slot::{AWAITED, CROWDED, Marked, Slot};
use crate::watch::direction::Direction;

impl Slot {
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

    /// Is this waiter here?
    pub(crate) fn knows(&self, direction: Direction, id: WaiterId) -> bool {
        self.is_first(direction, id)
            || self.is_crowded() && self.with_crowd(|crowd| crowd.find(direction, id).is_some())
    }

    #[cold]
    pub(super) fn forget_in_crowd(&self, direction: Direction, id: WaiterId) {
        let gone = self.with_crowd(|crowd| crowd.leave(direction, id));
        // Last, because dropping a waker runs code that is not ours.
        drop(gone);
    }

    /// Does something with the crowd, which is out of its place meanwhile. Where nobody is left who
    /// waits for a direction, the crowd hands its mark over to the slot.
    #[cold]
    pub(super) fn with_crowd<R>(&self, act: impl FnOnce(&mut Crowd) -> R) -> R {
        let mut hand = InHand(self, Some(self.take_in_hand()));
        act(hand.1.as_mut().expect("it is in hand"))
    }

    // What surrounds the act is in a program once.
    #[inline(never)]
    fn take_in_hand(&self) -> Box<Crowd> {
        self.crowd.take().unwrap_or_default()
    }

    #[inline(never)]
    fn put_back(&self, mut crowd: Box<Crowd>) {
        let mut state = self.state.get() | crowd.hand_over();
        if crowd.is_empty() {
            state &= !CROWDED;
        }
        self.state.set(state);
        self.crowd.set(Some(crowd));
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
    pub(crate) fn for_each_waiter(&self, visit: &mut dyn FnMut(&Waker, Direction)) {
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
}

impl Shared {
    /// An event has left some of this crowd asleep.
    #[cold]
    pub(super) fn wake_more_of(&self, slot: &Rc<Slot>) {
        self.sleepers.borrow_mut().push(Rc::clone(slot));
        self.special.set(true);
    }

    /// Wakes the next of crowds that an event left asleep; see [`crowd`](crate::heart::crowd).
    pub(super) fn next_waves(&self, woken: &mut Vec<Waker>) {
        let mut sleepers = self.sleepers.borrow_mut();
        sleepers.retain(|slot| slot.next_wave(woken));
        give_back(&mut sleepers);
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
struct InHand<'a>(&'a Slot, Option<Box<Crowd>>);

impl Drop for InHand<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(crowd) = self.1.take() {
            self.0.put_back(crowd);
        }
    }
}
