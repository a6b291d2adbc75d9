//! What a runtime consists of, and what a wake and an abort do to it.

use std::cell::{Cell, RefCell};
use std::io;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use reactor::Reactor;
use reactor::observe::{Cause, Event};

use selectors_core::act;

use crate::ready::scheduler::Scheduler;
use crate::run::counted::CountedWakers;
use crate::run::runtimes;
use crate::run::stop::Stop;
use crate::task::acts::{self, Act};
use crate::task::id::Id;
use crate::task::slab::Slab;
use crate::task::spare::Spare;
use crate::wake::letters::Letters;
use crate::wake::remote::{Mail, Remote};

/// One runtime, as its handles and the thread-local see it.
pub(crate) struct Core {
    /// The place in the list of runtimes; a part of every task id.
    pub(crate) number: u16,
    pub(crate) reactor: Reactor,
    /// Who is woken.
    pub(crate) scheduler: RefCell<Scheduler>,
    /// The futures.
    pub(crate) slab: Slab,
    /// Boxes for tasks.
    pub(crate) spare: Spare,
    /// What other threads share with us.
    pub(crate) remote: Arc<Remote>,
    /// Messages of other threads that were taken out of the box, and not read yet.
    pub(super) letters: RefCell<Letters<Mail>>,
    /// Those were so many that memory is to be given back.
    pub(super) mail_burst: Cell<bool>,
    /// The counted wakers, while somebody observes.
    pub(crate) watched: CountedWakers,
    /// Was a shutdown asked for?
    pub(crate) stop: Stop,
    /// The slot of the future of `block_on`.
    pub(super) root: Cell<u32>,
    /// Sleeps since the last foreign wake.
    pub(super) quiet_sleeps: Cell<u32>,
    /// The runtime is being dropped: nothing new is taken in.
    pub(super) closed: Cell<bool>,
    /// Polls so far.
    pub(crate) polls: Count,
    /// Wakes through a waker on this thread so far, those by timers included.
    pub(crate) local_wakes: Count,
    /// Messages of other threads that were read so far.
    pub(crate) messages: Count,
}

/// A counter of one thread.
#[derive(Default)]
pub(crate) struct Count(Cell<u64>);

impl Count {
    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }

    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.set(self.0.get() + count);
    }
}

/// Nothing of it is borrowed, or half changed, while code of others runs.
impl RefUnwindSafe for Core {}

impl Core {
    pub(crate) fn new(reactor: Reactor, seed: Option<u64>) -> io::Result<Self> {
        let remote = Arc::new(Remote::new(reactor.notifier()));
        let (number, past) = runtimes::enlist(&remote)?;
        Ok(Core {
            number,
            reactor,
            scheduler: RefCell::new(Scheduler::new(number, past, seed)),
            slab: Slab::default(),
            spare: Spare::default(),
            remote,
            letters: RefCell::default(),
            mail_burst: Cell::default(),
            watched: CountedWakers::default(),
            stop: Stop::default(),
            root: Cell::default(),
            quiet_sleeps: Cell::default(),
            closed: Cell::default(),
            polls: Count::default(),
            local_wakes: Count::default(),
            messages: Count::default(),
        })
    }

    /// A wake on this thread, where it takes no more than a push. False, and nothing is done, where
    /// it takes more, or somebody observes: then [`wake`](Self::wake) does it.
    #[inline]
    pub(crate) fn wake_at_once(&self, id: Id) -> bool {
        let woken = !self.reactor.is_observed() && self.scheduler.borrow_mut().schedule_at_once(id);
        if woken {
            self.local_wakes.add(1);
        }
        woken
    }

    /// A wake on this thread.
    #[cold]
    pub(crate) fn wake(&self, id: Id) {
        let by = self.reactor.cause();
        // The reactor counts those itself.
        if by != Cause::Reactor {
            self.local_wakes.add(1);
        }
        act!(acts::Woken, self.schedule(id, by));
    }

    /// Queues a task, before the eyes of an observer if there is one.
    #[inline]
    pub(super) fn schedule(&self, id: Id, by: Cause) {
        if self.reactor.is_observed() {
            self.schedule_told(id, by);
        } else {
            self.scheduler.borrow_mut().schedule(id);
        }
    }

    #[cold]
    fn schedule_told(&self, id: Id, by: Cause) {
        let (before, queued) = {
            let mut scheduler = self.scheduler.borrow_mut();
            let before = scheduler.queued();
            scheduler.schedule(id);
            (before, scheduler.queued())
        };
        let task = id.bits();
        let coalesced = before == queued;
        let told = Event::Wake {
            task,
            by,
            coalesced,
        };
        let at = match by {
            Cause::Thread => acts::WokenByMail::AT,
            _ => acts::Woken::AT,
        };
        self.reactor.emit(told, at);
        if !coalesced {
            let told = Event::Enqueue { task, queued };
            self.reactor.emit(told, acts::Pushed::AT);
        }
    }

    /// The task's future is dropped the next time that it would be polled.
    #[cold]
    pub(crate) fn abort_task(&self, id: Id) {
        // A wake like any other, to those who watch.
        self.wake(id);
        self.scheduler.borrow_mut().abort(id);
    }

    /// Tasks that exist, the future of `block_on` not counted.
    pub(crate) fn live(&self) -> usize {
        self.scheduler.borrow().live()
    }

    /// Is nobody woken?
    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.borrow().is_idle()
    }

    /// Is there a timer on a clock that stands still? Then a turn goes to it, and takes no time.
    pub(crate) fn waits_for_a_paused_clock(&self) -> bool {
        self.reactor.is_paused() && self.reactor.metrics().timers != 0
    }

    /// Is the runtime gone?
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }
}
