//! The run loop: poll who was woken, take a turn of the reactor, sleep when nobody is left.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use reactor::Reactor;

use crate::inbox::{Inbox, Sleep};
use crate::scheduler::{Job, Next, Scheduler};
use crate::task::{JoinHandle, Task};
use crate::wake::{self, Remote};
use crate::waker::TaskId;

/// Polls between two looks at the kernel. A task that wakes itself runs at most this often before
/// sockets and timers get their chance; each look costs a system call.
const POLLS_PER_TURN: usize = 64;

/// Sleeps in a row without foreign mail before the loop stops announcing them.
const QUIET_AFTER: u32 = 32;

/// One runtime, as its handles and the thread-local see it.
pub(crate) struct Core {
    /// The place in the list of runtimes; a part of every task id.
    pub(crate) number: u16,
    pub(crate) reactor: Reactor,
    scheduler: RefCell<Scheduler>,
    /// What other threads share with us.
    remote: Arc<Remote>,
    /// Sleeps since the last foreign wake.
    quiet_sleeps: Cell<u32>,
    /// The runtime is being dropped: nothing new is taken in.
    closed: Cell<bool>,
}

impl Core {
    pub(crate) fn new(reactor: Reactor) -> io::Result<Self> {
        let notifier = reactor.notifier();
        let remote = Arc::new(Remote {
            inbox: Inbox::new(),
            notifier,
        });
        let number = wake::enlist(&remote)?;
        Ok(Core {
            number,
            reactor,
            scheduler: RefCell::new(Scheduler::new(number)),
            remote,
            quiet_sleeps: Cell::new(0),
            closed: Cell::new(false),
        })
    }

    /// Takes a future in; it is first polled by the run loop, not here.
    pub(crate) fn spawn<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        let mut handle = None;
        let make = |id| -> Job {
            let (task, join) = Task::new(id, future);
            handle = Some(join);
            Box::pin(task)
        };
        if self.closed.get() {
            // Too late: the task ends before it begins, as its handle will say.
            drop(make(TaskId::new(self.number, 0, 0)));
        } else {
            self.scheduler.borrow_mut().insert(make);
        }
        handle.expect("the task was made above")
    }

    /// A wake on this thread.
    #[inline]
    pub(crate) fn schedule(&self, id: TaskId) {
        self.scheduler.borrow_mut().schedule(id);
    }

    /// Tasks that exist, the future of `block_on` not counted.
    pub(crate) fn live(&self) -> usize {
        self.scheduler.borrow().live()
    }

    /// Runs tasks and turns until `root` is done.
    pub(crate) fn run<F: Future>(&self, mut root: Pin<&mut F>) -> io::Result<F::Output> {
        let id = self.scheduler.borrow_mut().new_root();
        let waker = id.waker();
        let mut cx = Context::from_waker(&waker);
        loop {
            let mut polls = 0;
            self.collect_mail();
            while polls < POLLS_PER_TURN && self.scheduler.borrow_mut().begin_round() {
                // Who is woken in this round runs in the next one.
                while let Some(polled) = self.poll_next() {
                    polls += 1;
                    if polled == Polled::RootIsNext {
                        self.reactor.refill_budget();
                        if let Poll::Ready(output) = root.as_mut().poll(&mut cx) {
                            return Ok(output);
                        }
                    }
                    if polls == POLLS_PER_TURN {
                        break;
                    }
                }
                self.collect_mail();
            }
            self.turn()?;
        }
    }

    /// Polls the next task of this round, unless that is the root, which the caller owns; `None`
    /// when the round is over.
    #[inline]
    fn poll_next(&self) -> Option<Polled> {
        let next = self.scheduler.borrow_mut().next()?;
        match next {
            Next::Root => return Some(Polled::RootIsNext),
            Next::Nobody => {}
            Next::Task(id, mut job) => {
                self.reactor.refill_budget();
                match id.with_waker(|waker| job.as_mut().poll(&mut Context::from_waker(waker))) {
                    Poll::Pending => self.scheduler.borrow_mut().put_back(id, job),
                    Poll::Ready(()) => {
                        self.scheduler.borrow_mut().remove(id);
                        drop_job(job);
                    }
                }
            }
        }
        Some(Polled::Done)
    }

    /// One turn of the reactor: asleep if nobody is ready, else just a look.
    fn turn(&self) -> io::Result<()> {
        let inbox = &self.remote.inbox;
        let wake = |waker: Waker| self.wake(waker);
        if !self.scheduler.borrow().is_idle() || inbox.prepare_to_sleep() == Sleep::MailFirst {
            self.reactor.turn_with(Some(Duration::ZERO), wake)?;
            return Ok(());
        }
        let turn = self.reactor.turn_with(None, wake);
        inbox.woke_up();
        let quiet = self.quiet_sleeps.get().saturating_add(1);
        self.quiet_sleeps.set(quiet);
        if quiet == QUIET_AFTER {
            inbox.quiet();
        }
        turn.map(drop)
    }

    /// A wake by the reactor, which nearly always means a task of ours: those need not go round
    /// by the vtable and the thread-local.
    #[inline]
    fn wake(&self, waker: Waker) {
        match TaskId::of(&waker) {
            Some(id) if id.runtime() == self.number => {
                TaskId::forget(waker);
                self.schedule(id);
            }
            _ => waker.wake(),
        }
    }

    /// Foreign wakes become entries in our own queue.
    #[inline]
    fn collect_mail(&self) {
        if self.remote.inbox.has_mail() {
            self.open_mail();
        }
    }

    #[cold]
    fn open_mail(&self) {
        self.quiet_sleeps.set(0);
        let mut mail = Vec::new();
        self.remote.inbox.take(&mut mail);
        let mut scheduler = self.scheduler.borrow_mut();
        mail.into_iter().for_each(|id| scheduler.schedule(id));
    }

    /// Drops every task, in the order of their slots, while this runtime is still current, so
    /// that what they hold can unregister itself.
    pub(crate) fn close(self: &Rc<Self>) {
        self.closed.set(true);
        let _reactor = self.reactor.enter();
        let _entered = wake::enter(self);
        // Nothing is taken in any more, so one pass meets them all.
        let mut from = 0;
        loop {
            // The borrow ends before the drop: a future may do anything in its destructor.
            let evicted = self.scheduler.borrow_mut().evict(from);
            match evicted {
                Some((job, next)) => {
                    from = next;
                    drop_job(job);
                }
                None => break,
            }
        }
        wake::strike_off(self.number);
    }
}

/// What [`Core::poll_next`] did.
#[derive(PartialEq, Eq)]
enum Polled {
    /// A task was polled, or there was nothing to do.
    Done,
    /// The future of `block_on` is to be polled.
    RootIsNext,
}

/// A destructor that panics ends its task, not the runtime.
fn drop_job(job: Job) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(job))) {
        // The panic hook has reported it. The payload's own destructor could panic again.
        std::mem::forget(payload);
    }
}
