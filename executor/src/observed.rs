//! What the executor tells an observer; see [`reactor::observe`].

use std::panic::Location;

use reactor::observe::{Cause, Event};

use crate::core::Core;
use crate::waker::TaskId;

impl Core {
    #[cold]
    #[track_caller]
    pub(crate) fn observe_spawn(&self, id: TaskId, from: &'static Location<'static>) {
        let task = id.bits();
        self.reactor.emit(Event::Spawn { task, from });
        let queued = self.scheduler.borrow().queued();
        self.reactor.emit(Event::Enqueue { task, queued });
    }

    /// A wake on this thread, before the observer's eyes.
    #[cold]
    pub(crate) fn observe_local_wake(&self, id: TaskId) {
        let by = self.reactor.cause();
        // The reactor counts those itself.
        if by != Cause::Reactor {
            self.counts.local_wakes.add(1);
        }
        self.observe_wake(id, by);
    }

    /// Wakes a task before the observer's eyes.
    #[cold]
    #[track_caller]
    pub(crate) fn observe_wake(&self, id: TaskId, by: Cause) {
        let (before, after) = {
            let mut scheduler = self.scheduler.borrow_mut();
            let before = scheduler.queued();
            scheduler.schedule(id);
            (before, scheduler.queued())
        };
        let task = id.bits();
        let coalesced = before == after;
        self.reactor.emit(Event::Wake {
            task,
            by,
            coalesced,
        });
        if !coalesced {
            self.reactor.emit(Event::Enqueue {
                task,
                queued: after,
            });
        }
    }

    #[cold]
    #[track_caller]
    pub(crate) fn observe_poll_begin(&self, id: TaskId) {
        self.reactor.emit(Event::PollBegin { task: id.bits() });
    }

    #[cold]
    #[track_caller]
    pub(crate) fn observe_poll_end(&self, id: TaskId, ready: bool) {
        let task = id.bits();
        self.reactor.emit(Event::PollEnd { task, ready });
        if ready {
            self.forget_watched(id);
            self.reactor.emit(Event::Done { task });
        }
    }
}
