//! The run loop: poll who was woken, take a turn of the reactor, sleep when nobody is left.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};
use std::time::Duration;

use reactor::observe::Cause;
use reactor::{Reactor, Trigger, Turn};

use crate::inbox::{Inbox, Sleep};
use crate::metrics::Counts;
use crate::scheduler::{Next, ROOT, Scheduler};
use crate::spare::Spare;
use crate::spawning::drop_job;
use crate::stopping::Stopping;
use crate::task::{Job, Polled};
use crate::tasks::{Open, Tasks};
use crate::wake::{self, Mail, Remote};
use crate::waker::TaskId;
use crate::watched::Watched;

/// Polls between two looks at the kernel. A task that wakes itself runs at most this often before
/// sockets and timers get their chance; each look costs a system call. By level it may be more.
pub(crate) const POLLS_PER_TURN: usize = 64;

/// Sleeps in a row without foreign mail before the loop stops announcing them.
const QUIET_AFTER: u32 = 32;

/// One runtime, as its handles and the thread-local see it.
pub(crate) struct Core {
    /// The place in the list of runtimes; a part of every task id.
    pub(crate) number: u16,
    pub(crate) reactor: Reactor,
    /// Who is woken.
    pub(crate) scheduler: RefCell<Scheduler>,
    /// The futures.
    pub(crate) tasks: Tasks,
    /// Boxes for tasks.
    pub(crate) spare: Spare,
    /// What other threads share with us.
    pub(crate) remote: Arc<Remote>,
    /// The counted wakers, while somebody observes.
    pub(crate) watched: Watched,
    /// What happened so far.
    pub(crate) counts: Counts,
    /// Was a shutdown asked for?
    pub(crate) stopping: Stopping,
    /// Polls that the present pass may make.
    at_most: Cell<usize>,
    /// Sleeps since the last foreign wake.
    quiet_sleeps: Cell<u32>,
    /// The runtime is being dropped: nothing new is taken in.
    closed: Cell<bool>,
}

impl Core {
    pub(crate) fn new(reactor: Reactor, seed: Option<u64>) -> io::Result<Self> {
        let notifier = reactor.notifier();
        let remote = Arc::new(Remote {
            inbox: Inbox::new(),
            notifications: AtomicU64::new(0),
            notifier,
        });
        let number = wake::enlist(&remote)?;
        Ok(Core {
            number,
            reactor,
            scheduler: RefCell::new(Scheduler::new(number, seed)),
            tasks: Tasks::default(),
            spare: Spare::default(),
            remote,
            at_most: Cell::new(0),
            quiet_sleeps: Cell::new(0),
            watched: Watched::default(),
            counts: Counts::default(),
            stopping: Stopping::default(),
            closed: Cell::new(false),
        })
    }

    /// A wake on this thread, where it takes no more than a push. False, and nothing is done, where
    /// it takes more, or somebody observes: then [`wake`](Self::wake) does it.
    #[inline]
    pub(crate) fn wake_at_once(&self, id: TaskId) -> bool {
        let woken = !self.reactor.is_observed() && self.scheduler.borrow_mut().schedule_at_once(id);
        if woken {
            self.counts.local_wakes.add(1);
        }
        woken
    }

    /// A wake on this thread.
    #[cold]
    pub(crate) fn wake(&self, id: TaskId) {
        if self.reactor.is_observed() {
            self.observe_local_wake(id);
        } else {
            self.counts.local_wakes.add(1);
            self.scheduler.borrow_mut().schedule(id);
        }
    }

    /// The task's future is dropped the next time that it would be polled.
    #[cold]
    pub(crate) fn abort_task(&self, id: TaskId) {
        // A wake like any other, to those who watch.
        self.wake(id);
        self.scheduler.borrow_mut().abort(id);
    }

    /// Tasks that exist, the future of `block_on` not counted.
    pub(crate) fn live(&self) -> usize {
        self.scheduler.borrow().live()
    }

