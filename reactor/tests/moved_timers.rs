//! Timers that are cancelled or moved, which is what most timers are for: nobody is woken by what
//! they leave behind, and whoever takes their place is neither early nor late.
#![cfg(unix)]

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reactor::time::sleep;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;
use by_hand::{Timer, finish};

on_every_backend!(
    a_cancelled_timer_wakes_nobody,
    a_timer_adopts_the_place_of_a_cancelled_one,
    a_timer_earlier_than_the_cancelled_one_is_not_late,
    thousands_of_cancelled_timers_leave_the_others_alone,
    reset_to_later_waits_longer,
    reset_to_earlier_fires_earlier,
    reset_after_the_end_starts_again,
    reset_before_the_first_poll_counts,
);

fn a_cancelled_timer_wakes_nobody(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let cancelled = Timer::millis(1);
    let count = Arc::clone(&cancelled.count);
    drop(cancelled);
    assert_eq!(Arc::strong_count(&count), 1, "its waker is kept");
    std::thread::sleep(Duration::from_millis(3));
    let turn = reactor.turn(Some(Duration::ZERO))?;
    assert_eq!((turn.timers, turn.woken), (0, 0));
    assert_eq!(count.get(), 0);
    Ok(())
}

fn a_timer_adopts_the_place_of_a_cancelled_one(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    // What a read with a timeout does on a busy connection: the entry of the first guard stays in
    // the queue, with an earlier deadline than that of the guard that has it now.
    let mut other = Timer::millis(15);
    for _ in 0..100 {
        drop(Timer::millis(5));
    }
    let start = Instant::now();
    let mut last = Timer::millis(30);
    assert!(finish(&reactor, &mut last, start)? >= Duration::from_millis(30));
    assert!(other.is_over());
    assert_eq!((last.count.get(), other.count.get()), (1, 1));
    Ok(())
}

fn a_timer_earlier_than_the_cancelled_one_is_not_late(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    drop(Timer::millis(3_600_000));
    // If it waited for the entry of the one before it, this would take an hour.
    let start = Instant::now();
    finish(&reactor, &mut Timer::millis(2), start)?;
    // Neither is anything left that ends a later wait early or late.
    let turn = reactor.turn(Some(Duration::from_millis(1)))?;
    assert_eq!(turn.timers, 0);
    Ok(())
}

fn thousands_of_cancelled_timers_leave_the_others_alone(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let start = Instant::now();
    let mut kept = Vec::new();
    let mut cancelled = Vec::new();
    for number in 0..5000_u64 {
        let timer = Timer::millis(50 + number * 37 % 40);
        if number % 50 == 0 {
            kept.push((Duration::from_millis(50 + number * 37 % 40), timer));
        } else {
            cancelled.push(timer);
        }
    }
    drop(cancelled);
    // Some of the places are taken again.
    let again: Vec<_> = (0..500)
        .map(|number| Timer::millis(number % 90 + 1))
        .collect();
    for (asked, timer) in &mut kept {
        assert!(finish(&reactor, timer, start)? >= *asked);
    }
    assert!(kept.iter().all(|(_, timer)| timer.count.get() == 1));
    let mut last = again;
    for timer in &mut last {
        finish(&reactor, timer, start)?;
        assert_eq!(timer.count.get(), 1);
    }
    Ok(())
}

fn reset_to_later_waits_longer(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let mut timer = Timer::millis(5);
    let start = Instant::now();
    for _ in 0..10 {
        timer.sleep.reset(Duration::from_millis(30));
    }
    assert!(finish(&reactor, &mut timer, start)? >= Duration::from_millis(30));
    assert_eq!(timer.count.get(), 1);
    Ok(())
}

fn reset_to_earlier_fires_earlier(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    // If the old deadline counted, this would take an hour.
    let mut timer = Timer::millis(3_600_000);
    for millis in [1000, 100, 10] {
        timer.sleep.reset(Duration::from_millis(millis));
    }
    let start = Instant::now();
    finish(&reactor, &mut timer, start)?;
    assert_eq!(timer.count.get(), 1);
    // And back again, past the entries that it left.
    timer.sleep.reset(Duration::from_millis(10));
    let start = Instant::now();
    timer.sleep.reset(Duration::from_millis(20));
    assert!(finish(&reactor, &mut timer, start)? >= Duration::from_millis(20));
    Ok(())
}

fn reset_after_the_end_starts_again(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let mut timer = Timer::millis(1);
    finish(&reactor, &mut timer, Instant::now())?;
    for _ in 0..3 {
        let start = Instant::now();
        timer.sleep.reset(Duration::from_millis(5));
        assert!(!timer.is_over());
        assert!(finish(&reactor, &mut timer, start)? >= Duration::from_millis(5));
    }
    Ok(())
}

fn reset_before_the_first_poll_counts(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let mut timer = Timer::lazy(sleep(Duration::from_secs(3600)));
    let start = Instant::now();
    timer.sleep.reset(Duration::from_millis(5));
    assert!(finish(&reactor, &mut timer, start)? >= Duration::from_millis(5));
    Ok(())
}
