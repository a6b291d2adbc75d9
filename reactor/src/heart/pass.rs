//! [`Pass`]: an executor polls one task after another, until it is time to look at the kernel.

use std::fmt;

use crate::heart::budget::Attention;

/// One pass of an executor over those who are woken; made by
/// [`Reactor::begin_pass`](crate::Reactor::begin_pass). It has so many steps, and fewer where somebody
/// begins to [observe](crate::Reactor::observe), or a budget is
/// [used up](crate::Reactor::take_exhausted): so one number is looked at after each poll, and no flag
/// before it. One that begins in a step of another is a pass of its own, and when it is dropped, which
/// must be before the other is, that one goes on.
///
/// ```
/// let reactor = reactor::Reactor::new()?;
/// let pass = reactor.begin_pass(64);
/// let mut polls = 0;
/// loop {
///     pass.begin_step();
///     polls += 1; // Here a task is polled.
///     if polls == 3 {
///         // It uses its budget up.
///         let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
///         while reactor.poll_budget(&mut cx).is_ready() {}
///     }
///     if !pass.end_step() {
///         break;
///     }
/// }
/// assert_eq!((polls, pass.unmade()), (3, 61));
/// # std::io::Result::Ok(())
/// ```
pub struct Pass<'a> {
    attention: &'a Attention,
    /// What the pass around this one had left.
    outer: (isize, usize),
}

impl<'a> Pass<'a> {
    #[inline]
    pub(crate) fn begin(attention: &'a Attention, steps: usize) -> Self {
        let outer = attention.begin_pass(steps);
        Pass { attention, outer }
    }

    /// A full budget for the task that is polled next. Where somebody observes,
    /// [`refill_budget`](crate::Reactor::refill_budget) gives it.
    #[inline]
    pub fn begin_step(&self) {
        self.attention.begin_step();
    }

    /// A step is over; false if it was the last one, and then the pass is over.
    #[inline]
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn end_step(&self) -> bool {
        self.attention.end_step()
    }

    /// How many steps may be made, the present one included.
    #[must_use]
    pub fn left(&self) -> usize {
        self.attention.left()
    }

    /// What was done in this step counts for so many more, fewer than are [`left`](Self::left); for all but one
    /// of them, if that is too many.
    pub fn skip(&self, steps: usize) {
        self.attention.skip(steps);
    }

    /// How many steps were not made.
    #[must_use]
    pub fn unmade(&self) -> usize {
        self.attention.unmade()
    }
}

impl Drop for Pass<'_> {
    #[inline]
    fn drop(&mut self) {
        self.attention.end_pass(self.outer);
    }
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("left", &self.left()).finish()
    }
}
