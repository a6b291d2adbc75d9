//! Level mode: before each select the kernel is told which interest has changed since the last one. Edge
//! mode: which listener's key is to be edge-triggered from now on.

use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use selectors_core::{Events, Interest, Mode, act};

use crate::heart::lasting::{Answer, Question, Verdict};
use crate::heart::shared::{Selector, Shared};
use crate::heart::slot::{Key, Slot};
use crate::watch::acts::{self, Act};
use crate::watch::events::Event;
use crate::watch::foreign::contain;

/// What is found while the selector is borrowed, and must wait until it is not.
enum Aside {
    /// For the observer.
    Told(Event<'static>, &'static Location<'static>),
    /// A key that the kernel has refused. With it the source may go.
    Refused(Key),
    /// A key whose interest is not told before this is answered.
    Asked(Question),
}

impl Shared {
    /// Is its key level-triggered, or will it be, so that what the kernel watches is to be looked after?
    #[inline(always)]
    pub(crate) fn looks_after(&self, slot: &Slot) -> bool {
        !self.edge || slot.is_paced()
    }

    /// This key's interest has to be looked at before the next select.
    #[inline(never)]
    pub(super) fn note(&self, key: &Key) {
        self.dirty.borrow_mut().push(key.fd);
        if self.edge {
            self.special.set(true);
        }
    }

    /// Level mode: tells the kernel which interest changed since the last turn. Interest that was
    /// dropped and wanted again in between costs nothing. Before a turn that only `looks`, the key of a
    /// reader who was woken and has not come stays armed: he may be on his way, and a turn that sleeps
    /// parks it. The answer is how long it is until the first key is to be looked at again, see
    /// [`lasting`](crate::heart::lasting).
    pub(super) fn flush(&self, looks: bool, woken: &mut Vec<Waker>) -> Option<Duration> {
        let mut aside = Vec::new();
        loop {
            let rest = self.tell_interest(looks, woken, &mut aside);
            if aside.is_empty() {
                return rest;
            }
            for aside in aside.drain(..) {
                self.attend_to(aside, woken);
            }
        }
    }

    /// Nothing is borrowed now.
    #[cold]
    fn attend_to(&self, aside: Aside, woken: &mut Vec<Waker>) {
        match aside {
            Aside::Told(event, at) => self.hook.emit(event, at),
            Aside::Refused(key) => {
                contain(|| drop(key));
            }
            Aside::Asked(question) => {
                let answer = question.ask();
                let token = question.token();
                match answer {
                    Answer::Nothing => {}
                    Answer::HungUp => question.slot.fail(woken),
                    Answer::Lasts => {
                        let now = self.real_now();
                        self.resting.borrow_mut().rest(token, now);
                    }
                }
                self.dirty.borrow_mut().push(token.fd());
                contain(|| drop(question));
            }
        }
    }

    fn tell_interest(
        &self,
        looks: bool,
        woken: &mut Vec<Waker>,
        aside: &mut Vec<Aside>,
    ) -> Option<Duration> {
        let observed = self.attention.is_observed();
        let mut selector = self.selector.borrow_mut();
        let mut dirty = self.dirty.borrow_mut();
        let mut resting = self.resting.borrow_mut();
        let now = |selector: &Selector| self.clock.real_now(|| selector.now());
        if resting.is_busy {
            resting.get_up(now(&selector), &mut dirty);
        }
        dirty.retain(|&fd| {
            // Another key of the same number loses nothing by being looked at.
            let Some((token, key)) = selector.get_map().get_by_fd(fd) else {
                return false;
            };
            let slot = &key.data;
            let mut want = slot.want();
            if self.edge && !slot.is_paced() {
                return false;
            }
            if self.edge || want.is_none() {
                slot.hurry();
            }
            if self.edge {
                want = Some(Events::READ);
            } else if slot.is_suspicious() || resting.is_busy {
                match resting.judge(token, key, want, || now(&selector)) {
                    Verdict::Tell(events) => want = events,
                    Verdict::Ask(question) => {
                        aside.push(Aside::Asked(question));
                        return false;
                    }
                }
            }
            if looks && want.is_none() && slot.is_patient() {
                return true;
            }
            slot.flushed();
            if want == slot.armed() && !self.edge {
                return false;
            }
            let slot = Rc::clone(slot);
            let changed = match want {
                Some(events) => {
                    let edge = Interest::new(events).mode(Mode::Edge);
                    let modify = |selector: &mut Selector| match self.edge {
                        true => selector.modify_interest(token, edge),
                        false => selector.modify(token, events),
                    };
                    act!(acts::Modified, modify(&mut selector))
                }
                None => act!(acts::Parked, selector.park(token)),
            };
            if observed {
                let at = want.map_or(acts::Parked::AT, |_| acts::Modified::AT);
                aside.push(Aside::Told(Event::Modify { fd, events: want }, at));
            }
            match changed {
                Ok(()) if self.edge => {
                    slot.set_armed(None);
                    slot.registered(fd, Events::READ, Mode::Edge);
                }
                Ok(()) => slot.set_armed(want),
                Err(_) => {
                    // The waiters retry their call; the next one that has to wait registers anew,
                    // and is the one to hear the kernel's answer.
                    let key = selector.unregister(token);
                    aside.extend(key.ok().map(Aside::Refused));
                    slot.unregistered();
                    slot.fail(woken);
                }
            }
            false
        });
        give_back(&mut dirty);
        if !resting.is_busy {
            return None;
        }
        resting.lie_down();
        if self.clock.is_paused() {
            // Who waits then asks for the first rest of any kind.
            return None;
        }
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
