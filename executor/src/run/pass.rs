//! The run loop: poll who was woken, take a turn of the reactor, sleep when nobody is left.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use reactor::{Pass, Trigger, Turn};

use selectors_core::act;

use crate::ready::scheduler::Next;
use crate::run::core::Core;
use crate::run::waker;
use crate::task::acts;
use crate::task::foreign::drop_contained;
use crate::task::id::Id;
use crate::task::job::{Job, Polled};
use crate::task::slab::OpenSlab;
use crate::wake::inbox::MaySleep;

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

/// Polls the future of `block_on`; true if it is over.
type PollRoot<'a> = &'a mut dyn FnMut() -> bool;

/// While a future of `block_on` is driven, which may panic.
struct RootEnds<'a>(&'a Core);

impl Drop for RootEnds<'_> {
    fn drop(&mut self) {
        self.0.scheduler.borrow_mut().end_root();
    }
}

impl Core {
    /// Runs tasks and turns until `root` is done.
    pub(crate) fn run<F: Future>(&self, mut root: Pin<&mut F>) -> io::Result<F::Output> {
        let id = self.scheduler.borrow_mut().new_root();
        let _ends = RootEnds(self);
        self.root.set(id.slot());
        let waker = waker::waker(id);
        let mut cx = Context::from_waker(&waker);
        let mut output = None;
        loop {
            self.poll_tasks(&mut || match root.as_mut().poll(&mut cx) {
                Poll::Pending => false,
                Poll::Ready(it) => {
                    output = Some(it);
                    true
                }
            });
            if let Some(output) = output {
                return Ok(output);
            }
            self.turn(None)?;
        }
    }

    /// The same as [`poll_woken`](Self::poll_woken), if there is anything to do. Was anybody there, or
    /// do we only know that messages were stale?
    pub(crate) fn poll_somebody(&self) -> bool {
        let idle = self.is_idle();
        if idle && !self.has_mail() {
            return false;
        }
        let before = self.polls.get();
        self.poll_woken();
        !idle || self.polls.get() != before
    }

    /// The same as [`poll_tasks`](Self::poll_tasks), without a root.
    pub(crate) fn poll_woken(&self) {
        self.poll_tasks(&mut || false);
    }

    /// Polls who is woken, one after another, until nobody is, the root is over, or it is time to look
    /// at the kernel.
    fn poll_tasks(&self, poll_root: PollRoot<'_>) {
        let read = self.collect_mail(MESSAGES_FIRST);
        self.poll_at_most(self.steps(read), poll_root);
    }

    #[inline]
    fn poll_at_most(&self, steps: usize, poll_root: PollRoot<'_>) {
        let pass = self.reactor.begin_pass(steps);
        if self.reactor.is_observed() {
            self.pass::<true>(steps, &pass, poll_root);
        } else {
            self.pass::<false>(steps, &pass, poll_root);
        }
    }

    /// Polls one task that is woken. False if there is none.
    pub(crate) fn poll_one(&self) -> bool {
        let before = self.polls.get();
        while self.polls.get() == before && (!self.is_idle() || self.has_mail()) {
            // All of it: who is woken is found behind messages that are stale.
            self.collect_mail(MESSAGES_FIRST);
            self.poll_at_most(1, &mut || false);
        }
        self.polls.get() != before
    }

    /// Runs tasks and turns until no task is left.
    pub(crate) fn run_all(&self) -> io::Result<()> {
        while !self.is_empty() {
            self.poll_woken();
            if self.live() != 0 {
                self.turn(None)?;
            }
        }
        Ok(())
    }

    /// The loop of [`poll_tasks`](Self::poll_tasks), compiled twice: before the eyes of an observer, and without a
    /// question whether there is one. Who has begun to observe, or has ceased, does so with a new pass; and a
    /// task that used its budget up goes on after a look at the kernel.
    #[inline(never)]
    fn pass<const OBSERVED: bool>(&self, steps: usize, pass: &Pass<'_>, poll_root: PollRoot<'_>) {
        let anything = self.reactor.refill_budget();
        if anything && (!OBSERVED || self.reactor.take_exhausted()) {
            return;
        }
        let mut places = self.slab.open();
        let mut tasks = self.slab.with(&mut places);
        let mut not_polls = 0;
        loop {
            if OBSERVED {
                self.reactor.refill_budget();
            } else {
                pass.begin_step();
            }
            let next = self.scheduler.borrow_mut().next();
            match next {
                Next::Poll(slot) => {
                    let polled = match OBSERVED {
                        true => self.poll_told(slot, tasks.again()),
                        false => tasks.poll(slot),
                    };
                    match polled {
                        Polled::Pending => {}
                        Polled::Ready => self.end::<OBSERVED>(slot, tasks.again()),
                        Polled::Nobody => {
                            if self.poll_other::<OBSERVED>(slot, tasks.again(), poll_root) {
                                pass.end_step();
                                break;
                            }
                        }
                    }
                }
                Next::Nobody => {
                    let read = self.collect_mail(pass.left());
                    if read == 0 {
                        break;
                    }
                    not_polls += read;
                    pass.skip(read - 1);
                }
                Next::Abort(slot) => {
                    not_polls += 1;
                    self.abort::<OBSERVED>(slot, tasks.again());
                }
                Next::Stale => not_polls += 1,
            }
            if !pass.end_step() {
                break;
            }
        }
        let polls = steps - pass.unmade() - not_polls;
        self.polls.add(polls as u64);
    }

