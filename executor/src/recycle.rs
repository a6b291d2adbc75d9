//! One allocation for a task, not two: what a task shared with its handle stays in its slot, for
//! the next task there whose output has the same type.
//!
//! It is empty by then: the task and its handle leave nothing of the user's behind. A handle that
//! outlives its task keeps what they shared, and the next task in the slot gets its own.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use crate::join::Shared;

/// What was shared last, by slot.
#[derive(Default)]
pub(crate) struct Recycled(RefCell<Vec<Option<Rc<dyn Any>>>>);

impl Recycled {
    /// What the new task in `slot` shares with its handle.
    #[inline]
    pub(crate) fn shared<T: 'static>(&self, slot: u32) -> Rc<Shared<T>> {
        self.reuse(slot).unwrap_or_else(|| self.renew(slot))
    }

    #[inline(always)]
    fn reuse<T: 'static>(&self, slot: u32) -> Option<Rc<Shared<T>>> {
        let slots = self.0.borrow_mut();
        let last = slots.get(slot as usize)?.as_ref()?;
        if Rc::strong_count(last) != 1 {
            return None;
        }
        let shared: Rc<Shared<T>> = Rc::clone(last).downcast().ok()?;
        shared.begin();
        Some(shared)
    }

    /// The slot is new, its last task returned something else, or that task's handle is still
    /// there.
    #[cold]
    #[inline(never)]
    fn renew<T: 'static>(&self, slot: u32) -> Rc<Shared<T>> {
        let shared = Rc::new(Shared::default());
        let mut slots = self.0.borrow_mut();
        if slots.len() <= slot as usize {
            slots.resize(slot as usize + 1, None);
        }
        slots[slot as usize] = Some(Rc::clone(&shared) as Rc<dyn Any>);
        shared
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::Recycled;

    #[test]
    fn what_nobody_holds_is_shared_again() {
        let recycled = Recycled::default();
        let first = recycled.shared::<u32>(3);
        let place = Rc::as_ptr(&first);
        drop(first);
        assert_eq!(Rc::as_ptr(&recycled.shared::<u32>(3)), place);
    }

    #[test]
    fn what_somebody_holds_is_not_shared_again() {
        let recycled = Recycled::default();
        let held = recycled.shared::<u32>(3);
        assert!(!Rc::ptr_eq(&recycled.shared::<u32>(3), &held));
    }

    #[test]
    fn another_slot_or_another_output_shares_something_else() {
        let recycled = Recycled::default();
        drop(recycled.shared::<u32>(3));
        let other = recycled.shared::<u32>(1);
        let text = recycled.shared::<String>(3);
        assert_eq!((Rc::strong_count(&other), Rc::strong_count(&text)), (2, 2));
    }
}
