//! One check that answers two rare questions: is the task's budget used up, and does somebody
//! observe?
//!
//! A leaf operation takes one from the budget, and must look whether there was one. While somebody
//! observes, that budget is kept at zero, so that each operation comes here to be told apart; the
//! real one is counted beside it. So an operation pays nothing for an observer while there is none.
//!
//! What a turn and a waiter pay can be counted: with `--cfg unobservable` the observer is compiled
//! out, and `.ci/observer_cost` sets the instructions of both builds side by side.

use std::cell::Cell;
use std::task::{Context, Poll};

/// Budget and observation, as the hot path sees them.
pub(crate) struct Attention {
    /// How many leaf operations a task may complete before it must let others run.
    whole: i32,
    /// What the hot path takes from: the budget, or zero while somebody observes. Below zero it is
    /// used up.
    budget: Cell<i32>,
    /// What `budget` is refilled to: the whole, or zero while somebody observes, or if the last
    /// budget was used up.
    full: Cell<i32>,
    /// Does somebody observe?
    observed: Cell<bool>,
    /// The real budget while somebody observes.
    observed_budget: Cell<i32>,
    /// A task was sent to the back of the queue because its budget was used up.
    exhausted: Cell<bool>,
    /// Steps that the executor may make before it takes a turn: the last one, if it shall attend to
    /// something; none, or less, when they are over.
    steps: Cell<isize>,
    /// Those that were taken away by that.
    unmade: Cell<usize>,
}

/// What an operation has to attend to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attend {
    /// Let others run first.
    BudgetIsUsedUp,
    /// Go on, and tell the observer, if there is one.
    Observed,
}

impl Attention {
    /// A busy task has the kernel asked for others after each budget. By edge that costs as much as an
    /// operation, so it is done often; by level as much as there are keys, with poll and select.
    pub(crate) fn new(edge: bool) -> Self {
        let whole = if edge { 16 } else { 32 };
        Attention {
            whole,
            budget: Cell::new(whole),
            full: Cell::new(whole),
            observed: Cell::new(false),
            observed_budget: Cell::new(whole),
            exhausted: Cell::new(false),
            steps: Cell::new(0),
            unmade: Cell::new(0),
        }
    }

    /// Was a budget used up since the last time that this was asked?
    #[inline]
    pub(crate) fn take_exhausted(&self) -> bool {
        self.exhausted.replace(false)
    }

    pub(crate) fn set_observed(&self, observed: bool) {
        self.observed.set(observed);
        self.full.set(0);
        self.refill();
        self.end_soon();
    }

    /// Allows the executor so many steps, at least one. What it had before is for
    /// [`end_pass`](Self::end_pass).
    #[inline]
    pub(crate) fn begin_pass(&self, steps: usize) -> (isize, usize) {
        let steps = isize::try_from(steps.max(1)).unwrap_or(isize::MAX);
        (self.steps.replace(steps), self.unmade.replace(0))
    }

    /// The pass around the one that ends goes on; not for long, if there is something to attend to.
    #[inline]
    pub(crate) fn end_pass(&self, (steps, unmade): (isize, usize)) {
        self.steps.set(steps);
        self.unmade.set(unmade);
        if self.full.get() == 0 {
            self.end_soon();
        }
    }

    /// A full budget for the task that runs next, in a pass that began unobserved.
    #[inline]
    pub(crate) fn begin_step(&self) {
        self.budget.set(self.whole);
    }

    /// A step is over; false if it was the last one. Nothing but zero is asked for, because that takes no
    /// instruction more than to count.
    #[inline]
    pub(crate) fn end_step(&self) -> bool {
        let left = self.steps.get().wrapping_sub(1);
        self.steps.set(left);
        left != 0
    }

    pub(crate) fn left(&self) -> usize {
        self.steps.get().max(0) as usize
    }

    /// How many steps were not made.
    pub(crate) fn unmade(&self) -> usize {
        self.left() + self.unmade.get()
    }

