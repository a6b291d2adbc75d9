//! A clock that stands still: a wait for it takes no time, and any other as much as ever.

use std::time::Duration;

use selectors_core::Error;

use crate::heart::shared::Shared;
use crate::heart::unusual::Dispatch;
use crate::timers::clock;

impl Shared {
    /// Asks the kernel without waiting. If nothing is ready, the wait is over at once: the clock is moved
    /// by as much as it would have taken. Without a timer there is nothing to move it to, and the wait is
    /// for what is ready, or for one of our own rests to be over.
    pub(super) fn select_paused(
        &self,
        timeout: Option<Duration>,
        dispatch: &mut Dispatch<'_>,
    ) -> Result<usize, Error> {
        let observed = self.attention.is_observed();
        let mut ask = |timeout| match observed {
            true => self.select_observed(timeout, dispatch),
            false => self.ask(timeout, dispatch),
        };
        let Some(wait) = timeout else {
            return ask(self.first_rest());
        };
        let ready = ask(Some(Duration::ZERO))?;
        if ready == 0 {
            self.clock.advance(clock::nanos(wait));
        }
        Ok(ready)
    }
}