    #[cold]
    fn abort<const OBSERVED: bool>(&self, slot: u32, mut tasks: OpenSlab<'_>) {
        if OBSERVED {
            self.tell_begin(slot);
        }
        tasks.again().settle(waker::waker);
        self.end::<OBSERVED>(slot, tasks);
    }

    /// Polls who is woken and not in the slab: the root, or a task that has just arrived. True if the
    /// root is over.
    #[inline(never)]
    fn poll_other<const OBSERVED: bool>(
        &self,
        slot: u32,
        mut tasks: OpenSlab<'_>,
        poll_root: PollRoot<'_>,
    ) -> bool {
        if slot == self.root.get() {
            let is_over = act!(acts::PolledRoot, poll_root());
            if OBSERVED {
                self.tell_end(self.scheduler.borrow().id(slot), is_over);
            }
            return is_over;
        }
        let id = tasks.newest_id();
        if id.slot() == slot {
            if let Some(job) = tasks.take_newest() {
                self.poll_newest(id, job, tasks);
                return false;
            }
        }
        tasks.again().settle(waker::waker);
        if let Polled::Ready = tasks.again().poll_anywhere(slot, None) {
            self.end::<OBSERVED>(slot, tasks);
        }
        false
    }

    #[inline(always)]
    fn poll_newest(&self, id: Id, mut job: Job, tasks: OpenSlab<'_>) {
        let waker = waker::waker(id);
        let polled = job.as_mut().poll(&mut Context::from_waker(&waker));
        if let Polled::Pending = polled {
            tasks.settle_one(id, job, waker);
        } else {
            waker::forget(waker);
            if self.scheduler.borrow_mut().remove(id.slot()) {
                self.give_back(tasks);
            }
            self.retire(job);
        }
    }

    /// A task is over, and its slot is free: out of line, to leave the loop its registers.
    #[inline(never)]
    fn end<const OBSERVED: bool>(&self, slot: u32, mut tasks: OpenSlab<'_>) {
        let told = OBSERVED.then(|| self.scheduler.borrow().id(slot));
        let given_back = act!(acts::Removed, self.scheduler.borrow_mut().remove(slot));
        let job = tasks.again().vacate(slot);
        if given_back {
            self.give_back(tasks);
        }
        if let Some(id) = told {
            self.tell_end(id, true);
        }
        self.retire(job);
    }

    /// Drops what a task that is over, or aborted, has left, and keeps its box if it is good for
    /// another one.
    #[inline(always)]
    fn retire(&self, mut job: Job) {
        if job.as_mut().clear() {
            self.spare.keep(job);
        } else {
            drop_contained(job);
        }
    }

    /// A burst of tasks is over.
    #[cold]
    fn give_back(&self, mut tasks: OpenSlab<'_>) {
        tasks.again().settle(waker::waker);
        let scheduler = self.scheduler.borrow();
        tasks.give_back(scheduler.slots(), scheduler.far_slots());
        self.watched.give_back();
    }

    /// One turn of the reactor: asleep, for `timeout` at most, if nobody is ready; else a look.
    pub(crate) fn turn(&self, timeout: Option<Duration>) -> io::Result<Turn> {
        let inbox = &self.remote.inbox;
        if !self.is_idle()
            || timeout == Some(Duration::ZERO)
            || self.prepare_to_sleep() == MaySleep::MailFirst
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
    fn steps(&self, done: usize) -> usize {
        let left = STEPS_PER_TURN - done;
        if self.reactor.trigger() == Trigger::Edge {
            return left;
        }
        self.scheduler.borrow().queued().max(left)
    }

    /// A wake by the reactor is nearly always of a task of ours: past vtable and thread-local, and all under
    /// one borrow.
    fn turn_reactor(&self, timeout: Option<Duration>) -> io::Result<Turn> {
        if self.reactor.is_observed() {
            return self.reactor.turn(timeout);
        }
        self.reactor.turn_with(timeout, || {
            let mut scheduler = self.scheduler.borrow_mut();
            move |waker| match waker::id(&waker) {
                Some(id) if scheduler.schedule(id) => {
                    waker::forget(waker);
                    None
                }
                _ => Some(waker),
            }
        })
    }
}
