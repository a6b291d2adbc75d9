//! Work that blocks, on threads of its own (feature `blocking`), so that the loop goes on.
//!
//! Threads are made when they are needed and end when they were idle for ten seconds; there are 500
//! at most unless `BLOCKING_MAX_THREADS` says otherwise, shared by all runtimes of the process. Work
//! that was given up while it ran does not count, until there is as much of it again: look-ups of
//! names that nobody waits for any more keep nobody else waiting. A forked child has threads of its own;
//! work that its parent has begun is an error there.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker, ready};
use std::thread;
use std::time::Duration;

use crate::ascending::Ascending;
use crate::errno::shortage;
use crate::heart::shared::Shared;
use crate::watch::foreign::contain;

/// How many threads there are at most, unless the environment says otherwise.
const LIMIT: usize = 500;

/// So long a thread waits for more to do.
const IDLE: Duration = Duration::from_secs(10);

/// Runs `work` on another thread, from now on; the future is its result.
///
/// For calls that block: files, name look-ups, long computations. A panic of `work` is passed on to
/// whoever awaits.
///
/// **Cancelling**: dropping the future takes work back that has not begun. Work that has begun goes
/// on to its end, and its result is dropped on its thread.
///
/// # Errors
///
/// If there is no thread for it and none can be made (`RLIMIT_NPROC`, the `pids.max` of a container);
/// [`errno_of`](crate::errno_of) says why, mostly EAGAIN. Then `work` has not begun.
///
/// ```
/// # #[cfg(feature = "blocking")]
/// executor::block_on(async {
///     let name = reactor::blocking::unblock(|| std::fs::read_to_string("Cargo.toml")).await??;
///     assert!(name.contains("reactor"));
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[must_use = "dropping the future takes the work back"]
pub fn unblock<T, F>(work: F) -> impl Future<Output = io::Result<T>> + Send + Unpin
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    pool().run(work)
}

/// The pool of this process. In a forked child the threads of its parent do not exist, and one of them
/// may have held the lock: there, a pool of its own takes the place.
fn pool() -> &'static Arc<Pool> {
    static POOL: OnceLock<Arc<Pool>> = OnceLock::new();
    let new = || {
        let chosen = std::env::var("BLOCKING_MAX_THREADS");
        let limit = chosen.ok().and_then(|limit| limit.parse().ok());
        Arc::new(Pool::new(limit.unwrap_or(LIMIT).max(1), start_thread))
    };
    let mut pool = POOL.get_or_init(new);
    while pool.is_another_process_s() {
        pool = pool.child_s.get_or_init(new);
    }
    pool
}

fn start_thread(pool: Arc<Pool>) -> io::Result<()> {
    let builder = thread::Builder::new().name("blocking".to_owned());
    builder.spawn(move || pool.work()).map(drop)
}

/// The threads, and what they have to do.
struct Pool {
    state: Mutex<State>,
    /// There is more to do.
    more: Condvar,
    limit: usize,
    start_thread: fn(Arc<Pool>) -> io::Result<()>,
    /// Whose threads they are.
    process: u32,
    /// The pool of a forked child, in that child.
    child_s: OnceLock<Arc<Pool>>,
}

#[derive(Default)]
struct State {
    /// By the number of their arrival, for any of them can be taken back.
    queue: Ascending<Arc<dyn Chore>>,
    /// How many have come. 64 bits are not used up.
    arrived: u64,
    threads: usize,
    /// Threads that wait for work.
    idle: usize,
    /// Threads with work that nobody waits for.
    given_up: usize,
}

impl Pool {
    fn new(limit: usize, start_thread: fn(Arc<Pool>) -> io::Result<()>) -> Pool {
        Pool {
            state: Mutex::default(),
            more: Condvar::new(),
            limit,
            start_thread,
            process: process::id(),
            child_s: OnceLock::new(),
        }
    }

