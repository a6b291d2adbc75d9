//! A select that somebody observes: what is asked, and what is answered.

use std::rc::Rc;
use std::time::Duration;

use selectors_core::Error;
use selectors_core::sys::acts::wait;

use crate::heart::shared::Shared;
use crate::heart::unusual::Dispatch;
use crate::watch::events::Event;

impl Shared {
    pub(super) fn select_observed(
        &self,
        timeout: Option<Duration>,
        dispatch: &mut Dispatch<'_>,
    ) -> Result<usize, Error> {
        let (keys, at) = {
            let selector = self.selector.borrow();
            (selector.get_map().len() - 1, wait(selector.backend()))
        };
        self.hook.emit(Event::SelectBegin { timeout, keys }, at);
        let mut ready = Vec::new();
        let selected = self.ask(timeout, &mut |key, readiness| {
            if !Rc::ptr_eq(&key.data, &self.notified) {
                ready.push((key.fd, readiness));
            }
            dispatch(key, readiness);
        });
        self.hook.emit(Event::SelectEnd { ready: &ready }, at);
        selected
    }
}
