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

use selectors_core::{Error, Readiness};

use crate::shared::{Key, Shared};

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
}

impl Shared {
    /// A wait that spins before it sleeps.
    #[cold]
    pub(crate) fn select_spinning(
        &self,
        timeout: Option<Duration>,
        mut dispatch: impl FnMut(&Key, Readiness),
    ) -> Result<usize, Error> {
        let spin = &self.spin;
        let asked = timeout.map_or(u64::MAX, |timeout| timeout.as_nanos() as u64);
        let start = self.elapsed_now();
        let mut waited = 0;
        if spin.hopeful.get() {
            while waited < asked.min(spin.limit) {
                let ready = self.select(Some(Duration::ZERO), &mut dispatch)?;
                if ready != 0 {
                    return Ok(ready);
                }
                hint::spin_loop();
                waited = self.elapsed_now().saturating_sub(start);
            }
            spin.hopeful.set(false);
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(Duration::from_nanos(waited)));
        let ready = self.select(left, dispatch)?;
        let slept = self
            .elapsed_now()
            .saturating_sub(start)
            .saturating_sub(waited);
        spin.hopeful.set(ready != 0 && slept < spin.limit);
        Ok(ready)
    }
}
