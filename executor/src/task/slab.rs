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
pub(crate) struct Slab {
    places: RefCell<Places>,
    /// Spawned last, and not in the slab yet: apart, because who is polled at once needs no more.
    newest: Cell<Option<Job>>,
    /// Whose that is.
    newest_id: Cell<Id>,
    /// Those spawned before.
    arrivals: RefCell<Vec<(Id, Job)>>,
}

/// Those who have a place.
#[derive(Default)]
pub(crate) struct Places {
    /// Indexed by slot; place 0 stays vacant.
    near: Vec<Place>,
    /// Those who were in a part of the list that was given back.
    far: Ascending<Place>,
}

impl Default for Slab {
    fn default() -> Self {
        Slab {
            places: RefCell::default(),
            newest: Cell::new(None),
            newest_id: Cell::new(Id::NOBODY),
            arrivals: RefCell::default(),
        }
    }
}

impl Slab {
    /// Takes a task in; possible at any time.
    #[inline]
    pub(crate) fn insert(&self, id: Id, job: Job) {
        let id_before = self.newest_id.replace(id);
        if let Some(before) = self.newest.replace(Some(job)) {
            self.insert_before(id_before, before);
        }
    }

    #[inline(never)]
    fn insert_before(&self, id: Id, job: Job) {
        self.arrivals.borrow_mut().push((id, job));
    }

    fn last_arrival(&self) -> Option<(Id, Job)> {
        match self.newest.take() {
            Some(job) => Some((self.newest_id.get(), job)),
            None => self.arrivals.borrow_mut().pop(),
        }
    }

    /// Borrows the places for polling. Only the run loop does, and it does not call itself.
    pub(crate) fn open(&self) -> RefMut<'_, Places> {
        self.places.borrow_mut()
    }

    /// The slab with its places, which are borrowed.
    #[inline]
    pub(crate) fn with<'a>(&'a self, places: &'a mut Places) -> OpenSlab<'a> {
        OpenSlab { slab: self, places }
    }

    /// Takes all tasks out, in the order of their slots.
    pub(crate) fn take_all(&self) -> Vec<Job> {
        let mut places = self.open();
        self.with(&mut places).settle(|_| Waker::noop().clone());
        let Places { mut near, mut far } = mem::take(&mut *places);
        far.take_all(&mut near);
        near.into_iter().map(|place| place.job).collect()
    }
}

/// The slab, borrowed. Passed on by value, so that its two halves stay in registers.
pub(crate) struct OpenSlab<'a> {
    slab: &'a Slab,
    places: &'a mut Places,
}

impl OpenSlab<'_> {
    /// The same, to be passed on.
    #[inline]
    pub(crate) fn again(&mut self) -> OpenSlab<'_> {
        let OpenSlab { slab, places } = self;
        OpenSlab { slab, places }
    }

    /// Polls the task in `slot` with its own waker, if it is near.
    #[inline(always)]
    pub(crate) fn poll(&mut self, slot: u32) -> Polled {
        match self.places.near.get_mut(slot as usize) {
            Some(Place { job, waker }) => job.as_mut().poll(&mut Context::from_waker(waker)),
            None => Polled::Nobody,
        }
    }

    /// The same, wherever it is, and with another waker if need be.
    pub(crate) fn poll_anywhere(self, slot: u32, other: Option<&Waker>) -> Polled {
        match self.places.place(slot) {
            Some(Place { job, waker }) => {
                let mut cx = Context::from_waker(other.unwrap_or(waker));
                job.as_mut().poll(&mut cx)
            }
            None => Polled::Nobody,
        }
    }

    /// Takes the task out of its place.
    #[inline]
    pub(crate) fn vacate(self, slot: u32) -> Job {
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
    pub(crate) fn settle(mut self, waker: impl Fn(Id) -> Waker) {
        while let Some((id, job)) = self.slab.last_arrival() {
            self.again().settle_one(id, job, waker(id));
        }
    }

    /// Who arrived last.
    #[inline]
    pub(crate) fn newest_id(&self) -> Id {
        self.slab.newest_id.get()
    }

    /// The one that arrived last, if it is in no place yet: who is over after one poll needs none.
    /// Otherwise it is to be [settled](Self::settle_one).
    #[inline]
    pub(crate) fn take_newest(&self) -> Option<Job> {
        self.slab.newest.take()
    }

    /// Moves one to its place.
    pub(crate) fn settle_one(self, id: Id, job: Job, waker: Waker) {
        let slot = id.slot();
        if slot as usize >= self.places.near.len() {
            self.places.grow(slot);
        }
        self.places.near[slot as usize] = Place { waker, job };
    }

    /// Gives memory back after a burst: `slots` are left, besides those who are `far`. All have
    /// settled.
    #[cold]
    pub(crate) fn give_back(self, slots: usize, far: impl Iterator<Item = u32>) {
        let places = self.places;
        let farther = mem::take(&mut places.far);
        for slot in far {
            if let Some(place) = places.near.get_mut(slot as usize) {
                let place = mem::replace(place, Place::vacant());
                places.far.push(slot.into(), place);
            }
        }
        places.far.append(farther);
        places.near.truncate(slots);
        places.near.shrink_to_fit();
        let mut arrivals = self.slab.arrivals.borrow_mut();
        let arrived = arrivals.len();
        arrivals.shrink_to(FEW.max(arrived * 2));
    }
}

impl Places {
    fn place(&mut self, slot: u32) -> Option<&mut Place> {
        let Places { near, far } = self;
        near.get_mut(slot as usize)
            .or_else(|| far.get_mut(slot.into()))
    }

    /// Makes the list reach `slot`, and those come near whom it passes.
    fn grow(&mut self, slot: u32) {
        let Places { near, far } = self;
        for reached in near.len()..=slot as usize {
            let known = far.remove(reached as u64);
            near.push(known.unwrap_or_else(Place::vacant));
        }
    }
}
