//! The turn: flush interest, select, dispatch, fire timers, wake.

use std::io;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use selectors_core::Error;

use crate::reactor::{Reactor, Shared};
use crate::slot::Direction;

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
        let found = shared.turn(timeout, absorb, &mut woken);
        let called = woken.len();
        woken.drain(..).for_each(Waker::wake);
        shared.woken.set(woken);
        shared.refill();
        found.map(|turn| Turn {
            woken: turn.woken + called,
            ..turn
        })
    }
}

impl Shared {
    /// Everything but the waking; each borrow ends before this returns.
    #[inline]
    fn turn(
        &self,
        timeout: Option<Duration>,
        mut absorb: impl FnMut(Waker) -> Option<Waker>,
        woken: &mut Vec<Waker>,
    ) -> io::Result<Turn> {
        if !self.edge {
            self.flush(woken);
        }
        // Somebody must see a failed flush before the loop may sleep.
        let timeout = if woken.is_empty() {
            timeout
        } else {
            Some(Duration::ZERO)
        };

        let mut timers = self.timers.borrow_mut();
        let deadline = timers.next_deadline();
        let mut selector = self.selector.borrow_mut();
        // The one clock read of a busy turn, and none at all while there are no timers.
        let now = deadline.map(|_| timers.elapsed(selector.now()));
        let to_deadline = deadline
            .zip(now)
            .map(|(deadline, now)| deadline.saturating_sub(now));
        let wait = match (timeout, to_deadline.map(Duration::from_nanos)) {
            (Some(asked), Some(due)) => Some(asked.min(due)),
            (asked, due) => asked.or(due),
        };

        let mut dirty = self.dirty.borrow_mut();
        let mut absorbed = 0;
        let mut wake = |waker| match absorb(waker) {
            Some(waker) => woken.push(waker),
            None => absorbed += 1,
        };
        let ready = match selector.select_with(wait, |token, key, readiness| {
            key.data.dispatch(readiness, &mut wake);
            if !self.edge && key.data.mark_dirty() {
                dirty.push(token);
            }
        }) {
            Ok(ready) => ready,
            Err(Error::Interrupted) => 0,
            Err(error) => return Err(error.into()),
        };
        drop((selector, dirty));
        if self.notified.may_be_ready(Direction::Read) {
            self.notified.clear(Direction::Read);
            if !self.edge {
                // Level-triggered, it would report the same notification for ever.
                self.notifier.clear()?;
            }
        }

        let mut fired = 0;
        if let Some(now) = now {
            // After a sleep that no key ended, the deadline is probably what ended it: look again.
            let slept = ready == 0 && wait != Some(Duration::ZERO);
            let now = if slept {
                timers.elapsed(self.selector.borrow().now())
            } else {
                now
            };
            fired = timers.fire(now, woken);
        }
        Ok(Turn {
            ready,
            timers: fired,
            woken: absorbed,
        })
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
