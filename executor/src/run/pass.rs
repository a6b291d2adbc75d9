//! The run loop: poll who was woken, take a turn of the reactor, sleep when nobody is left.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use reactor::{Trigger, Turn};

use selectors_core::act;

use crate::ready::scheduler::Next;
use crate::run::core::Core;
use crate::run::waker;
use crate::task::acts;
use crate::task::foreign::drop_contained;
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
        loop {
            if let Poll::Ready(output) = self.poll_tasks(|| root.as_mut().poll(&mut cx)) {
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
        let _: Poll<()> = self.poll_tasks(|| Poll::Pending);
    }

    /// Polls who is woken, one after another, until nobody is or it is time to look at the kernel.
    /// Ready if `poll_root` is.
    fn poll_tasks<R>(&self, poll_root: impl FnMut() -> Poll<R>) -> Poll<R> {
        let read = self.collect_mail(MESSAGES_FIRST);
        self.poll_at_most(self.steps(read), poll_root)
    }

    #[inline(always)]
    fn poll_at_most<R>(&self, steps: usize, poll_root: impl FnMut() -> Poll<R>) -> Poll<R> {
        // In memory, because a register is dearer: the loop below does not need it.
        self.at_most.set(steps);
        if self.reactor.is_observed() {
            self.poll_observed(poll_root)
        } else {
            self.pass::<false, R>(poll_root)
        }
    }

    #[cold]
    #[inline(never)]
    fn poll_observed<R>(&self, poll_root: impl FnMut() -> Poll<R>) -> Poll<R> {
        self.pass::<true, R>(poll_root)
    }

    /// Polls one task that is woken. False if there is none.
    pub(crate) fn poll_one(&self) -> bool {
        let before = self.polls.get();
        while self.polls.get() == before && (!self.is_idle() || self.has_mail()) {
            // All of it: who is woken is found behind messages that are stale.
            self.collect_mail(MESSAGES_FIRST);
            let _: Poll<()> = self.poll_at_most(1, || Poll::Pending);
        }
        self.polls.get() != before
    }

    /// Runs tasks and turns until no task is left.
    pub(crate) fn run_all(&self) -> io::Result<()> {
        while self.live() != 0 {
            self.poll_woken();
            if self.live() != 0 {
                self.turn(None)?;
            }
        }
        Ok(())
    }

    /// The loop of [`poll_tasks`](Self::poll_tasks), compiled twice: before the eyes of an observer,
    /// and without a question whether there is one.
    #[inline(always)]
    fn pass<const OBSERVED: bool, R>(&self, mut poll_root: impl FnMut() -> Poll<R>) -> Poll<R> {
        let mut tasks = self.slab.open();
        let mut left = self.at_most.get();
        let answer = loop {
            if self.is_interrupted::<OBSERVED>() {
                break Poll::Pending;
            }
            let next = self.scheduler.borrow_mut().next();
            match next {
                Next::Poll(slot) => {
                    let polled = match OBSERVED {
                        true => self.poll_told(slot, &mut tasks),
                        false => tasks.poll(slot),
                    };
                    // Nearly always; the others share one test.
                    if !matches!(polled, Polled::Pending) {
                        let answer =
                            self.go_on::<OBSERVED, R>(polled, slot, &mut tasks, &mut poll_root);
                        if answer.is_ready() {
                            left -= 1;
                            break answer;
                        }
                    }
                }
                Next::Abort(slot) => {
                    if OBSERVED {
                        self.tell_begin(slot);
                    }
                    tasks.settle(waker::waker);
                    self.end::<OBSERVED>(slot, &mut tasks);
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
        self.polls.add(polls as u64);
        answer
    }

    /// A full budget for who is polled next. True if the pass ends here: a task that used its budget
    /// up goes on after a look at the kernel, and who has begun to observe, or has ceased, does so
    /// with a new pass.
    #[inline(always)]
    fn is_interrupted<const OBSERVED: bool>(&self) -> bool {
        let anything = self.reactor.refill_budget();
        match OBSERVED {
            true => self.reactor.take_exhausted() || !self.reactor.is_observed(),
            false => anything,
        }
    }

    #[cold]
    fn not_polls(&self, steps: usize) {
        self.at_most.set(self.at_most.get() - steps);
    }

    /// After a poll of who is over, or is not in the slab: the root, or a task that has just arrived,
    /// which is polled now. Ready if the root is.
    #[inline(never)]
    fn go_on<const OBSERVED: bool, R>(
        &self,
        polled: Polled,
        slot: u32,
        tasks: &mut OpenSlab<'_>,
        poll_root: &mut impl FnMut() -> Poll<R>,
    ) -> Poll<R> {
        if let Polled::Ready = polled {
            self.end::<OBSERVED>(slot, tasks);
            return Poll::Pending;
        }
        if slot == self.root.get() {
            let answer = act!(acts::PolledRoot, poll_root());
            if OBSERVED {
                self.tell_end(self.scheduler.borrow().id(slot), answer.is_ready());
            }
            return answer;
        }
        let Some((id, mut job)) = tasks.newcomer(slot) else {
            tasks.settle(waker::waker);
            if let Polled::Ready = tasks.poll_anywhere(slot, None) {
                self.end::<OBSERVED>(slot, tasks);
            }
            return Poll::Pending;
        };
        let waker = waker::waker(id);
        let polled = job.as_mut().poll(&mut Context::from_waker(&waker));
        if let Polled::Pending = polled {
            tasks.settle_one(id, job, waker);
        } else {
            waker::forget(waker);
            if self.scheduler.borrow_mut().remove(slot) {
                self.give_back(tasks);
            }
            self.retire(job);
        }
        Poll::Pending
    }

    /// A task is over, and its slot is free: out of line, to leave the loop its registers.
    #[inline(never)]
    fn end<const OBSERVED: bool>(&self, slot: u32, tasks: &mut OpenSlab<'_>) {
        let told = OBSERVED.then(|| self.scheduler.borrow().id(slot));
        let given_back = act!(acts::Removed, self.scheduler.borrow_mut().remove(slot));
        let job = tasks.vacate(slot);
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
    fn give_back(&self, tasks: &mut OpenSlab<'_>) {
        tasks.settle(waker::waker);
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

    /// A wake by the reactor nearly always means a task of ours: those need not go round by the
    /// vtable and the thread-local, and all of them share one borrow.
    fn turn_reactor(&self, timeout: Option<Duration>) -> io::Result<Turn> {
        if self.reactor.is_observed() {
            return self.reactor.turn(timeout);
        }
        let mut scheduler = self.scheduler.borrow_mut();
        self.reactor
            .turn_with(timeout, move |waker| match waker::id(&waker) {
                Some(id) if scheduler.schedule(id) => {
                    waker::forget(waker);
                    None
                }
                _ => Some(waker),
            })
    }
}
