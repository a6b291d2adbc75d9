//! What an observer is told of the loop: nothing here is called while nobody observes.

use std::panic::Location;

use reactor::observe::Event;
use selectors_core::act;

use crate::run::core::Core;
use crate::run::waker;
use crate::task::acts::{self, Act};
use crate::task::id::Id;
use crate::task::job::Polled;
use crate::task::slab::OpenSlab;

impl Core {
    /// Polls a task before the eyes of an observer, with a waker that is counted.
    #[cold]
    pub(super) fn poll_told(&self, slot: u32, mut tasks: OpenSlab<'_>) -> Polled {
        let id = self.tell_begin(slot);
        tasks.again().settle(waker::waker);
        if slot == self.root.get() {
            return Polled::Nobody;
        }
        let polled = tasks.poll_anywhere(slot, Some(&self.watched.waker(id)));
        if let Polled::Pending = polled {
            self.tell_end(id, false);
        }
        polled
    }

    #[cold]
    pub(super) fn tell_begin(&self, slot: u32) -> Id {
        let id = self.scheduler.borrow().id(slot);
        let told = Event::PollBegin { task: id.bits() };
        self.reactor.emit(told, self.polls_at(id));
        id
    }

    #[cold]
    pub(super) fn tell_end(&self, id: Id, ready: bool) {
        let task = id.bits();
        let told = Event::PollEnd { task, ready };
        self.reactor.emit(told, self.polls_at(id));
        if ready {
            self.watched.forget(id);
            self.reactor.emit(Event::Done { task }, acts::Removed::AT);
        }
    }

    /// The line that polls this one.
    fn polls_at(&self, id: Id) -> &'static Location<'static> {
        match id.slot() == self.root.get() {
            true => acts::PolledRoot::AT,
            false => acts::Polled::AT,
        }
    }

    /// The loop is about to sleep, and nobody is queued: whose last waker is gone?
    #[cold]
    pub(super) fn tell_lost(&self) {
        let lost = act!(acts::Lost, self.watched.take_lost());
        // A thread wakes first and gives its waker up second: what it sent must be here by now.
        if !self.has_mail() {
            for id in lost {
                let told = Event::Lost { task: id.bits() };
                self.reactor.emit(told, acts::Lost::AT);
            }
        }
    }
}
