//! After a crowd, the reactor gives its memory back. A process of its own, because it replaces the
//! allocator.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use reactor::Reactor;
use reactor::time::{Sleep, sleep};
use selectors_core::Script;

#[path = "../../executor/tests/counting/mod.rs"]
mod counting;
use counting::{ALLOCATIONS, HELD};

const CROWD: usize = 100_000;
/// What may stay.
const MEBIBYTE: isize = 1 << 20;

/// A crowd of timers that wait, in no order of their deadlines.
fn crowd() -> Vec<Sleep> {
    let mut cx = Context::from_waker(Waker::noop());
    (0..CROWD as u64)
        .map(|number| {
            // 37 is prime to the number of them.
            let mut sleep = sleep(Duration::from_micros(number * 37 % CROWD as u64 + 1));
            assert!(Pin::new(&mut sleep).poll(&mut cx).is_pending());
            sleep
        })
        .collect()
}

/// What `fate` leaves allocated of a crowd in a reactor.
fn left_of(
    fate: impl FnOnce(&Reactor, &Script, Vec<Sleep>) -> io::Result<Vec<Sleep>>,
) -> io::Result<isize> {
    let script = Script::new();
    let reactor = Reactor::builder().script(script.clone()).build()?;
    let _entered = reactor.enter();
    let before = HELD.get();
    let mut stay = fate(&reactor, &script, crowd())?;
    stay.shrink_to_fit();
    drop(script.take_calls());
    let left = HELD.get() - before;
    assert_eq!(reactor.metrics().timers, stay.len());
    Ok(left)
}

#[test]
fn timers_that_were_cancelled_leave_next_to_nothing() -> io::Result<()> {
    let orders: [fn(&mut Vec<Sleep>); 3] = [
        |_| {},
        |sleeps| sleeps.reverse(),
        |sleeps| fastrand::Rng::with_seed(3).shuffle(sleeps),
    ];
    for order in orders {
        let left = left_of(|_, _, mut sleeps| {
            order(&mut sleeps);
            Ok(Vec::new())
        })?;
        assert!(left <= MEBIBYTE, "{left} bytes");
    }
    Ok(())
}

#[test]
fn timers_that_fired_leave_next_to_nothing() -> io::Result<()> {
    let left = left_of(|reactor, script, sleeps| {
        script.advance(Duration::from_secs(1));
        assert_eq!(reactor.turn(Some(Duration::ZERO))?.timers, CROWD);
        drop(sleeps);
        Ok(Vec::new())
    })?;
    assert!(left <= MEBIBYTE, "{left} bytes");
    Ok(())
}

#[test]
fn a_few_that_stay_do_not_keep_the_rest() -> io::Result<()> {
    let left = left_of(|_, _, sleeps| {
        let mut stay = Vec::new();
        for (number, sleep) in sleeps.into_iter().enumerate() {
            if number % 1000 == 999 {
                stay.push(sleep);
            }
        }
        Ok(stay)
    })?;
    assert!(left <= MEBIBYTE, "{left} bytes");
    Ok(())
}

#[test]
fn a_steady_crowd_costs_no_allocation() -> io::Result<()> {
    let script = Script::new();
    let reactor = Reactor::builder().script(script.clone()).build()?;
    let _entered = reactor.enter();
    let mut cx = Context::from_waker(Waker::noop());
    let mut sleeps: Vec<_> = (0..2000).map(|_| sleep(Duration::ZERO)).collect();
    let mut round = || -> io::Result<usize> {
        for (number, sleep) in (1..).zip(&mut sleeps) {
            sleep.reset(Duration::from_micros(number));
            let _ = Pin::new(sleep).poll(&mut cx);
        }
        script.advance(Duration::from_secs(1));
        let before = ALLOCATIONS.get();
        reactor.turn(Some(Duration::ZERO))?;
        let allocations = ALLOCATIONS.get() - before;
        for sleep in &mut sleeps {
            assert!(Pin::new(sleep).poll(&mut cx).is_ready());
        }
        drop(script.take_calls());
        Ok(allocations)
    };
    round()?;
    // The script's own list of calls is begun anew in each.
    assert!(round()? <= 1);
    Ok(())
}
