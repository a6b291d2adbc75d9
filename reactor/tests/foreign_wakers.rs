//! Wakers are code of somebody else's: what they do while they are cloned, woken or dropped, a panic
//! or a turn of the same reactor, leaves the reactor whole, and nobody's wake is lost.
#![cfg(unix)]

use std::cell::Cell;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;

use reactor::Reactor;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;
use by_hand::{pair, poll, read_byte, settle, wait};

on_every_backend!(
    a_waker_that_panics_when_it_is_cloned_leaves_no_trace,
    a_waker_that_takes_a_turn_when_it_is_cloned_misses_nothing,
    a_waker_that_panics_when_it_is_woken_keeps_no_other_asleep,
    a_waker_that_panics_in_a_turn_inside_of_a_turn_keeps_no_other_asleep,
);

type Action = Box<dyn Fn()>;

thread_local! {
    /// What the next clone of such a waker does.
    static ON_CLONE: Cell<Option<Action>> = const { Cell::new(None) };
    /// What waking the next of [`OnWake`] does.
    static ON_WAKE: Cell<Option<Action>> = const { Cell::new(None) };
}

const VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        if let Some(action) = ON_CLONE.take() {
            action();
        }
        RawWaker::new(data, &VTABLE)
    },
    |_| {},
    |_| {},
    |_| {},
);

fn on_clone(action: impl Fn() + 'static) -> Waker {
    ON_CLONE.set(Some(Box::new(action)));
    // SAFETY: the functions do not use the data, and may be called on any thread.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) }
}

struct OnWake;

impl Wake for OnWake {
    fn wake(self: Arc<Self>) {
        if let Some(action) = ON_WAKE.take() {
            action();
        }
    }
}

fn a_waker_that_panics_when_it_is_cloned_leaves_no_trace(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    for others in [false, true] {
        let mut first = read_byte(&far);
        let counted = others.then(|| wait(&mut first));
        let mut read = read_byte(&far);
        let waker = on_clone(|| panic!("not today"));
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut read, &waker))).is_err());
        drop(read);
        let mut waiting = 0;
        reactor.for_each_waiter(|_, _| waiting += 1);
        assert_eq!(waiting, usize::from(others));
        near.write_all(b"x")?;
        let mut again = read_byte(&far);
        if let Some((count, waker)) = counted {
            settle(&reactor)?;
            assert_eq!(count.get(), 1);
            assert!(poll(&mut first, &waker).is_ready());
        } else {
            let _ = poll(&mut again, Waker::noop());
            settle(&reactor)?;
            let _ = poll(&mut again, Waker::noop());
        }
    }
    Ok(())
}

fn a_waker_that_takes_a_turn_when_it_is_cloned_misses_nothing(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (near, far) = pair()?;
    // Registered, and not ready.
    let mut read = read_byte(&far);
    wait(&mut read);
    drop(read);
    settle(&reactor)?;
    let mut read = read_byte(&far);
    let turns = reactor.clone();
    let near = Arc::new(near);
    let sends = Arc::clone(&near);
    let waker = on_clone(move || {
        (&*sends).write_all(b"x").expect("there is room");
        turns.turn(Some(Duration::ZERO)).expect("a turn");
    });
    // The event has come between the look at the slot and the storing of the waker.
    let polled = poll(&mut read, &waker);
    if polled.is_pending() {
        let (count, counting) = wait_or_done(&mut read);
        if let Some(counting) = counting {
            settle(&reactor)?;
            assert_eq!(count, 0);
            assert!(poll(&mut read, &counting).is_ready());
        }
    } else {
        assert!(matches!(polled, Poll::Ready(Ok(b'x'))));
    }
    Ok(())
}

/// By level the nested turn reports nothing, for nobody was armed: the next one does.
fn wait_or_done(read: &mut by_hand::Op<'_, u8>) -> (usize, Option<Waker>) {
    let (count, waker) = by_hand::Count::new();
    match poll(read, &waker) {
        Poll::Pending => (count.get(), Some(waker)),
        Poll::Ready(_) => (0, None),
    }
}

fn a_waker_that_panics_when_it_is_woken_keeps_no_other_asleep(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    let mut bad = read_byte(&far);
    assert!(poll(&mut bad, &Waker::from(Arc::new(OnWake))).is_pending());
    ON_WAKE.set(Some(Box::new(|| panic!("not today"))));
    let mut good = read_byte(&far);
    let (count, _) = wait(&mut good);
    near.write_all(b"xy")?;
    let mut panics = 0;
    for _ in 0..3 {
        let turn = catch_unwind(AssertUnwindSafe(|| reactor.turn(Some(Duration::ZERO))));
        panics += usize::from(turn.is_err());
    }
    assert_eq!((panics, count.get()), (1, 1));
    Ok(())
}

fn a_waker_that_panics_in_a_turn_inside_of_a_turn_keeps_no_other_asleep(
    variant: Variant,
) -> io::Result<()> {
    let reactor: Reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    let (inner_near, inner_far) = pair()?;
    let mut nests = read_byte(&far);
    assert!(poll(&mut nests, &Waker::from(Arc::new(OnWake))).is_pending());
    let mut bad = read_byte(&inner_far);
    let bad_waker = Waker::from(Arc::new(OnWake));
    let mut good = read_byte(&inner_far);
    let mut pending = poll(&mut bad, &bad_waker).is_pending();
    let (count, _) = wait(&mut good);
    pending &= count.get() == 0;
    assert!(pending);
    let turns = reactor.clone();
    ON_WAKE.set(Some(Box::new(move || {
        (&inner_near).write_all(b"xy").expect("room");
        ON_WAKE.set(Some(Box::new(|| panic!("not today"))));
        let turn = catch_unwind(AssertUnwindSafe(|| turns.turn(Some(Duration::ZERO))));
        assert!(turn.is_err());
    })));
    near.write_all(b"x")?;
    for _ in 0..4 {
        reactor.turn(Some(Duration::ZERO))?;
    }
    assert_eq!(count.get(), 1, "its wake went with the turn outside");
    Ok(())
}
