//! What the handles of one reactor share, and the thread's idea of which reactor is current.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{Location, RefUnwindSafe};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use selectors_core::os::RawFd;
use selectors_core::{Backend, DefaultSelector, Notifier};

use crate::heart::budget::{Attend, Attention, go_on_or_wait};
use crate::heart::crowd::WaiterId;
use crate::heart::lasting::Resting;
use crate::heart::pollable::Pollable;
use crate::heart::slot::Slot;
use crate::heart::spin::Spin;
use crate::timers::Timers;
use crate::timers::clock::{self, Clock};
use crate::watch::events::{Cause, Hook};
use crate::watch::metrics::Counts;

/// The selector of a reactor: the file objects are shared with the I/O types, the data is a slot.
pub(crate) type Selector = DefaultSelector<Pollable, Rc<Slot>>;

/// Of a fixed size, so that it is one word to be lent and given back.
pub(crate) type LentBuffer = [u8; LENT];

const LENT: usize = 16 << 10;

/// One that nobody has used yet.
#[cold]
pub(crate) fn new_lent_buffer() -> Box<LentBuffer> {
    Box::new([0; LENT])
}

/// What the reactor, its I/O types and its timers share.
pub(crate) struct Shared {
    /// The heart.
    pub(crate) selector: RefCell<Selector>,
    /// What time it is.
    pub(crate) clock: Clock,
    /// Deadlines and who waits for them.
    pub(crate) timers: RefCell<Timers>,
    /// Edge-triggered and registered once, or level-triggered with deferred interest.
    pub(crate) edge: bool,
    /// Whether to spin before a sleep.
    pub(crate) spin: Spin,
    /// Level mode: keys whose wanted interest may differ from the armed one. Edge mode: listeners that are
    /// not to be [paced](Slot::is_paced) any more.
    pub(crate) dirty: RefCell<Vec<RawFd>>,
    /// Level mode: keys that are to be looked at again by themselves, after a while.
    pub(crate) resting: RefCell<Resting>,
    /// Awaits of ours that rest, in real time; see [`rest`](crate::heart::rest).
    pub(crate) rests: RefCell<Timers>,
    /// Slots of which an event has left some waiters asleep; see [`crowd`](crate::heart::crowd).
    pub(crate) sleepers: RefCell<Vec<Rc<Slot>>>,
    /// Wakers collected by a turn; kept here so that a turn allocates nothing.
    pub(crate) woken: Cell<Vec<Waker>>,
    /// What `read_lent` lends; not there while it is lent. Who finds none makes another.
    pub(crate) lent: Cell<Option<Box<LentBuffer>>>,
    /// The running task's budget, and whether somebody observes.
    pub(crate) attention: Attention,
    /// Who observes.
    pub(crate) hook: Hook,
    /// On whose behalf wakers are called right now.
    pub(crate) cause: Cell<Cause>,
    /// What happened so far.
    pub(crate) counts: Counts,
    /// The next name of a waiter; see [`WaiterId`].
    next_waiter: Cell<WaiterId>,
    /// It is entered, and no other one is [driven](crate::Reactor::drive).
    driven: Cell<bool>,
    /// Driven, and nobody observes; see `is_calm`.
    calm: Cell<bool>,
    /// A turn has more to do than usual: somebody observes, the clock is paused, or there are `rests`,
    /// `sleepers`, or in edge mode `dirty` keys.
    pub(crate) special: Cell<bool>,
    /// Ends a wait from any thread.
    pub(crate) notifier: Rc<Notifier>,
    /// The notifier's own slot: its readiness says that somebody notified.
    pub(crate) notified: Rc<Slot>,
}

/// Nothing of it is borrowed, or half changed, while code of others runs.
impl RefUnwindSafe for Shared {}

thread_local! {
    /// The reactor that new I/O types and timers of this thread belong to.
    ///
    /// `ManuallyDrop` because a thread-local without a destructor is found without asking whether
    /// it is still alive. Nothing leaks: [`entered`](crate::heart::entered) takes out what it has put in,
    /// at the latest when the thread ends.
    static CURRENT: Cell<ManuallyDrop<Option<Rc<Shared>>>> =
        const { Cell::new(ManuallyDrop::new(None)) };
}

