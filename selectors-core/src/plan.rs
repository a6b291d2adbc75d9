//! Changes that wait for the next select, so that many reach the kernel together and those that
//! cancel out never do.

use crate::kernel::Kernel;
use crate::{Error, Events, Selector, Token};

impl<K: Kernel, F, D> Selector<K, F, D> {
    /// Like [`modify`](Self::modify), no later than in the next select.
    ///
    /// The key shows its old interest until then. Of several plans for one key the last counts, and
    /// one that ends where it began costs no system call. Backends with
    /// [`batched_changes`](crate::Capabilities::batched_changes) send all of them in one call.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] for a token without a key. What the kernel says is reported by the
    /// select; the key then keeps its old interest.
    pub fn modify_later(&mut self, token: Token, events: Events) -> Result<(), Error> {
        self.plan(token, Some(events))
    }

    /// Like [`park`](Self::park), no later than in the next select.
    ///
    /// # Errors
    ///
    /// As [`modify_later`](Self::modify_later).
    pub fn park_later(&mut self, token: Token) -> Result<(), Error> {
        self.plan(token, None)
    }

    fn plan(&mut self, token: Token, events: Option<Events>) -> Result<(), Error> {
        let entry = self
            .map
            .entry_mut(token)
            .ok_or(Error::NotRegistered(token.fd))?;
        if entry.planned.replace(events).is_none() {
            self.planned.push(token);
        }
        Ok(())
    }

    /// Sends the planned changes now; every select begins with it.
    ///
    /// # Errors
    ///
    /// The first refusal of the kernel, after the other plans have been carried out.
    pub fn flush(&mut self) -> Result<(), Error> {
        let mut outcome = Ok(());
        while let Some(token) = self.planned.pop() {
            // Unregistered, or overtaken by a verb that acted at once.
            let Some(entry) = self.map.entry_mut(token) else {
                continue;
            };
            let Some(events) = entry.planned.take() else {
                continue;
            };
            let from = entry.key.events.map(|_| entry.interest);
            let to = events.map(|events| entry.interest.with_events(events));
            // A oneshot key is armed by every modify, also one to the same directions.
            if from == to && !entry.interest.mode.is_oneshot() {
                continue;
            }
            match self.kernel.plan(token, from, to) {
                Ok(()) => entry.set_interest(to),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }
}
