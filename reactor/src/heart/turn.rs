//! The turn: flush interest, select, dispatch, fire timers, wake.

use std::io;
use std::mem;
use std::task::Waker;
use std::time::Duration;

use selectors_core::{Error, Readiness, act};

use crate::errno::of_selector;
use crate::heart::flush::give_back;
use crate::heart::reactor::Reactor;
use crate::heart::shared::Shared;
use crate::heart::slot::Key;
use crate::watch::acts::{self, Act};
use crate::watch::direction::Direction;
use crate::watch::events::{Cause, Event};

/// What one [turn](Reactor::turn) found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// Keys that the kernel reported ready, the notifier's own included.
    pub ready: usize,
    /// Timers that were due.
    pub timers: usize,
    /// Wakers that were called or absorbed.
    pub woken: usize,
}

impl Reactor {
    /// One pass: flushes deferred interest, waits until a key is ready, a timer is due, somebody
    /// [notifies](Reactor::notifier) or `timeout` has passed (`None`: for ever), marks slots and wakes their tasks.
    ///
    /// Wakers are called last, when nothing is borrowed any more, so a waker may do what it likes, a nested
    /// `turn` included. A signal ends the wait early, with nothing ready. If a [budget](Self::poll_budget) was
    /// used up since the last one it does not wait: whom that sent away may go on.
    ///
    /// # Errors
    ///
    /// What the kernel answers to the wait itself; timers and other keys are not harmed by it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let reactor = reactor::Reactor::new()?;
    /// reactor.notifier().notify()?;
    /// assert_eq!(reactor.turn(None)?.ready, 1);
    /// assert_eq!(reactor.turn(Some(Duration::ZERO))?.ready, 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn turn(&self, timeout: Option<Duration>) -> io::Result<Turn> {
        let timeout = match self.take_exhausted() {
            true => Some(Duration::ZERO),
            false => timeout,
        };
        self.turn_with(timeout, || Some)
    }

    /// As [`turn`](Self::turn), but each waker of a key is first offered to what `absorb` makes, while the reactor
    /// is borrowed: an executor that knows its own wakers queues their tasks directly and returns `None`. That
    /// must not call anything but its own queue; a waker that it gives back is woken at the end. It is there
    /// while the kernel is asked, so foreign code finds the queue free, but for an observer. And it waits after a
    /// budget that was used up, too: [`take_exhausted`](Self::take_exhausted) tells the executor not to.
    ///
    /// # Errors
    ///
    /// As `turn`.
    #[inline]
    pub fn turn_with<A: FnMut(Waker) -> Option<Waker>>(
        &self,
        timeout: Option<Duration>,
        absorb: impl FnOnce() -> A,
    ) -> io::Result<Turn> {
        let shared = &*self.shared;
        let mut woken = shared.woken.take();
        let mut turn = Turn::default();
        let waited = shared.wait(timeout, absorb, &mut woken, &mut turn);
        turn.woken += shared.wake(&mut woken, Cause::Reactor);
        if let Ok(Some(now)) = waited {
            shared.fire(now, &mut woken);
            turn.timers = shared.wake(&mut woken, Cause::Timer);
        }
        shared.woken.set(woken);
        shared.attention.refill();
        shared.counts.turn(turn.ready, turn.woken, turn.timers);
        turn.woken += turn.timers;
        waited.map(|_| turn)
    }
}

impl Shared {
    /// Flush, select, dispatch. Every borrow ends before this returns. The answer is the time at
    /// which timers are due, if there are any.
    #[inline]
    fn wait<A: FnMut(Waker) -> Option<Waker>>(
        &self,
        mut timeout: Option<Duration>,
        absorb: impl FnOnce() -> A,
        woken: &mut Vec<Waker>,
        turn: &mut Turn,
    ) -> io::Result<Option<u64>> {
        if !self.edge {
            let rest = self.flush(timeout == Some(Duration::ZERO), woken);
            timeout = timeout.into_iter().chain(rest).min();
        }
        let special = self.special.get();
        if special {
            let rest = self.attend_to_the_rare(woken);
            timeout = timeout.into_iter().chain(rest).min();
        }
        // A failed flush, the next of a crowd, somebody who has rested, or wakers that a panic kept:
        // somebody must be woken before the loop may sleep.
        let timeout = match woken.is_empty() {
            true => timeout,
            false => Some(Duration::ZERO),
        };
        let due = self.next_timer();
        let timeout = match (timeout, due.map(|(_, due)| due)) {
            (Some(asked), Some(due)) => Some(asked.min(due)),
            (asked, due) => asked.or(due),
        };

        let mut absorb = absorb();
        // For who has no queue at hand, which is what absorbs, the loop is not compiled once more.
        let selected = if size_of::<A>() == 0 || special || self.spin.is_wanted() {
            // A copy, so that nobody points to the one of the loop below.
            self.select_unusually(timeout, &mut { absorb }, woken, turn)
        } else {
            self.select(timeout, |key, readiness| {
                self.dispatch(key, readiness, &mut absorb, woken, turn);
            })
        };
        turn.ready = match selected {
            Err(Error::Interrupted) => 0,
            ready => ready.map_err(of_selector)?,
        };
        if self.notified.may_be_ready(Direction::Read) {
            self.take_notification()?;
        }
        Ok(due.map(|(now, _)| {
            // After a sleep that no key ended, the deadline is probably what ended it: look again.
            let slept = turn.ready == 0 && timeout != Some(Duration::ZERO);
            if slept { self.elapsed_now() } else { now }
        }))
    }

