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

use crate::ready::marks::NO_TASK;
use crate::ready::scheduler::{Next, Scheduler};
use crate::run::counted::Watched;
use crate::run::current::{self, Mail, Remote};
use crate::run::stopping::Stopping;
use crate::run::waker::TaskId;
use crate::spawn::task::{Job, Polled};
use crate::task::foreign::drop_contained;
use crate::task::slab::{Open, Tasks};
use crate::task::spare::Spare;
use crate::wake::inbox::{Inbox, Letters, Sleep};
use crate::watch::metrics::Counts;

/// Steps between two looks at the kernel. A task that wakes itself runs at most this often before
/// sockets and timers get their chance; each look costs a system call. By level it may be more.
///
/// Not only polls count: a task that is dropped, a hint of the queue that is stale, and a message of
/// another thread are steps as well, and there is no end of any of them.
const STEPS_PER_TURN: usize = 64;

/// Messages at the beginning of a pass: the other half is for tasks, however many messages come.
const MESSAGES_FIRST: usize = STEPS_PER_TURN / 2;

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
    /// Messages of other threads that were taken out of the box, and not read yet.
    letters: RefCell<Letters<Mail>>,
    /// The counted wakers, while somebody observes.
    pub(crate) watched: Watched,
    /// What happened so far.
    pub(crate) counts: Counts,
    /// Was a shutdown asked for?
    pub(crate) stopping: Stopping,
    /// The slot of the future of `block_on`.
    pub(crate) root: Cell<u32>,
    /// Steps that the present pass may make, those taken off that are no polls.
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
        let (number, past) = current::enlist(&remote)?;
        Ok(Core {
            number,
            reactor,
            scheduler: RefCell::new(Scheduler::new(number, past, seed)),
            tasks: Tasks::default(),
            spare: Spare::default(),
            remote,
            letters: RefCell::default(),
            root: Cell::new(NO_TASK),
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
        let id = self.scheduler.borrow_mut().new_root();
        self.root.set(id.slot());
        let waker = id.waker();
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = self.poll_tasks(|| root.as_mut().poll(&mut cx)) {
                return Ok(output);
            }
            self.turn(None)?;
        }
    }

    /// The same as [`poll_tasks`](Self::poll_tasks) without a root, if there is anything to do. Was
    /// anybody there, or do we only know that messages were stale?
    pub(crate) fn poll_somebody(&self) -> bool {
        let idle = self.is_idle();
        if idle && !self.has_mail() {
            return false;
        }
        let before = self.counts.polls.get();
        let _: Poll<()> = self.poll_tasks(|| Poll::Pending);
        !idle || self.counts.polls.get() != before
    }

    /// Polls who is woken, one after another, until nobody is or it is time to look at the kernel.
    /// Ready if `poll_root` is.
    pub(crate) fn poll_tasks<R>(&self, mut poll_root: impl FnMut() -> Poll<R>) -> Poll<R> {
        let read = self.collect_mail(MESSAGES_FIRST);
        if self.reactor.is_observed() {
            return self.poll_observed(read, poll_root);
        }
        let mut tasks = self.tasks.open();
        // In memory, because a register is dearer: the loop below does not need it.
        self.at_most.set(self.steps(read));
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
                    self.not_polls(1);
                }
                Next::Stale => self.not_polls(1),
                Next::Nobody => {
                    let read = self.collect_mail(left);
                    if read == 0 {
                        break Poll::Pending;
                    }
                    self.not_polls(read);
                    left -= read - 1;
                }
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

    #[cold]
    fn not_polls(&self, steps: usize) {
        self.at_most.set(self.at_most.get() - steps);
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
        if slot == self.root.get() {
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
            if self.scheduler.borrow_mut().remove(slot) {
                self.give_back(tasks);
            }
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
        let given_back = self.scheduler.borrow_mut().remove(slot);
        let job = tasks.vacate(slot);
        if given_back {
            self.give_back(tasks);
        }
        job
    }

    /// A burst of tasks is over.
    #[cold]
    fn give_back(&self, tasks: &mut Open<'_>) {
        tasks.give_back(self.scheduler.borrow().slots());
        self.watched.give_back();
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

    /// Steps until the next look at the kernel, after `done` of them: by level at least everybody who
    /// is queued, for a look would park the keys of those who were woken and have not run, and arm
    /// them again later.
    #[inline]
    pub(crate) fn steps(&self, done: usize) -> usize {
        let left = STEPS_PER_TURN - done;
        if self.reactor.trigger() == Trigger::Edge {
            return left;
        }
        self.scheduler.borrow().queued().max(left)
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

    /// Foreign wakes become entries in our own queue. Reads `most` messages at most, and says how
    /// many it was.
    #[inline]
    pub(crate) fn collect_mail(&self, most: usize) -> usize {
        if self.has_mail() {
            self.open_mail(most)
        } else {
            0
        }
    }

    /// Are there messages that were not read?
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        self.remote.inbox.has_mail()
    }

    #[cold]
    fn open_mail(&self, most: usize) -> usize {
        self.quiet_sleeps.set(0);
        let mut read = 0;
        let reading = Reading(self);
        while read < most {
            let Some(mail) = reading.next() else {
                break;
            };
            read += 1;
            self.counts.foreign_messages.add(1);
            match mail {
                Mail::Wake(id) if self.reactor.is_observed() => {
                    self.observe_wake(id, Cause::Thread);
                }
                Mail::Wake(id) => drop(self.scheduler.borrow_mut().schedule(id)),
                Mail::Abort(id) => self.abort_task(id),
                Mail::Spawn(spawn) => spawn(self),
            }
        }
        read
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
        let _entered = current::enter(self);
        // Nothing is taken in any more, so one pass meets them all. Nothing is borrowed meanwhile:
        // a future may do anything in its destructor.
        self.tasks.take_all().into_iter().for_each(drop_contained);
        let unread = self.letters.take();
        unread.for_each(drop_contained);
        self.remote.inbox.close().for_each(drop_contained);
        current::strike_off(self.number, self.scheduler.borrow().past());
    }
}

/// While messages are read. What is left then, also by a panic, is not forgotten.
struct Reading<'a>(&'a Core);

impl Reading<'_> {
    fn next(&self) -> Option<Mail> {
        self.0.remote.inbox.next(&mut self.0.letters.borrow_mut())
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.remote.inbox.stop_reading(&self.0.letters.borrow());
    }
}
