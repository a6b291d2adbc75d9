//! What the executor tells an observer; see [`reactor::observe`].

use std::panic::Location;
use std::task::Poll;

use reactor::observe::{Cause, Event};

use crate::ready::scheduler::Next;
use crate::run::core::Core;
use crate::run::waker::TaskId;
use crate::spawn::task::Polled;

impl Core {
    /// The same as [`poll_tasks`](Self::poll_tasks), before the eyes of an observer.
    #[cold]
    pub(crate) fn poll_observed<R>(
        &self,
        read: usize,
        mut poll_root: impl FnMut() -> Poll<R>,
    ) -> Poll<R> {
        let mut tasks = self.tasks.open();
        let root = self.root.get();
        let mut left = self.steps(read);
        while left != 0 {
            self.reactor.refill_budget();
            if self.reactor.take_exhausted() || !self.reactor.is_observed() {
                break;
            }
            let next = self.scheduler.borrow_mut().next();
            let slot = match next {
                Next::Poll(slot) | Next::Abort(slot) => slot,
                Next::Stale => {
                    left -= 1;
                    continue;
                }
                Next::Nobody => match self.collect_mail(left) {
                    0 => break,
                    read => {
                        left -= read;
                        continue;
                    }
                },
            };
            left -= 1;
            let id = self.scheduler.borrow().id(slot);
            self.observe_poll_begin(id);
            let mut answer = Poll::Pending;
            tasks.settle();
            let done = match next {
                Next::Poll(slot) if slot == root => {
                    answer = poll_root();
                    answer.is_ready()
                }
                Next::Poll(_) => {
                    let polled = tasks.poll_with(slot, &self.counted_waker(id));
                    matches!(polled, Polled::Ready)
                }
                _ => true,
            };
            let over = (done && slot != root).then(|| self.finish(slot, &mut tasks));
            self.observe_poll_end(id, done);
            if let Some(job) = over {
                self.retire(job);
            }
            if let Next::Poll(_) = next {
                self.counts.polls.add(1);
            }
            if answer.is_ready() {
                return answer;
            }
        }
        Poll::Pending
    }

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