impl Shared {
    /// A reactor that is not entered yet.
    pub(crate) fn new(
        selector: Selector,
        clock: Clock,
        edge: bool,
        spin: Spin,
        notifier: Rc<Notifier>,
        notified: Rc<Slot>,
    ) -> Self {
        let tells_no_hang_up = selector.backend() == Backend::Select;
        Shared {
            selector: RefCell::new(selector),
            clock,
            timers: RefCell::new(Timers::new()),
            edge,
            spin,
            dirty: RefCell::default(),
            resting: RefCell::new(Resting::new(tells_no_hang_up)),
            rests: RefCell::new(Timers::new()),
            sleepers: RefCell::default(),
            woken: Cell::default(),
            lent: Cell::default(),
            attention: Attention::new(edge),
            hook: Hook::default(),
            cause: Cell::default(),
            counts: Counts::default(),
            next_waiter: Cell::new(1),
            driven: Cell::new(false),
            calm: Cell::new(false),
            special: Cell::new(false),
            notifier,
            notified,
        }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn current() -> Rc<Self> {
        // A match, and not a closure: the panic names the line of the caller.
        match Self::try_current() {
            Some(current) => current,
            None => none(),
        }
    }

    /// Refuses misuse before anything is done.
    #[track_caller]
    pub(crate) fn assert_current() {
        drop(Self::current());
    }

    /// As [`current`](Self::current), for a future that begins now and was made there.
    #[track_caller]
    pub(crate) fn current_for(made_at: &Location<'_>) -> Rc<Self> {
        match Self::try_current() {
            Some(current) => current,
            None => panic!("{NONE} (this future was made at {made_at})"),
        }
    }

    /// For what is ready at once and has no reactor of its own: spends from the budget of the task
    /// that runs, if this thread has entered a reactor.
    pub(crate) fn poll_spend_here(cx: &Context<'_>) -> Poll<()> {
        match Self::try_current() {
            Some(reactor) => reactor.poll_spend(cx),
            None => Poll::Ready(()),
        }
    }

    #[inline]
    pub(crate) fn try_current() -> Option<Rc<Self>> {
        // Taken and put back: that is cheaper than to count who looks.
        let current = CURRENT.take();
        let clone = Option::clone(&current);
        CURRENT.set(current);
        clone
    }

    /// Makes another reactor the current one, or none.
    pub(crate) fn exchange_current(current: Option<Rc<Self>>) -> Option<Rc<Self>> {
        ManuallyDrop::into_inner(CURRENT.replace(ManuallyDrop::new(current)))
    }

    /// Names are given out from here on.
    #[cfg(all(test, not(windows)))]
    pub(crate) fn set_next_waiter(&self, id: WaiterId) {
        self.next_waiter.set(id);
    }

    /// Nothing is out of the ordinary: the reactor is driven, and nobody observes. One test
    /// for a waiter in a hurry; the long way tells which it is.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        self.calm.get()
    }

    pub(crate) fn update_calm(&self) {
        let observed = self.attention.is_observed();
        self.calm.set(self.driven.get() && !observed);
        let more = self.clock.is_paused()
            || self.edge && !self.dirty.borrow().is_empty()
            || !self.sleepers.borrow().is_empty()
            || self.rests.borrow().len() != 0;
        self.special.set(observed || more);
    }

    pub(crate) fn set_driven(&self, driven: bool) {
        self.driven.set(driven);
        self.update_calm();
    }

    pub(crate) fn set_observed(&self, observed: bool) {
        self.attention.set_observed(observed);
        self.update_calm();
    }

    /// As [`Attention::poll_spend`], for awaits of ours.
    #[inline]
    pub(crate) fn poll_spend(&self, cx: &Context<'_>) -> Poll<()> {
        let goes_on = self.attention.spend() || self.attend() == Attend::Observed;
        go_on_or_wait(goes_on, cx)
    }

