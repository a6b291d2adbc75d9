//! The forms of select: the shared half of every wait.

use std::time::{Duration, Instant};

use crate::interest::masked;
use crate::kernel::Kernel;
use crate::{Error, Event, Readiness, Selector, SelectorKey, Token};

impl<K: Kernel, F, D> Selector<K, F, D> {
    /// Waits until a key is ready or the timeout is over, and fills `ready` with one event per
    /// ready key. `None` waits for ever, zero does not wait.
    ///
    /// Never returns early: a signal does not end the wait (contract row S9), and timeouts are
    /// rounded up. When a signal outlasts the deadline, one last look is taken without waiting, so
    /// that what is ready by then is reported. `ready` is cleared first and not freed: a steady
    /// loop does not allocate.
    ///
    /// # Errors
    ///
    /// What the kernel says; never [`Error::Interrupted`].
    pub fn select(
        &mut self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        // None and zero need no clock. A deadline that no clock can name is none.
        let deadline = match timeout {
            Some(timeout) if !timeout.is_zero() => self.now().checked_add(timeout),
            _ => None,
        };
        let mut remaining = timeout;
        loop {
            match self.select_interruptible(ready, remaining) {
                // A look without waiting has its answer.
                Ok(0) if remaining == Some(Duration::ZERO) => return Ok(0),
                // A timeout, or events that no key wants.
                Ok(0) => {
                    remaining = self.left_until(deadline);
                    if remaining == Some(Duration::ZERO) {
                        return Ok(0);
                    }
                }
                // A signal. If it has used the time up, what is left is one look without waiting.
                Err(Error::Interrupted) if remaining != Some(Duration::ZERO) => {
                    remaining = self.left_until(deadline);
                }
                Err(Error::Interrupted) => {}
                finished => return finished,
            }
        }
    }

    /// The same as [`select`](Self::select) in one wait of the kernel: a signal ends it.
    ///
    /// For embedders that run signal handlers of their own. May return 0 before the timeout, if
    /// the only events were of keys that do not want them, or if the timeout is longer than a
    /// kernel takes (24 days).
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] after a signal, otherwise what the kernel says.
    pub fn select_interruptible(
        &mut self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        ready.clear();
        self.select_with(timeout, |token, _, readiness| {
            ready.push(Event { token, readiness });
        })
    }

    /// The same as [`select_interruptible`](Self::select_interruptible), with each event handed to
    /// `on_ready` at once, together with its key. No buffer in between, no allocation.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] after a signal, otherwise what the kernel says.
    #[inline]
    pub fn select_with(
        &mut self,
        timeout: Option<Duration>,
        mut on_ready: impl FnMut(Token, &SelectorKey<F, D>, Readiness),
    ) -> Result<usize, Error> {
        if !self.planned.is_empty() {
            self.flush()?;
        }
        let events = self.kernel.wait(timeout)?;
        let mut reported = 0;
        let mut orphan = None;
        for event in events {
            let Some(entry) = self.map.entry(event.token) else {
                orphan = Some(event.token);
                continue;
            };
            let readiness = masked(event.readiness, entry.mask);
            if readiness.is_empty() {
                continue;
            }
            reported += 1;
            on_ready(event.token, &entry.key, readiness);
        }
        if let Some(orphan) = orphan {
            self.disown(orphan)?;
        }
        Ok(reported)
    }

    /// Ends the reports of a registration that has no key any more.
    #[cold]
    fn disown(&mut self, orphan: Token) -> Result<(), Error> {
        let taken = self.map.get_by_fd(orphan.fd).is_some();
        let watched = self
            .map
            .entries()
            .filter(|entry| entry.key.events.is_some());
        let mut live = watched.map(|entry| (entry.token(), entry.interest));
        self.kernel.disown(orphan, taken, &mut live)
    }

    /// What is left of the time; `None` is without end.
    fn left_until(&self, deadline: Option<Instant>) -> Option<Duration> {
        deadline.map(|deadline| deadline.saturating_duration_since(self.now()))
    }
}
