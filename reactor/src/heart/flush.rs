//! Level mode: before each select the kernel is told which interest has changed since the last one.

use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use crate::heart::shared::{Selector, Shared};
use crate::heart::slot::Key;
use crate::watch::events::Event;

impl Shared {
    /// Level mode: this key's interest has to be looked at before the next select.
    #[inline(never)]
    pub(super) fn note(&self, key: &Key) {
        self.dirty.borrow_mut().push(key.fd);
    }

    /// Level mode: tells the kernel which interest changed since the last turn. Interest that was
    /// dropped and wanted again in between costs nothing. The answer is how long it is until the
    /// first key that is [at rest](crate::heart::lasting) has rested enough.
    pub(super) fn flush(&self, woken: &mut Vec<Waker>) -> Option<Duration> {
        let observed = self.attention.is_observed();
        let mut told = Vec::new();
        let rest = self.tell_interest(woken, |event| {
            if observed {
                told.push(event);
            }
        });
        for event in told {
            self.hook.emit(event);
        }
        rest
    }

    fn tell_interest(
        &self,
        woken: &mut Vec<Waker>,
        mut tell: impl FnMut(Event<'static>),
    ) -> Option<Duration> {
        let mut selector = self.selector.borrow_mut();
        let mut dirty = self.dirty.borrow_mut();
        let mut resting = self.resting.borrow_mut();
        let now = |selector: &Selector| self.clock.now(|| selector.now());
        if !resting.is_empty() {
            resting.get_up(now(&selector), &mut dirty);
        }
        for fd in dirty.drain(..) {
            // Another key of the same number loses nothing by being looked at.
            let Some((token, key)) = selector.get_map().get_by_fd(fd) else {
                continue;
            };
            let slot = &key.data;
            slot.flushed();
            let mut want = slot.want();
            if slot.is_suspicious() || !resting.is_empty() {
                want = resting.unless_at_rest(token, key, want, || now(&selector));
            }
            if want == slot.armed() {
                continue;
            }
            let slot = Rc::clone(slot);
            let changed = match want {
                Some(events) => selector.modify(token, events),
                None => selector.park(token),
            };
            tell(Event::Modify { fd, events: want });
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
        give_back(&mut dirty);
        let until = resting.first()?;
        Some(Duration::from_nanos(until.saturating_sub(now(&selector))))
    }
}

/// A list that is empty again keeps its buffer from turn to turn, so that a steady loop allocates
/// nothing; but not the buffer of a crowd, which is nothing beside what the crowd itself costs.
#[inline]
pub(super) fn give_back<T>(list: &mut Vec<T>) {
    if list.is_empty() && list.capacity() > 8192 {
        *list = Vec::new();
    }
}
