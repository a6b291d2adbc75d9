//! The forms of select: the shared half of every wait.

use std::mem;
use std::slice;
use std::time::{Duration, Instant};

use super::{KeyMap, Selector, SelectorKey};
use crate::kernel::{AsRawEvent, Kernel, RawEvent};
use crate::os::RawFd;
use crate::words::masked;
use crate::{Error, Event, Mode, Readiness, Token};

impl<K: Kernel + ?Sized, F, D> Selector<K, F, D> {
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
    #[inline]
    pub fn select(
        &mut self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        // None and zero need no clock: a zero that was interrupted is due at any time. A deadline
        // that no clock can name is none.
        let deadline = match timeout {
            Some(Duration::ZERO) | None => None,
            Some(timeout) => self.now().checked_add(timeout),
        };
        match self.select_interruptible(ready, timeout) {
            // A look without waiting has its answer.
            Ok(0) if timeout != Some(Duration::ZERO) && !self.is_over(deadline) => {
                self.wait_on(ready, deadline)
            }
            Err(Error::Interrupted) => {
                let is_look = timeout == Some(Duration::ZERO);
                self.wait_on(ready, if is_look { Some(self.now()) } else { deadline })
            }
            finished => finished,
        }
    }

    /// Waits again, after a wait that was interrupted or that ended with nothing: by its timeout,
    /// or by events that no key wants. After a signal that has used the time up, one look without
    /// waiting is left.
    #[cold]
    fn wait_on(
        &mut self,
        ready: &mut Vec<Event>,
        deadline: Option<Instant>,
    ) -> Result<usize, Error> {
        loop {
            match self.select_until(ready, deadline) {
                Err(Error::Interrupted) => {}
                finished => return finished,
            }
        }
    }

    fn is_over(&self, deadline: Option<Instant>) -> bool {
        deadline.is_some_and(|deadline| deadline <= self.now())
    }

