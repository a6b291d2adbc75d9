//! Which reactor is current on a thread: a stack, since one may be entered inside of another.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::rc::Rc;
use std::thread;

use crate::heart::reactor::Reactor;
use crate::heart::shared::Shared;

/// The reactors that this thread has entered; the last one is current.
struct Stack {
    entered: Vec<(u64, Rc<Shared>)>,
    /// The name of the next guard. 64 bits are not used up.
    next: u64,
}

thread_local! {
    /// Without a destructor, so that a runtime may be dropped, and entered for that, by one of
    /// another thread-local, whichever runs first. [`SWEEPER`] does what is left to do.
    static STACK: RefCell<ManuallyDrop<Stack>> = const {
        RefCell::new(ManuallyDrop::new(Stack { entered: Vec::new(), next: 0 }))
    };

    static SWEEPER: Sweeper = const { Sweeper };
}

/// Empties the stack when the thread ends: whoever is still in it belongs to a guard that was
/// forgotten.
struct Sweeper;

impl Drop for Sweeper {
    fn drop(&mut self) {
        let left = STACK.with_borrow_mut(|stack| {
            let left = stack.leave(0);
            stack.entered = Vec::new();
            left
        });
        drop(left);
    }
}

impl Stack {
    /// Leaves all but the first `stay`; gives back those that were left.
    fn leave(&mut self, stay: usize) -> Vec<(u64, Rc<Shared>)> {
        let left = self.entered.split_off(stay);
        let current = self.entered.last().map(|(_, shared)| Rc::clone(shared));
        // The stack has a share of its own in whoever is taken out here.
        drop(Shared::exchange_current(current));
        for (_, shared) in &left {
            shared.entered.set(shared.entered.get() - 1);
            shared.update_calm();
        }
        left
    }
}

impl Reactor {
    /// Makes this the reactor of everything created on this thread until the guard is dropped.
    ///
    /// Guards are dropped in the reverse order of their making, as variables are. A guard that is
    /// forgotten keeps its reactor entered until one that was made before it is dropped, which
    /// panics, or the thread ends.
    ///
    /// # Panics
    ///
    /// Never; but the guard does if it is dropped before one that was made after it. Both
    /// reactors are left then.
    #[track_caller]
    pub fn enter(&self) -> EnterGuard {
        // The sweeper comes when the thread ends, once it was looked at; or has come already.
        let _ = SWEEPER.try_with(|_| ());
        let shared = &self.shared;
        let id = STACK.with_borrow_mut(|stack| {
            stack.next += 1;
            let id = stack.next;
            stack.entered.push((id, Rc::clone(shared)));
            shared.entered.set(shared.entered.get() + 1);
            id
        });
        drop(Shared::exchange_current(Some(Rc::clone(shared))));
        shared.update_calm();
        EnterGuard {
            id,
            made_at: Location::caller(),
            not_send: PhantomData,
        }
    }
}

/// Keeps a reactor entered; made by [`Reactor::enter`].
#[must_use = "the reactor is left when the guard is dropped"]
pub struct EnterGuard {
    id: u64,
    /// For the panic: where it is dropped is not known, for the compiler drops it.
    made_at: &'static Location<'static>,
    /// The stack is the thread's.
    not_send: PhantomData<Rc<()>>,
}

impl EnterGuard {
    /// Does it still keep its reactor entered? Not if a guard that was made before it was dropped.
    #[must_use]
    pub fn is_entered(&self) -> bool {
        let is_ours = |(id, _): &(u64, _)| *id == self.id;
        STACK.with_borrow(|stack| stack.entered.iter().any(is_ours))
    }
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let left = STACK.with_borrow_mut(|stack| {
            let at = stack.entered.iter().rposition(|(id, _)| *id == self.id);
            // Not there: a guard made before this one was dropped first, and has said so.
            at.map(|at| stack.leave(at)).unwrap_or_default()
        });
        let in_order = left.len() <= 1;
        // Last of all, because a reactor that goes takes code along that is not ours.
        drop(left);
        assert!(
            in_order || thread::panicking(),
            "guards of `Reactor::enter` are dropped in the reverse order of their making: one \
             that was made after that of {} is still alive, or was forgotten",
            self.made_at
        );
    }
}

impl fmt::Debug for EnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnterGuard")
    }
}