    /// Runs tasks and turns until `root` is done.
    pub(crate) fn run<F: Future>(&self, mut root: Pin<&mut F>) -> io::Result<F::Output> {
        let waker = self.scheduler.borrow_mut().new_root().waker();
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = self.poll_tasks(|| root.as_mut().poll(&mut cx)) {
                return Ok(output);
            }
            self.turn(None)?;
        }
    }

    /// Polls who is woken, one after another, until nobody is or it is time to look at the kernel.
    /// Ready if `poll_root` is.
    pub(crate) fn poll_tasks<R>(&self, mut poll_root: impl FnMut() -> Poll<R>) -> Poll<R> {
        self.collect_mail();
        if self.reactor.is_observed() {
            return self.poll_observed(poll_root);
        }
        let mut tasks = self.tasks.open();
        // In memory, because a register is dearer: the loop below does not need it.
        self.at_most.set(self.polls_per_turn());
        let mut left = self.at_most.get();
        let answer = loop {
            // A task that used its budget up goes on after a look at the kernel; who has begun to
            // observe sees what comes after it.
            if self.reactor.refill_budget() {
                break Poll::Pending;
            }
            let next = self.scheduler.borrow_mut().next();
            match next {
                Next::Poll(slot) => {
                    let polled = tasks.poll(slot);
                    // Nearly always; the others share one test.
                    if !matches!(polled, Polled::Pending) {
                        let answer = self.go_on(polled, slot, &mut tasks, &mut poll_root);
                        if answer.is_ready() {
                            left -= 1;
                            break answer;
                        }
                    }
                }
                Next::Abort(slot) => {
                    tasks.settle();
                    self.end(slot, &mut tasks);
                    continue;
                }
                Next::Nobody if self.collect_mail() => continue,
                Next::Nobody => break Poll::Pending,
            }
            left -= 1;
            if left == 0 {
                break Poll::Pending;
            }
        };
        let polls = self.at_most.get() - left;
        self.counts.polls.add(polls as u64);
        answer
    }

    /// After a poll of who is over, or is not in the slab: the root, or a task that has just arrived,
    /// which is polled now. Ready if the root is.
    #[inline(never)]
    fn go_on<R>(
        &self,
        polled: Polled,
        slot: u32,
        tasks: &mut Open<'_>,
        poll_root: &mut impl FnMut() -> Poll<R>,
    ) -> Poll<R> {
        if let Polled::Ready = polled {
            self.end(slot, tasks);
            return Poll::Pending;
        }
        if slot == ROOT {
            return poll_root();
        }
        let Some((id, mut job)) = tasks.newcomer(slot) else {
            tasks.settle();
            if let Polled::Ready = tasks.poll(slot) {
                self.end(slot, tasks);
            }
            return Poll::Pending;
        };
        let waker = id.waker();
        let polled = job.as_mut().poll(&mut Context::from_waker(&waker));
        TaskId::forget(waker);
        if let Polled::Pending = polled {
            tasks.settle_one(id, job);
        } else {
            self.scheduler.borrow_mut().remove(slot);
            self.retire(job);
        }
        Poll::Pending
    }

    /// A task is over: out of line, to leave the loop its registers.
    #[inline(never)]
    fn end(&self, slot: u32, tasks: &mut Open<'_>) {
        self.retire(self.finish(slot, tasks));
    }

    /// A task is over: its slot is free. The task itself is the caller's to retire.
    #[inline(always)]
    pub(crate) fn finish(&self, slot: u32, tasks: &mut Open<'_>) -> Job {
        self.scheduler.borrow_mut().remove(slot);
        tasks.vacate(slot)
    }

    /// One turn of the reactor: asleep, for `timeout` at most, if nobody is ready; else a look.
    pub(crate) fn turn(&self, timeout: Option<Duration>) -> io::Result<Turn> {
        let inbox = &self.remote.inbox;
        if !self.is_idle()
            || timeout == Some(Duration::ZERO)
            || inbox.prepare_to_sleep() == Sleep::MailFirst
        {
            return self.turn_reactor(Some(Duration::ZERO));
        }
        if self.reactor.is_observed() {
            self.tell_lost();
        }
        let turn = self.turn_reactor(timeout);
        inbox.woke_up();
        let quiet = self.quiet_sleeps.get().saturating_add(1);
        self.quiet_sleeps.set(quiet);
        if quiet == QUIET_AFTER {
            inbox.quiet();
        }
        turn
    }

    /// Polls until the next look at the kernel: by level at least everybody who is queued, for a
    /// look would park the keys of those who were woken and have not run, and arm them again later.
    #[inline]
    pub(crate) fn polls_per_turn(&self) -> usize {
        if self.reactor.trigger() == Trigger::Edge {
            return POLLS_PER_TURN;
        }
        self.scheduler.borrow().queued().max(POLLS_PER_TURN)
    }

    /// Is the runtime gone?
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Is nobody woken?
    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.borrow().is_idle()
    }

    /// A wake by the reactor nearly always means a task of ours: those need not go round by the
    /// vtable and the thread-local, and all of them share one borrow.
    fn turn_reactor(&self, timeout: Option<Duration>) -> io::Result<Turn> {
        if self.reactor.is_observed() {
            return self.reactor.turn(timeout);
        }
        let mut scheduler = self.scheduler.borrow_mut();
        self.reactor
            .turn_with(timeout, move |waker| match TaskId::of(&waker) {
                Some(id) if scheduler.schedule(id) => {
                    TaskId::forget(waker);
                    None
                }
                _ => Some(waker),
            })
    }

    /// Foreign wakes become entries in our own queue. False if there were none.
    #[inline]
    pub(crate) fn collect_mail(&self) -> bool {
        let mail = self.remote.inbox.has_mail();
        if mail {
            self.open_mail();
        }
        mail
    }

    #[cold]
    fn open_mail(&self) {
        self.quiet_sleeps.set(0);
        let mut mail = Vec::new();
        self.remote.inbox.take(&mut mail);
        self.counts.foreign_messages.add(mail.len() as u64);
        for mail in mail {
            match mail {
                Mail::Wake(id) if self.reactor.is_observed() => {
                    self.observe_wake(id, Cause::Thread);
                }
                Mail::Wake(id) => drop(self.scheduler.borrow_mut().schedule(id)),
                Mail::Abort(id) => self.abort_task(id),
                Mail::Spawn(spawn) => spawn(self),
            }
        }
    }

    /// Drops every task, in the order of their slots, while this runtime is still current, so
    /// that what they hold can unregister itself.
    pub(crate) fn close(self: &Rc<Self>) {
        // Once: the number may be another runtime's by the second time.
        if self.closed.replace(true) {
            return;
        }
        self.reactor.abandon_if_forked();
        let _reactor = self.reactor.enter();
        let _entered = wake::enter(self);
        // Nothing is taken in any more, so one pass meets them all. Nothing is borrowed meanwhile:
        // a future may do anything in its destructor.
        for job in self.tasks.take_all() {
            drop_job(job);
        }
        for mail in self.remote.inbox.close() {
            drop_job(mail);
        }
        wake::strike_off(self.number);
    }
}
