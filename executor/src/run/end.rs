//! The end of a runtime: tasks are asked to end, given time, and dropped.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::run::core::Core;
use crate::run::{current, runtimes, waker};
use crate::task::foreign::drop_contained;

impl Core {
    /// From now on a stop is asked for: everybody is woken, once.
    pub(crate) fn ask_to_stop(&self) {
        if self.stop.is_asked() {
            return;
        }
        let mut waiting = self.stop.ask();
        current::stop_is_asked(self.number);
        let everybody = self.scheduler.borrow().everybody();
        everybody.into_iter().for_each(|id| self.wake(id));
        while let Some(waker) = waiting.pop() {
            waker::wake_contained(waker);
        }
    }

    /// Asks, waits for `grace` at most, and drops what is left. Says how many ended by themselves,
    /// and how many were dropped.
    pub(crate) fn shut_down(self: &Rc<Self>, grace: Duration) -> io::Result<(usize, usize)> {
        let spawned = || self.scheduler.borrow().spawned();
        let before = self.live() as u64;
        let spawned_before = spawned();
        self.ask_to_stop();
        // Everybody who was woken gets a poll, even without any grace.
        let asked = self.polls.get() + self.scheduler.borrow().queued() as u64;
        let all_heard = || self.is_idle() || self.polls.get() >= asked;
        let deadline = self.reactor.now().checked_add(grace);
        let mut waited = Ok(());
        while waited.is_ok() && !self.is_empty() {
            self.poll_woken();
            let left = deadline.map(|at| at.saturating_duration_since(self.reactor.now()));
            if self.is_empty() || (left == Some(Duration::ZERO) && all_heard()) {
                break;
            }
            waited = self.turn(left).map(drop);
        }
        let dropped = self.live();
        let all = before + (spawned() - spawned_before);
        self.close();
        waited.map(|()| (all as usize - dropped, dropped))
    }

    /// Drops every task, in the order of their slots, while this runtime is still current, so
    /// that what they hold can unregister itself.
    pub(crate) fn close(self: &Rc<Self>) {
        // Once: the number may be another runtime's by the second time.
        if self.closed.replace(true) {
            return;
        }
        let _entered = current::enter(self);
        // Nothing is taken in any more, so one pass meets them all. Nothing is borrowed meanwhile:
        // a future may do anything in its destructor.
        self.slab.take_all().into_iter().for_each(drop_contained);
        let unread = self.letters.take();
        unread.for_each(drop_contained);
        self.remote.inbox.close().for_each(drop_contained);
        runtimes::strike_off(self.number, self.scheduler.borrow().past());
    }
}