    /// An event: marks the slot, and takes whom it wakes. Inlined, or a call would be half of what it costs.
    #[inline(always)]
    pub(super) fn dispatch(
        &self,
        key: &Key,
        readiness: Readiness,
        absorb: &mut (impl FnMut(Waker) -> Option<Waker> + ?Sized),
        woken: &mut Vec<Waker>,
        turn: &mut Turn,
    ) {
        let slot = &*key.data;
        let marked = slot.mark(readiness);
        let mut wake = |waker: Waker| match absorb(waker) {
            Some(waker) => keep(woken, waker),
            None => turn.woken += 1,
        };
        if !marked.concerns_only_a_reader() {
            if slot.is_crowded() {
                let mut crowd = Vec::new();
                if slot.take_crowd(marked, &mut crowd) {
                    self.wake_more_of(&key.data);
                }
                // Before the first, who has come again after the last event, while they waited.
                crowd.into_iter().for_each(&mut wake);
            }
            slot.take_first(marked, Direction::Write).map(&mut wake);
            if self.looks_after(slot) && slot.mark_dirty() {
                self.note(key);
            }
            slot.take_first(marked, Direction::Read).map(&mut wake);
        } else if let Some(waker) = slot.take_first(marked, Direction::Read) {
            wake(waker);
        } else if self.looks_after(slot) && slot.mark_unread(marked) {
            self.note(key);
        }
    }

    /// Before somebody else waits: the kernel is told what it is to end for. False if a turn is due, for
    /// somebody is to be woken.
    pub(super) fn is_settled(&self) -> bool {
        let mut woken = self.woken.take();
        self.flush(false, &mut woken);
        let nobody = woken.is_empty();
        self.woken.set(woken);
        nobody && self.sleepers.borrow().is_empty()
    }

    /// Before a turn that is [`special`](Self::special). The answer is how long it is until the first rest
    /// is over, unless the clock is paused, which [knows](Self::select_paused) two kinds of time.
    #[cold]
    fn attend_to_the_rare(&self, woken: &mut Vec<Waker>) -> Option<Duration> {
        if self.edge {
            self.flush(false, woken);
        }
        self.next_waves(woken);
        self.end_rests(woken);
        self.update_calm();
        match self.clock.is_paused() {
            true => None,
            false => self.first_rest(),
        }
    }

    /// The time, and how long it is to the next deadline; `None` if there are no timers, and then
    /// the clock is not read.
    #[inline]
    pub(crate) fn next_timer(&self) -> Option<(u64, Duration)> {
        let deadline = self.timers.borrow_mut().next_deadline()?;
        let now = self.elapsed_now();
        Some((now, Duration::from_nanos(deadline.saturating_sub(now))))
    }

    #[inline]
    pub(super) fn select(
        &self,
        timeout: Option<Duration>,
        mut dispatch: impl FnMut(&Key, Readiness),
    ) -> Result<usize, Error> {
        let mut selector = self.selector.borrow_mut();
        selector.select_with(timeout, |_, key, readiness| dispatch(key, readiness))
    }

    fn take_notification(&self) -> io::Result<()> {
        act!(acts::Notified, self.notified.clear(Direction::Read));
        if self.attention.is_observed() {
            self.hook.emit(Event::Notify, acts::Notified::AT);
        }
        if !self.edge {
            // Level-triggered, it would report the same notification for ever.
            self.notifier.clear()?;
        }
        Ok(())
    }

    fn fire(&self, now: u64, woken: &mut Vec<Waker>) {
        let observed = self.attention.is_observed();
        let mut fired = Vec::new();
        let until = self.clock.due_until(now);
        self.timers.borrow_mut().fire(until, |timer, waker| {
            if observed {
                fired.push(timer);
            }
            act!(acts::Fired, woken.push(waker));
        });
        for timer in fired {
            self.hook.emit(Event::TimerFired { timer }, acts::Fired::AT);
        }
    }

    /// Calls the wakers, now that nothing is borrowed; says how many there were.
    #[inline]
    fn wake(&self, woken: &mut Vec<Waker>, cause: Cause) -> usize {
        let called = woken.len();
        if called != 0 {
            self.wake_all(woken, cause);
        }
        called
    }

    #[inline(never)]
    fn wake_all(&self, woken: &mut Vec<Waker>, cause: Cause) {
        self.cause.set(cause);
        woken.reverse();
        let mut rest = StillToWake {
            shared: self,
            wakers: mem::take(woken),
        };
        while let Some(waker) = rest.wakers.pop() {
            waker.wake();
        }
        *woken = mem::take(&mut rest.wakers);
        // What a turn inside of one of them could not call.
        woken.append(&mut self.woken.take());
        give_back(woken);
    }
}

/// A waker that nobody absorbed waits until nothing is borrowed.
#[cold]
fn keep(woken: &mut Vec<Waker>, waker: Waker) {
    woken.push(waker);
}

/// Wakers that are being called. If one of them panics, the others are kept for the next turn.
struct StillToWake<'a> {
    shared: &'a Shared,
    /// The next one last.
    wakers: Vec<Waker>,
}

impl Drop for StillToWake<'_> {
    fn drop(&mut self) {
        self.shared.cause.set(Cause::Task);
        if !self.wakers.is_empty() {
            self.wakers.reverse();
            self.shared.woken.set(mem::take(&mut self.wakers));
        }
    }
}