    /// So many steps more are made, the last one at most.
    pub(crate) fn skip(&self, more: usize) {
        match self.unmade.get() {
            0 => {
                let left = self.steps.get().saturating_sub_unsigned(more);
                self.steps.set(left.max(1));
            }
            // The pass ends soon, and the others are there.
            unmade => self.unmade.set(unmade.saturating_sub(more)),
        }
    }

    /// The step that is made now is the last one of its pass.
    fn end_soon(&self) {
        let left = self.left();
        if left > 1 {
            self.steps.set(1);
            self.unmade.set(self.unmade.get() + left - 1);
        }
    }

    #[inline]
    pub(crate) fn is_observed(&self) -> bool {
        !cfg!(unobservable) && self.observed.get()
    }

    /// A full budget for the task that runs next. True if somebody observes, or if the last budget
    /// was used up.
    #[inline]
    pub(crate) fn refill(&self) -> bool {
        let full = self.full.get();
        self.budget.set(full);
        if full == 0 {
            self.refill_whole();
        }
        full == 0
    }

    #[cold]
    fn refill_whole(&self) {
        self.observed_budget.set(self.whole);
        let full = if self.is_observed() { 0 } else { self.whole };
        self.full.set(full);
        self.budget.set(full);
    }

    /// One budget was enough for this task, and the executor shall hear of it.
    fn exhaust(&self) -> Attend {
        self.ask_for_a_turn();
        Attend::BudgetIsUsedUp
    }

    /// A turn before anybody else is polled.
    pub(crate) fn ask_for_a_turn(&self) {
        self.exhausted.set(true);
        self.full.set(0);
        self.end_soon();
    }

    /// Takes one operation from the budget; true if that was all there is to it.
    #[inline]
    pub(crate) fn spend(&self) -> bool {
        // One instruction counts and tells.
        let left = self.budget.get().wrapping_sub(1);
        self.budget.set(left);
        left >= 0
    }

    /// [`spend`](Self::spend) said no: why?
    #[cold]
    pub(crate) fn attend(&self) -> Attend {
        if !self.is_observed() {
            return self.exhaust();
        }
        let left = self.observed_budget.get().saturating_sub(1);
        self.observed_budget.set(left);
        match left {
            0.. => Attend::Observed,
            _ => self.exhaust(),
        }
    }

    /// Is the budget of the task that runs used up? Known while somebody observes.
    pub(crate) fn is_used_up(&self) -> bool {
        self.is_observed() && self.observed_budget.get() < 0
    }

    /// Takes one from the budget for what was ready without any call. If there is none the task goes
    /// to the back of the queue: it is woken, and has to wait.
    #[inline]
    pub(crate) fn poll_spend(&self, cx: &Context<'_>) -> Poll<()> {
        go_on_or_wait(self.spend() || self.attend() == Attend::Observed, cx)
    }

    /// Takes all of the budget but so much.
    pub(crate) fn leave(&self, most: i32) {
        let budget = self.left_over();
        budget.set(budget.get().min(most));
    }

    /// Makes the budget last until the guard is dropped; what was left before is left again then.
    pub(crate) fn lift(&self) -> Lifted<'_> {
        Lifted {
            attention: self,
            before: self.left_over().replace(i32::MAX),
        }
    }

    fn left_over(&self) -> &Cell<i32> {
        match self.is_observed() {
            true => &self.observed_budget,
            false => &self.budget,
        }
    }
}

/// While there is no end of the budget.
pub(crate) struct Lifted<'a> {
    attention: &'a Attention,
    before: i32,
}

impl Drop for Lifted<'_> {
    fn drop(&mut self) {
        self.attention.left_over().set(self.before);
    }
}

/// Goes on, or is woken for later.
#[inline]
pub(crate) fn go_on_or_wait(goes_on: bool, cx: &Context<'_>) -> Poll<()> {
    if goes_on {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}
