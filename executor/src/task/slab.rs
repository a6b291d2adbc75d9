//! The slab of tasks: the futures, by slot.
//!
//! It is borrowed from one look at the kernel to the next, so a poll costs no more than finding its
//! place. What is spawned meanwhile arrives in a list beside it, and moves in when it has to wait, or
//! others have arrived after it.

use std::cell::{Cell, RefCell, RefMut};
use std::mem;
use std::task::{Context, Waker};

use reactor::Ascending;

use crate::task::id::Id;
use crate::task::job::{Job, Polled, Vacant};

/// Room for that many arrivals is kept in any case.
const FEW: usize = 1024;

/// A place in the slab. In this order the address of a place is that of its waker.
#[repr(C)]
pub(crate) struct Place {
    /// The task's waker, made once.
    waker: Waker,
    job: Job,
}

impl Place {
    fn vacant() -> Self {
        Place {
            waker: Waker::noop().clone(),
            job: Box::pin(Vacant),
        }
    }
}

/// The futures of one runtime.
#[derive(Default)]
pub(crate) struct Slab {
    places: RefCell<Places>,
    /// Spawned last, and not in the slab yet: apart, because who is polled at once needs no more.
    newest: Cell<Option<(Id, Job)>>,
    /// Those spawned before.
    arrivals: RefCell<Vec<(Id, Job)>>,
}

/// Those who have a place.
#[derive(Default)]
struct Places {
    /// Indexed by slot; place 0 stays vacant.
    near: Vec<Place>,
    /// Those who were in a part of the list that was given back.
    far: Ascending<Place>,
}

impl Slab {
    /// Takes a task in; possible at any time.
    #[inline]
    pub(crate) fn insert(&self, id: Id, job: Job) {
        if let Some(before) = self.newest.replace(Some((id, job))) {
            self.insert_before(before);
        }
    }

    #[inline(never)]
    fn insert_before(&self, arrival: (Id, Job)) {
        self.arrivals.borrow_mut().push(arrival);
    }

    /// Borrows the slab for polling. Only the run loop does, and it does not call itself.
    pub(crate) fn open(&self) -> OpenSlab<'_> {
        OpenSlab {
            slab: self,
            places: self.places.borrow_mut(),
        }
    }

    /// Takes all tasks out, in the order of their slots.
    pub(crate) fn take_all(&self) -> Vec<Job> {
        let mut open = self.open();
        open.settle(|_| Waker::noop().clone());
        let Places { mut near, mut far } = mem::take(&mut *open.places);
        far.take_all(&mut near);
        near.into_iter().map(|place| place.job).collect()
    }
}

/// The slab, borrowed.
pub(crate) struct OpenSlab<'a> {
    slab: &'a Slab,
    places: RefMut<'a, Places>,
}

impl OpenSlab<'_> {
    /// Polls the task in `slot` with its own waker, if it is near.
    #[inline(always)]
    pub(crate) fn poll(&mut self, slot: u32) -> Polled {
        match self.places.near.get_mut(slot as usize) {
            Some(Place { job, waker }) => job.as_mut().poll(&mut Context::from_waker(waker)),
            None => Polled::Nobody,
        }
    }

    /// The same, wherever it is, and with another waker if need be.
    pub(crate) fn poll_anywhere(&mut self, slot: u32, other: Option<&Waker>) -> Polled {
        match self.place(slot) {
            Some(Place { job, waker }) => {
                let mut cx = Context::from_waker(other.unwrap_or(waker));
                job.as_mut().poll(&mut cx)
            }
            None => Polled::Nobody,
        }
    }

    fn place(&mut self, slot: u32) -> Option<&mut Place> {
        let Places { near, far } = &mut *self.places;
        near.get_mut(slot as usize)
            .or_else(|| far.get_mut(slot.into()))
    }

    /// Takes the task out of its place.
    #[inline]
    pub(crate) fn vacate(&mut self, slot: u32) -> Job {
        let vacant = Box::pin(Vacant);
        match self.places.near.get_mut(slot as usize) {
            Some(place) => mem::replace(&mut place.job, vacant),
            None => match self.places.far.remove(slot.into()) {
                Some(place) => place.job,
                None => vacant,
            },
        }
    }

    /// Moves those that have arrived to their places, with their own wakers.
    pub(crate) fn settle(&mut self, waker: impl Fn(Id) -> Waker) {
        while let Some((id, job)) = self.last_arrival() {
            self.settle_one(id, job, waker(id));
        }
    }

    fn last_arrival(&self) -> Option<(Id, Job)> {
        let newest = self.slab.newest.take();
        newest.or_else(|| self.slab.arrivals.borrow_mut().pop())
    }

    /// The task in `slot`, if it is the one that arrived last: who is over after one poll needs no
    /// place. Otherwise it is to be [settled](Self::settle_one).
    #[inline]
    pub(crate) fn newcomer(&mut self, slot: u32) -> Option<(Id, Job)> {
        let (id, job) = self.last_arrival()?;
        if id.slot() == slot {
            return Some((id, job));
        }
        self.slab.newest.set(Some((id, job)));
        None
    }

    /// Gives memory back after a burst: `slots` are left, besides those who are `far`. All have
    /// settled.
    #[cold]
    pub(crate) fn give_back(&mut self, slots: usize, far: impl DoubleEndedIterator<Item = u32>) {
        let places = &mut *self.places;
        for slot in far.rev() {
            if let Some(place) = places.near.get_mut(slot as usize) {
                let place = mem::replace(place, Place::vacant());
                places.far.push_front(slot.into(), place);
            }
        }
        places.near.truncate(slots);
        places.near.shrink_to_fit();
        let mut arrivals = self.slab.arrivals.borrow_mut();
        let arrived = arrivals.len();
        arrivals.shrink_to(FEW.max(arrived * 2));
    }

    /// Moves one to its place.
    pub(crate) fn settle_one(&mut self, id: Id, job: Job, waker: Waker) {
        let slot = id.slot();
        if slot as usize >= self.places.near.len() {
            self.grow(slot);
        }
        self.places.near[slot as usize] = Place { waker, job };
    }

    /// Makes the list reach `slot`, and those come near whom it passes.
    fn grow(&mut self, slot: u32) {
        let Places { near, far } = &mut *self.places;
        for reached in near.len()..=slot as usize {
            let known = far.remove(reached as u64);
            near.push(known.unwrap_or_else(Place::vacant));
        }
    }
}