    /// [`Attention::spend`] said no: goes on, or is woken for later.
    #[cold]
    pub(crate) fn poll_attend(&self, cx: &Context<'_>) -> Poll<()> {
        go_on_or_wait(self.attend() == Attend::Observed, cx)
    }

    /// As [`Attention::attend`]. Where none drives the reactor nobody would refill a budget, and nobody
    /// else is kept waiting: who need not wait goes on.
    #[cold]
    pub(crate) fn attend(&self) -> Attend {
        match self.attention.attend() {
            Attend::BudgetIsUsedUp if !self.driven.get() => {
                self.attention.refill();
                Attend::Observed
            }
            attend => attend,
        }
    }

    /// Nobody will ever dispatch to a waiter of a reactor that is not driven: better a sentence
    /// than a hang.
    #[inline]
    #[track_caller]
    pub(crate) fn assert_driven(&self) {
        if !self.driven.get() {
            undriven();
        }
    }

    /// An answer for who is polled: one who has to wait is driven.
    #[inline]
    #[track_caller]
    pub(crate) fn driven<R>(&self, polled: Poll<R>) -> Poll<R> {
        if polled.is_pending() {
            self.assert_driven();
        }
        polled
    }

    /// The time on this reactor's clock, in nanoseconds.
    #[inline]
    pub(crate) fn elapsed_now(&self) -> u64 {
        self.clock.now(|| self.selector.borrow().now())
    }

    /// So long from now, on this reactor's clock.
    #[inline(always)]
    pub(crate) fn deadline_after(&self, duration: Duration) -> u64 {
        self.elapsed_now() + clock::nanos(duration)
    }

    /// A name for a new waiter: odd, so neither zero nor one of the standing ones.
    #[inline]
    pub(crate) fn next_waiter(&self) -> WaiterId {
        let id = self.next_waiter.get();
        self.next_waiter.set(id.wrapping_add(2));
        id
    }
}

/// For the types that have one inside.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reactor")
    }
}

const NONE: &str = "no reactor on this thread: sockets and timers are made inside \
    `executor::block_on`, or while a guard of `Reactor::enter` is alive";

#[cold]
#[track_caller]
fn undriven() -> ! {
    panic!(
        "this socket or timer would wait for ever: nobody drives its reactor. Await it inside the \
         `executor::Runtime` that it was made in, or hold a guard of `Reactor::enter`, where another \
         loop runs of `Reactor::drive`, and call `Reactor::turn`"
    )
}

#[cold]
#[track_caller]
fn none() -> ! {
    panic!("{NONE}")
}

#[cfg(all(test, not(windows)))]
mod tests {
    use std::future::Future;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Wake, Waker};
    use std::time::Duration;

    use crate::{Async, Reactor};

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// One waits all the while, as an idle connection does; another comes and goes so often that a
    /// name of 32 bits would be the first one's again.
    #[test]
    fn a_waiter_keeps_its_name_for_itself_however_many_come_after_it() -> std::io::Result<()> {
        const AS_MANY: u64 = u32::MAX as u64;
        for (first, then) in [(1, AS_MANY), (AS_MANY, AS_MANY + 2), (5, AS_MANY * 8 - 5)] {
            let reactor = Reactor::new()?;
            let _entered = reactor.enter();
            let (mut near, far) = UnixStream::pair()?;
            let far = Async::nonblocking(far)?;
            let read = || far.read_with(|mut far| far.read(&mut [0; 8]));
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            reactor.shared.set_next_waiter(first);
            let mut waits = pin!(read());
            let mut cx = Context::from_waker(&waker);
            assert!(waits.as_mut().poll(&mut cx).is_pending());
            reactor.shared.set_next_waiter(then);
            for _ in 0..8 {
                let mut other = Box::pin(read());
                let mut cx = Context::from_waker(Waker::noop());
                assert!(other.as_mut().poll(&mut cx).is_pending());
            }
            near.write_all(b"x")?;
            reactor.turn(Some(Duration::ZERO))?;
            assert!(woken.0.load(Ordering::Relaxed), "its place was taken");
            assert!(waits.as_mut().poll(&mut cx).is_ready());
        }
        Ok(())
    }
}
