//! Opt-in spinning: asking the kernel again and again for a while, before sleeping.
//!
//! On a virtual machine, waking a sleeping CPU takes tens of microseconds, more than the wait for a
//! peer on another core. A loop that asks for that long without sleeping answers at once, and
//! burns the CPU meanwhile. So it must be asked for, and it stops by itself: a spin that ends with
//! nothing ready is followed by sleeps only, until one of them turns out to have been so short
//! that spinning would have paid.

use std::cell::Cell;
use std::hint;
use std::time::Duration;

use selectors_core::Error;

use crate::timers::clock;

/// The setting, and what the last waits were like.
pub(crate) struct Spin {
    /// How long to spin at most, in nanoseconds; zero is never.
    limit: u64,
    /// Would spinning have paid the last time?
    hopeful: Cell<bool>,
}

impl Spin {
    pub(crate) fn new(limit: Duration) -> Self {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Spin {
            limit,
            hopeful: Cell::new(true),
        }
    }

    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.limit != 0
    }

    /// A wait that spins before it sleeps: `ask` waits for at most as long as it is told, and `now`
    /// is the clock's, in nanoseconds.
    #[cold]
    pub(crate) fn select(
        &self,
        timeout: Option<Duration>,
        now: impl Fn() -> u64,
        mut ask: impl FnMut(Option<Duration>) -> Result<usize, Error>,
    ) -> Result<usize, Error> {
        let asked = timeout.map_or(u64::MAX, clock::nanos);
        let start = now();
        let mut waited = 0;
        if self.hopeful.get() {
            while waited < asked.min(self.limit) {
                let ready = ask(Some(Duration::ZERO))?;
                if ready != 0 {
                    return Ok(ready);
                }
                hint::spin_loop();
                waited = now().saturating_sub(start);
            }
            self.hopeful.set(false);
        }
        let ready =
            ask(timeout.map(|timeout| timeout.saturating_sub(Duration::from_nanos(waited))))?;
        let slept = now().saturating_sub(start).saturating_sub(waited);
        self.hopeful.set(ready != 0 && slept < self.limit);
        Ok(ready)
    }
}
