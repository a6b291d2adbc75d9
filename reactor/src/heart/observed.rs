//! A select that somebody observes: what is asked, and what is answered.

use std::rc::Rc;
use std::time::Duration;

use selectors_core::sys::acts::wait;
use selectors_core::{Error, Readiness};

use crate::heart::shared::Shared;
use crate::heart::slot::Key;
use crate::watch::events::Event;

impl Shared {
    #[cold]
    pub(super) fn select_observed(
        &self,
        timeout: Option<Duration>,
        mut dispatch: impl FnMut(&Key, Readiness),
    ) -> Result<usize, Error> {
        let (keys, at) = {
            let selector = self.selector.borrow();
            (selector.get_map().len() - 1, wait(selector.backend()))
        };
        self.hook.emit(Event::SelectBegin { timeout, keys }, at);
        let mut ready = Vec::new();
        let selected = self.select(timeout, |key, readiness| {
            if !Rc::ptr_eq(&key.data, &self.notified) {
                ready.push((key.fd, readiness));
            }
            dispatch(key, readiness);
        });
        self.hook.emit(Event::SelectEnd { ready: &ready }, at);
        selected
    }
}
