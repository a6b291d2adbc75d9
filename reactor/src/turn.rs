//! The turn: flush interest, select, dispatch, fire timers, wake.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use selectors_core::{Error, Readiness};

use crate::observe::{Cause, Event};
use crate::reactor::Reactor;
use crate::shared::Shared;
use crate::slot::{Direction, Slot};

/// What one [turn](Reactor::turn) found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// [notifies](Reactor::notifier) or `timeout` has passed (`None`: for ever), marks slots and
    /// wakes their tasks.
    ///
    /// Wakers are called last, when nothing is borrowed any more, so a waker may do what it
    /// likes, a nested `turn` included. A signal ends the wait early, with nothing ready.
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
        self.turn_with(timeout, Some)
    }

    /// As [`turn`](Self::turn), but each waker of a key is first offered to `absorb`, while the
    /// reactor is borrowed: an executor that knows its own wakers queues their tasks directly and
    /// returns `None`. It must not call anything but its own queue; a waker that it gives back is
    /// woken at the end, as in `turn`.
    ///
    /// # Errors
    ///
    /// As `turn`.
    #[inline]
    pub fn turn_with(
        &self,
        timeout: Option<Duration>,
        absorb: impl FnMut(Waker) -> Option<Waker>,
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
        shared.counts.turn(&turn);
        turn.woken += turn.timers;
        waited.map(|_| turn)
    }
}

