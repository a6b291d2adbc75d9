//! Timers: never early, in order, and never too far in the future.
#![cfg(unix)]

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use reactor::Reactor;
use reactor::time::{sleep, sleep_until};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;
use by_hand::{Count, Timer, finish};

on_every_backend!(
    a_timer_fires_once_and_not_early,
    short_sleeps_are_never_early,
    timers_fire_in_the_order_of_their_deadlines,
    equal_deadlines_fire_in_the_order_of_arrival,
    the_last_waker_is_the_one_that_is_called,
    a_deadline_in_the_past_is_over_after_one_turn,
    a_far_future_is_clamped_and_disturbs_nobody,
    a_timeout_of_a_turn_is_not_stretched_by_a_timer,
);

/// Remembers which timers fired, in order: one shared list, one waker for each.
struct Log(Arc<Mutex<Vec<usize>>>, usize);

impl Wake for Log {
    fn wake(self: Arc<Self>) {
        self.0
            .lock()
            .expect("nobody panics with the log")
            .push(self.1);
    }
}

/// Inserts a timer for every offset from one start, and returns the order in which they fire.
fn firing_order(reactor: &Reactor, offsets: &[Duration]) -> io::Result<Vec<usize>> {
    let log = Arc::default();
    let start = Instant::now() + Duration::from_millis(1);
    let mut sleeps = Vec::new();
    for (number, offset) in offsets.iter().enumerate() {
        let waker = Waker::from(Arc::new(Log(Arc::clone(&log), number)));
        let mut sleep = Box::pin(sleep_until(start + *offset));
        assert!(
            sleep
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        sleeps.push(sleep);
    }
    let mut fired = 0;
    while fired < offsets.len() {
        fired += reactor.turn(None)?.timers;
        let now = Instant::now();
        let log = log.lock().expect("nobody panics with the log");
        assert!(
            log.iter().all(|number| now >= start + offsets[*number]),
            "early"
        );
    }
    drop(sleeps);
    Ok(std::mem::take(
        &mut *log.lock().expect("nobody panics with the log"),
    ))
}

fn a_timer_fires_once_and_not_early(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let start = Instant::now();
    let mut timer = Timer::millis(20);
    let mut fired = 0;
    while fired == 0 {
        fired = reactor.turn(None)?.timers;
    }
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert_eq!((fired, timer.count.get()), (1, 1));
    assert!(timer.is_over());
    assert_eq!(reactor.turn(Some(Duration::ZERO))?.timers, 0);
    assert_eq!(timer.count.get(), 1);
    Ok(())
}

fn short_sleeps_are_never_early(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    for micros in [1, 7, 50, 100, 333, 999, 1000, 1001, 1500, 2999] {
        let asked = Duration::from_micros(micros);
        let start = Instant::now();
        let took = finish(&reactor, &mut Timer::new(sleep(asked)), start)?;
        assert!(took >= asked, "{took:?} instead of {asked:?}");
    }
    Ok(())
}

fn timers_fire_in_the_order_of_their_deadlines(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    // 37 is prime to 200, so this is every number once, in no order.
    let offsets: Vec<_> = (0..200)
        .map(|n| Duration::from_micros(n * 37 % 200 * 100))
        .collect();
    let order = firing_order(&reactor, &offsets)?;
    assert!(
        order.is_sorted_by_key(|number| offsets[*number]),
        "{order:?}"
    );
    Ok(())
}

fn equal_deadlines_fire_in_the_order_of_arrival(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let order = firing_order(&reactor, &[Duration::from_millis(2); 100])?;
    assert!(order.is_sorted(), "{order:?}");
    Ok(())
}

fn the_last_waker_is_the_one_that_is_called(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let mut timer = Timer::millis(2);
    let (second, waker) = Count::new();
    timer.waker = waker;
    finish(&reactor, &mut timer, Instant::now())?;
    assert_eq!((timer.count.get(), second.get()), (0, 1));
    Ok(())
}

fn a_deadline_in_the_past_is_over_after_one_turn(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let long_ago = Instant::now()
        .checked_sub(Duration::from_secs(1))
        .unwrap_or_else(Instant::now);
    let mut past = [
        Timer::new(sleep_until(long_ago)),
        Timer::new(sleep(Duration::ZERO)),
    ];
    let turn = reactor.turn(None)?;
    assert_eq!((turn.timers, turn.woken), (2, 2));
    assert!(past.iter_mut().all(Timer::is_over));
    Ok(())
}

fn a_far_future_is_clamped_and_disturbs_nobody(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let year = Duration::from_secs(365 * 24 * 3600);
    let mut far: Vec<_> = [Duration::MAX, year * 1000, year * 600, year]
        .into_iter()
        .map(|far| Timer::new(sleep(far)))
        .collect();
    far.extend(
        Instant::now()
            .checked_add(year * 100)
            .map(|far| Timer::new(sleep_until(far))),
    );
    // The wait itself is asked for far more than any kernel takes.
    reactor.notifier().notify()?;
    assert_eq!(reactor.turn(None)?.timers, 0);
    let start = Instant::now();
    finish(&reactor, &mut Timer::millis(3), start)?;
    far[0].sleep.reset(Duration::MAX);
    assert!(
        far.iter_mut()
            .all(|timer| !timer.is_over() && timer.count.get() == 0)
    );
    // Reset brings one of them back.
    far[0].sleep.reset(Duration::from_millis(1));
    finish(&reactor, &mut far[0], Instant::now())?;
    Ok(())
}

fn a_timeout_of_a_turn_is_not_stretched_by_a_timer(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let far = Timer::millis(3_600_000);
    let (start, asked) = (Instant::now(), Duration::from_millis(10));
    let turn = reactor.turn(Some(asked))?;
    assert!(start.elapsed() >= asked);
    assert_eq!((turn.ready, turn.timers, far.count.get()), (0, 0, 0));
    Ok(())
}

#[test]
fn polling_a_timer_that_is_over_stays_ready() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let _entered = reactor.enter();
    let mut timer = Timer::millis(1);
    finish(&reactor, &mut timer, Instant::now())?;
    assert!(timer.is_over() && timer.is_over());
    Ok(())
}