    fn run<T, F>(self: &Arc<Self>, work: F) -> impl Future<Output = io::Result<T>> + Send + Unpin
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let task = Arc::new(Work {
            step: Mutex::new(Step::Queued(work)),
            waker: Mutex::default(),
            ticket: Arc::default(),
        });
        let claim = Claim {
            pool: Arc::clone(self),
            number: self.queue_up(Arc::clone(&task) as Arc<dyn Chore>),
            ticket: Arc::clone(&task.ticket),
        };
        let refused = self.find_thread().err();
        let mut refused = refused.filter(|_| self.take_back(claim.number));
        poll_fn(move |cx| {
            if claim.pool.is_another_process_s() {
                let message = "this work was given to a thread of the process that this one was \
                               forked from";
                return Poll::Ready(Err(io::Error::other(message)));
            }
            if refused.is_some() {
                // The next one is likely to be refused as well.
                ready!(Shared::poll_spend_here(cx));
            }
            if let Some(error) = refused.take() {
                return Poll::Ready(Err(shortage("no thread can be made", error)));
            }
            // Neither cloned nor dropped while the lock is held: it is not our code.
            let waker = cx.waker().clone();
            let replaced = lock(&task.waker).replace(waker);
            drop(replaced);
            if !matches!(*lock(&task.step), Step::Done(_)) {
                return Poll::Pending;
            }
            // Many results may be there already.
            ready!(Shared::poll_spend_here(cx));
            let result = lock(&task.step).take_result();
            match result {
                None => Poll::Pending,
                Some(Ok(result)) => Poll::Ready(Ok(result)),
                Some(Err(panic)) => resume_unwind(panic),
            }
        })
    }

    /// Is this a forked child of the process that it was made in? Then nobody will ever do what is in
    /// it, and nothing of it may be locked.
    fn is_another_process_s(&self) -> bool {
        self.process != process::id()
    }

    /// Sees to it that somebody does what was queued.
    ///
    /// An error is one only if no thread will come to it.
    fn find_thread(self: &Arc<Self>) -> io::Result<()> {
        let mut state = lock(&self.state);
        self.more.notify_one();
        let enough = state.threads >= self.limit + state.given_up.min(self.limit);
        if state.idle >= state.queue.len() || enough {
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        let Err(error) = (self.start_thread)(Arc::clone(self)) else {
            return Ok(());
        };
        let mut state = lock(&self.state);
        state.threads -= 1;
        if state.threads > state.given_up {
            return Ok(());
        }
        Err(error)
    }

    fn queue_up(&self, job: Arc<dyn Chore>) -> u64 {
        let mut state = lock(&self.state);
        state.arrived += 1;
        let number = state.arrived;
        state.queue.push(number, job);
        number
    }

    /// Takes a job out of the queue; false if it has begun.
    fn take_back(&self, number: u64) -> bool {
        // The work is dropped after the lock: it is not ours.
        let queued = lock(&self.state).queue.remove(number);
        queued.is_some()
    }

    /// What a thread does.
    fn work(&self) {
        let mut state = lock(&self.state);
        loop {
            while let Some(job) = state.queue.pop() {
                drop(state);
                let ticket = Arc::clone(job.ticket());
                // Wakers and destructors are not ours: a panic of theirs ends here.
                contain(|| job.run());
                contain(|| drop(job));
                state = lock(&self.state);
                ticket.over.store(true, Ordering::Relaxed);
                if ticket.given_up.load(Ordering::Relaxed) {
                    state.given_up -= 1;
                }
            }
            state.idle += 1;
            let waited = self.more.wait_timeout(state, IDLE);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.queue.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

/// On the result of a job. Dropped with the future that waits for it.
struct Claim {
    pool: Arc<Pool>,
    /// Its place in the queue.
    number: u64,
    ticket: Arc<Ticket>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.pool.is_another_process_s() || self.pool.take_back(self.number) {
            return;
        }
        let mut state = lock(&self.pool.state);
        let ticket = &self.ticket;
        if !ticket.over.load(Ordering::Relaxed) && !ticket.given_up.swap(true, Ordering::Relaxed) {
            state.given_up += 1;
            drop(state);
            // Others may be waiting for the place. If no thread can be made for them, they have
            // one that will come to them.
            let _ = self.pool.find_thread();
        }
    }
}

/// Work of any type.
trait Chore: Send + Sync {
    fn run(&self);
    fn ticket(&self) -> &Arc<Ticket>;
}

/// What has become of a job. Written and read with the pool's state locked.
#[derive(Default)]
struct Ticket {
    over: AtomicBool,
    given_up: AtomicBool,
}

struct Work<T, F> {
    step: Mutex<Step<T, F>>,
    waker: Mutex<Option<Waker>>,
    ticket: Arc<Ticket>,
}

enum Step<T, F> {
    Queued(F),
    Done(thread::Result<T>),
    /// Running, or over and told.
    Empty,
}

impl<T, F> Step<T, F> {
    fn take_result(&mut self) -> Option<thread::Result<T>> {
        match std::mem::replace(self, Step::Empty) {
            Step::Done(result) => Some(result),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl<T: Send, F: FnOnce() -> T + Send> Chore for Work<T, F> {
    fn run(&self) {
        let step = std::mem::replace(&mut *lock(&self.step), Step::Empty);
        let Step::Queued(work) = step else {
            return;
        };
        let result = catch_unwind(AssertUnwindSafe(work));
        // First the result, then the waker; who waits does it the other way round.
        *lock(&self.step) = Step::Done(result);
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn ticket(&self) -> &Arc<Ticket> {
        &self.ticket
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(windows)))]
mod tests {
    use std::sync::mpsc;

    use futures_lite::future::block_on;
    use rustix::time::{ClockId, clock_gettime};

    use super::*;
    use crate::errno_of;

    fn refuse(_: Arc<Pool>) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(libc::EAGAIN))
    }

    #[test]
    fn no_thread_is_an_error() {
        let pool = Arc::new(Pool::new(4, refuse));
        for _ in 0..3 {
            let error = block_on(pool.run(|| panic!("it has not begun"))).map(|()| 0);
            let error = error.unwrap_err();
            assert_eq!(errno_of(&error), Some(libc::EAGAIN));
            assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "again is no use");
            let text = error.to_string();
            assert!(text.starts_with("no thread can be made: "), "{text}");
        }
        assert!(lock(&pool.state).queue.is_empty());
    }

    #[test]
    fn no_second_thread_is_no_error() {
        fn one(pool: Arc<Pool>) -> io::Result<()> {
            let threads = lock(&pool.state).threads;
            match threads {
                1 => start_thread(pool),
                _ => refuse(pool),
            }
        }
        let pool = Arc::new(Pool::new(4, one));
        let works: Vec<_> = (0..5).map(|n| pool.run(move || n)).collect();
        for (n, work) in works.into_iter().enumerate() {
            assert_eq!(block_on(work).unwrap(), n);
        }
    }

    #[test]
    fn work_that_was_given_up_does_not_use_the_pool_up() {
        let pool = Arc::new(Pool::new(1, start_thread));
        let (end, wait) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let stuck = pool.run(move || {
            begin.send(()).unwrap();
            let _ = wait.recv();
        });
        begun.recv().unwrap();
        let other = pool.run(|| 7);
        drop(stuck);
        assert_eq!(block_on(other).unwrap(), 7);
        drop(end);
    }

    #[test]
    fn work_that_was_taken_back_leaves_nothing_in_the_queue() {
        let pool = Arc::new(Pool::new(1, |_| Ok(())));
        let works: Vec<_> = (0..100).map(|n| pool.run(move || n)).collect();
        drop(works);
        assert!(lock(&pool.state).queue.is_empty());
    }

    /// The time of this thread, whatever else the machine does.
    fn used(what: impl FnOnce()) -> Duration {
        let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let before = now();
        what();
        now() - before
    }

    #[test]
    fn giving_work_up_costs_the_same_however_much_is_queued() {
        let giving_up = |works: usize| {
            let pool = Arc::new(Pool::new(1, |_| Ok(())));
            let works: Vec<_> = (0..works).map(|n| pool.run(move || n)).collect();
            used(|| works.into_iter().rev().for_each(drop))
        };
        // Sixteen times as much work is sixteen times the cost, or 256 times with a search through
        // the queue. One good measurement is enough: a search never has one.
        let linear = || giving_up(16_000) < giving_up(1_000) * 80;
        assert!((0..20).any(|_| linear()), "each one is searched for");
    }
}