impl Shared {
    /// Flush, select, dispatch. Every borrow ends before this returns. The answer is the time at
    /// which timers are due, if there are any.
    #[inline]
    fn wait(
        &self,
        timeout: Option<Duration>,
        mut absorb: impl FnMut(Waker) -> Option<Waker>,
        woken: &mut Vec<Waker>,
        turn: &mut Turn,
    ) -> io::Result<Option<u64>> {
        if !self.edge {
            self.flush(woken);
        }
        // A failed flush, or wakers that a panic kept: somebody must be woken before the loop may
        // sleep.
        let timeout = if woken.is_empty() {
            timeout
        } else {
            Some(Duration::ZERO)
        };
        let due = self.next_timer();
        let timeout = match (timeout, due.map(|(_, due)| due)) {
            (Some(asked), Some(due)) => Some(asked.min(due)),
            (asked, due) => asked.or(due),
        };

        let dispatched = |slot: &Slot, readiness| {
            let marked = slot.mark(readiness);
            let mut wake = |direction, woken: &mut Vec<Waker>| {
                if let Some(waker) = slot.take_first(marked, direction) {
                    match absorb(waker) {
                        Some(waker) => keep(woken, waker),
                        None => turn.woken += 1,
                    }
                }
            };
            if !marked.concerns_only_a_reader() {
                wake(Direction::Write, woken);
                if !self.edge && slot.mark_dirty() {
                    self.note(slot);
                }
                if slot.is_crowded() {
                    slot.take_crowd(marked, woken);
                }
            }
            wake(Direction::Read, woken);
        };
        let selected = if self.attention.is_observed() {
            self.select_observed(timeout, dispatched)
        } else if self.spin.is_wanted() && timeout != Some(Duration::ZERO) {
            self.select_spinning(timeout, dispatched)
        } else {
            self.select(timeout, dispatched)
        };
        turn.ready = match selected {
            Err(Error::Interrupted) => 0,
            ready => ready?,
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

    /// The time, and how long it is to the next deadline; `None` if there are no timers, and then
    /// the clock is not read.
    #[inline]
    pub(crate) fn next_timer(&self) -> Option<(u64, Duration)> {
        let deadline = self.timers.borrow_mut().next_deadline()?;
        let now = self.elapsed_now();
        Some((now, Duration::from_nanos(deadline.saturating_sub(now))))
    }

    #[inline]
    pub(crate) fn select(
        &self,
        timeout: Option<Duration>,
        mut dispatch: impl FnMut(&Slot, Readiness),
    ) -> Result<usize, Error> {
        let mut selector = self.selector.borrow_mut();
        selector.select_with(timeout, |_, key, readiness| dispatch(&key.data, readiness))
    }

    #[cold]
    fn select_observed(
        &self,
        timeout: Option<Duration>,
        mut dispatch: impl FnMut(&Slot, Readiness),
    ) -> Result<usize, Error> {
        let keys = self.selector.borrow().get_map().len() - 1;
        self.hook.emit(Event::SelectBegin { timeout, keys });
        let notifier = self.notified.token();
        let mut ready = Vec::new();
        let selected = self.select(timeout, |slot, readiness| {
            if let Some(token) = slot.token().filter(|token| Some(*token) != notifier) {
                ready.push((token.fd(), readiness));
            }
            dispatch(slot, readiness);
        });
        self.hook.emit(Event::SelectEnd { ready: &ready });
        selected
    }

    fn take_notification(&self) -> io::Result<()> {
        self.notified.clear(Direction::Read);
        if self.attention.is_observed() {
            self.hook.emit(Event::Notify);
        }
        if !self.edge {
            // Level-triggered, it would report the same notification for ever.
            self.notifier.clear()?;
        }
        Ok(())
    }

    fn fire(&self, now: u64, woken: &mut Vec<Waker>) {
        let observed = self.attention.is_observed();
        self.timers.borrow_mut().fire(now, |timer, waker| {
            if observed {
                self.hook.emit(Event::TimerFired { timer });
            }
            woken.push(waker);
        });
    }

    /// Calls the wakers, now that nothing is borrowed; says how many there were.
    #[inline]
    fn wake(&self, woken: &mut Vec<Waker>, cause: Cause) -> usize {
        let called = woken.len();
        if called != 0 {
            self.cause.set(cause);
            let mut rest = Rest {
                shared: self,
                wakers: mem::take(woken).into(),
            };
            while let Some(waker) = rest.wakers.pop_front() {
                waker.wake();
            }
            *woken = mem::take(&mut rest.wakers).into();
        }
        called
    }

    /// Level mode: this key's interest has to be looked at before the next select.
    #[inline(never)]
    fn note(&self, slot: &Slot) {
        if let Some(token) = slot.token() {
            self.dirty.borrow_mut().push(token);
        }
    }

    /// Level mode: tells the kernel which interest changed since the last turn. Interest that was
    /// dropped and wanted again in between costs nothing.
    fn flush(&self, woken: &mut Vec<Waker>) {
        let mut selector = self.selector.borrow_mut();
        for token in self.dirty.borrow_mut().drain(..) {
            let Some(slot) = selector.get_key(token).map(|key| Rc::clone(&key.data)) else {
                continue;
            };
            slot.flushed();
            let want = slot.want();
            if want == slot.armed() {
                continue;
            }
            let changed = match want {
                Some(events) => selector.modify(token, events),
                None => selector.park(token),
            };
            if self.attention.is_observed() {
                self.hook.emit(Event::Modify {
                    fd: token.fd(),
                    events: want,
                });
            }
            match changed {
                Ok(()) => slot.set_armed(want),
                Err(_) => {
                    // The waiters retry their call; the next one that has to wait registers anew,
                    // and is the one to hear the kernel's answer.
                    let _ = selector.unregister(token);
                    slot.unregistered();
                    slot.fail(woken);
                }
            }
        }
    }
}

/// A waker that nobody absorbed waits until nothing is borrowed.
#[cold]
fn keep(woken: &mut Vec<Waker>, waker: Waker) {
    woken.push(waker);
}

/// Wakers that are being called. If one of them panics, the others are kept for the next turn.
struct Rest<'a> {
    shared: &'a Shared,
    wakers: VecDeque<Waker>,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.shared.cause.set(Cause::Task);
        if !self.wakers.is_empty() {
            self.shared.woken.set(mem::take(&mut self.wakers).into());
        }
    }
}