    /// Waits until a key is ready, the deadline is there or a signal comes; `None` is no deadline, and
    /// one that has passed leaves a look without waiting.
    ///
    /// For embedders that run signal handlers of their own: they call it again with the same deadline,
    /// and nothing is left to be computed. It is on the clock of [`now`](Self::now).
    ///
    /// ```
    /// use selectors_core::{DefaultSelector, EVENT_READ, Error};
    /// use std::time::Duration;
    ///
    /// let (near, _far) = std::os::unix::net::UnixStream::pair()?;
    /// let mut selector = DefaultSelector::new()?;
    /// selector.register(near, EVENT_READ, ())?;
    /// let mut ready = Vec::new();
    /// let deadline = Some(selector.now() + Duration::from_millis(1));
    /// let found = loop {
    ///     match selector.select_until(&mut ready, deadline) {
    ///         Err(Error::Interrupted) => { /* Run the handlers; return if one says so. */ }
    ///         finished => break finished?,
    ///     }
    /// };
    /// assert_eq!(found, 0);
    /// assert!(deadline <= Some(selector.now()));
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] after a signal, otherwise what the kernel says.
    pub fn select_until(
        &mut self,
        ready: &mut Vec<Event>,
        deadline: Option<Instant>,
    ) -> Result<usize, Error> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(self.now()));
            match self.select_interruptible(ready, left) {
                Ok(0) if !self.is_over(deadline) => {}
                finished => return finished,
            }
        }
    }

    /// The same as [`select`](Self::select) for a loop that takes only so many events at a time (one
    /// at least). What is beyond is not lost and not asked for again: the next call of any form
    /// reports it, without waiting, before it asks the kernel, so that nobody is passed over.
    ///
    /// Whoever watches [`fileno`](Self::fileno) calls until there are fewer than `most`.
    ///
    /// ```
    /// use selectors_core::{DefaultSelector, EVENT_WRITE};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let (a, b) = UnixStream::pair()?;
    /// let mut selector = DefaultSelector::new()?;
    /// let tokens = [selector.register(a, EVENT_WRITE, ())?, selector.register(b, EVENT_WRITE, ())?];
    /// let (mut first, mut second) = (Vec::new(), Vec::new());
    /// assert_eq!(selector.select_at_most(&mut first, 1, None)?, 1);
    /// assert_eq!(selector.select_at_most(&mut second, 1, None)?, 1);
    /// assert_ne!(first, second);
    /// # let _ = tokens;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`select`](Self::select).
    pub fn select_at_most(
        &mut self,
        ready: &mut Vec<Event>,
        most: usize,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        let found = self.select(ready, timeout)?;
        let beyond = ready.drain(found.min(most.max(1))..);
        self.left
            .extend(beyond.map(|event| RawEvent::new(event.token, event.readiness)));
        Ok(ready.len())
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
    #[inline]
    pub fn select_interruptible(
        &mut self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        ready.clear();
        self.select_with(timeout, |token, _, readiness| {
            ready.push(Event { token, readiness });
        })?;
        Ok(ready.len())
    }

    /// The same as [`select_interruptible`](Self::select_interruptible), with each event handed to
    /// `on_ready` at once, together with its key. No buffer in between, no allocation.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] after a signal, otherwise what the kernel says.
    ///
    /// # Panics
    ///
    /// If `on_ready` does. The selector stays whole: of the events that `on_ready` has not seen,
    /// those that the kernel would not report again (of edge and oneshot keys) are what the next
    /// call reports, without waiting.
    // Always: it is called once by each loop, and a frame of its own would cost as much as the
    // dispatch of two events.
    #[inline(always)]
    pub fn select_with(
        &mut self,
        timeout: Option<Duration>,
        mut on_ready: impl FnMut(Token, &SelectorKey<F, D>, Readiness),
    ) -> Result<usize, Error> {
        let left;
        let events = if self.left.is_empty() {
            self.kernel.wait(timeout)?
        } else {
            left = self.take_left();
            &left
        };
        // The rare ones are counted, so that the others cost nothing.
        let mut unwanted = 0;
        let mut orphan = None;
        let mut unseen = Unseen {
            records: events.iter(),
            map: &self.map,
            left: &mut self.left,
        };
        for record in unseen.records.by_ref() {
            let Some(entry) = self.map.tagged(record.tag()) else {
                note(&mut orphan, record);
                unwanted += 1;
                continue;
            };
            let readiness = masked(record.readiness(), entry.mask);
            if readiness.is_empty() {
                unwanted += 1;
                continue;
            }
            on_ready(entry.token(), &entry.key, readiness);
        }
        drop(unseen);
        let reported = events.len() - unwanted;
        if let Some(orphan) = orphan {
            match self.disown(orphan) {
                // What was reported counts; the orphan comes back by itself.
                Err(error) if reported == 0 => return Err(error),
                _ => {}
            }
        }
        Ok(reported)
    }

    /// What was not handed out, but for keys that are gone: no kernel told of those.
    #[cold]
    fn take_left(&mut self) -> Vec<RawEvent> {
        let mut left = mem::take(&mut self.left);
        left.retain(|record| self.map.tagged(record.tag()).is_some());
        left
    }

    /// Ends the reports of a registration that has no key any more.
    #[cold]
    fn disown(&mut self, orphan: RawFd) -> Result<(), Error> {
        let taken = self.map.get_by_fd(orphan).is_some();
        let watched = self
            .map
            .entries()
            .filter(|entry| entry.key.events.is_some());
        let mut live = watched.map(|entry| (entry.token(), entry.interest));
        self.kernel.disown(orphan, taken, &mut live)
    }
}

/// Takes note of an event without a key. Out of line, so that the loop over the events spends
/// nothing on it.
#[cold]
#[inline(never)]
fn note(orphan: &mut Option<RawFd>, record: &RawEvent) {
    *orphan = Some(record.tag().fd);
}

/// The events of a wait that are still to be handed out. Dropped before its end only by a panic of
/// who takes them; then it keeps what would be lost.
struct Unseen<'a, F, D> {
    records: slice::Iter<'a, RawEvent>,
    map: &'a KeyMap<F, D>,
    left: &'a mut Vec<RawEvent>,
}

impl<F, D> Drop for Unseen<'_, F, D> {
    #[inline]
    fn drop(&mut self) {
        let records = self.records.as_slice();
        if !records.is_empty() {
            keep(records, self.map, self.left);
        }
    }
}

/// Takes care of the events that no kernel reports again. Its arguments are values: if it took the
/// guard, the guard would have to be in memory, and the loop would write each of its steps there.
#[cold]
#[inline(never)]
fn keep<F, D>(records: &[RawEvent], map: &KeyMap<F, D>, left: &mut Vec<RawEvent>) {
    let told_once = |record: &&RawEvent| {
        map.tagged(record.tag())
            .is_some_and(|entry| entry.interest.mode != Mode::Level)
    };
    left.extend(records.iter().filter(told_once));
}
