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
///
/// Entered is driven, as far as anybody can tell: who polls will take a turn. But the loop that holds a
/// guard of [`drive`](Reactor::drive) takes no turn of another one.
struct Stack {
    entered: Vec<Entry>,
    /// The name of the next guard. 64 bits are not used up.
    next: u64,
}

struct Entry {
    /// That of its guard.
    id: u64,
    shared: Rc<Shared>,
    drives: bool,
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
    fn leave(&mut self, stay: usize) -> Vec<Entry> {
        let left = self.entered.split_off(stay);
        let current = self.entered.last().map(|entry| Rc::clone(&entry.shared));
        // The stack has a share of its own in whoever is taken out here.
        drop(Shared::exchange_current(current));
        for entry in &left {
            entry.shared.set_driven(false);
        }
        self.tell_who_is_driven();
        left
    }

    fn tell_who_is_driven(&self) {
        let driver = self.entered.iter().rfind(|entry| entry.drives);
        for Entry { shared, .. } in &self.entered {
            let driven = driver.is_none_or(|driver| Rc::ptr_eq(&driver.shared, shared));
            shared.set_driven(driven);
        }
    }
}

impl Reactor {
    /// Makes this the reactor of everything created on this thread until the guard is dropped.
    ///
    /// Guards are dropped in the reverse order of their making, as variables are. A guard that is
    /// forgotten keeps its reactor entered until one that was made before it is dropped, which
    /// panics, or the thread ends.
    ///
    /// Whoever awaits in this reactor trusts that somebody takes its [turns](Reactor::turn). Inside of a
    /// loop that [drives](Self::drive) another one nobody does, so an await panics there.
    ///
    /// # Panics
    ///
    /// Never; but the guard does if it is dropped before one that was made after it. Both
    /// reactors are left then.
    #[track_caller]
    pub fn enter(&self) -> EnterGuard {
        self.enter_as(false)
    }

    /// As [`enter`](Self::enter), for a loop that takes the turns of this reactor, and of no other until
    /// the guard is dropped: who awaits in one that is merely entered would wait for ever, and panics.
    ///
    /// # Panics
    ///
    /// As there.
    ///
    /// ```
    /// use reactor::{Reactor, time::sleep};
    /// use std::{pin::pin, time::Duration};
    /// use std::future::Future;
    /// use std::task::{Context, Waker};
    ///
    /// executor::block_on(async {
    ///     // A loop by hand, inside of another one.
    ///     let reactor = Reactor::new()?;
    ///     let _drives = reactor.drive();
    ///     let mut pause = pin!(sleep(Duration::from_millis(1)));
    ///     let mut cx = Context::from_waker(Waker::noop());
    ///     while pause.as_mut().poll(&mut cx).is_pending() {
    ///         reactor.turn(None)?;
    ///     }
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn drive(&self) -> EnterGuard {
        self.enter_as(true)
    }

    #[track_caller]
    fn enter_as(&self, drives: bool) -> EnterGuard {
        // The sweeper comes when the thread ends, once it was looked at; or has come already.
        let _ = SWEEPER.try_with(|_| ());
        let shared = &self.shared;
        let id = STACK.with_borrow_mut(|stack| {
            stack.next += 1;
            let id = stack.next;
            stack.entered.push(Entry {
                id,
                shared: Rc::clone(shared),
                drives,
            });
            stack.tell_who_is_driven();
            id
        });
        drop(Shared::exchange_current(Some(Rc::clone(shared))));
        EnterGuard {
            id,
            made_at: Location::caller(),
            not_send: PhantomData,
        }
    }
}

/// Keeps a reactor entered; made by [`Reactor::enter`] and [`Reactor::drive`].
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
        let is_ours = |entry: &Entry| entry.id == self.id;
        STACK.with_borrow(|stack| stack.entered.iter().any(is_ours))
    }
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let left = STACK.with_borrow_mut(|stack| {
            let is_ours = |entry: &Entry| entry.id == self.id;
            let at = stack.entered.iter().rposition(is_ours);
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
