//! Nothing that has to do with time starves anybody: what is ready again and again without waiting
//! spends from the budget of its task, in every form.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use executor::{Runtime, spawn, yield_now};
use futures_lite::StreamExt;
use reactor::time::{
    Interval, MissedTick, interval, interval_at, sleep, sleep_until, timeout, timeout_at,
};
use selectors_core::Script;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    whatever_is_ready_at_once_lets_others_run,
    a_sleep_that_is_over_is_ready_at_once_the_first_time,
);

/// How often each is awaited.
const TIMES: usize = 2000;
/// How many may be ready before others must run: by level, and half of them by edge.
const BUDGET: usize = 32;
/// So short that a tick of it is always late.
const INSTANT: Duration = Duration::from_nanos(1);

/// Awaits what `make` makes, again and again, beside a task that only counts its polls; how many
/// those were.
async fn beside_another<F: Future>(mut make: impl FnMut() -> F) -> usize {
    let polls = Rc::new(Cell::new(0));
    let counter = Rc::clone(&polls);
    let other = spawn(async move {
        loop {
            counter.set(counter.get() + 1);
            yield_now().await;
        }
    });
    for _ in 0..TIMES {
        make().await;
    }
    drop(other);
    polls.get()
}

/// The same, for what is one object.
async fn beside<T>(object: T, mut poll: impl FnMut(&mut T, &mut Context<'_>) -> bool) -> usize {
    let object = Rc::new(RefCell::new((object, &mut poll)));
    beside_another(|| {
        let object = Rc::clone(&object);
        poll_fn(move |cx| {
            let (object, poll) = &mut *object.borrow_mut();
            match poll(object, cx) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    })
    .await
}

fn ticks(policy: MissedTick) -> Interval {
    interval(INSTANT).missed_tick(policy)
}

fn whatever_is_ready_at_once_lets_others_run(variant: Variant) -> io::Result<()> {
    let second = Duration::from_secs(1);
    variant.block_on(async {
        let mut runs = Vec::new();
        let mut ran = |name, polls| runs.push((name, polls));

        ran("sleep(0)", beside_another(|| sleep(Duration::ZERO)).await);
        let now = Instant::now();
        ran("sleep_until", beside_another(|| sleep_until(now)).await);
        let mut over = sleep(Duration::ZERO);
        (&mut over).await;
        let poll_over = beside(over, |over, cx| Pin::new(over).poll(cx).is_ready());
        ran("an over sleep", poll_over.await);

        ran(
            "timeout",
            beside_another(|| timeout(second, ready(()))).await,
        );
        ran(
            "timeout(0)",
            beside_another(|| timeout(Duration::ZERO, ready(()))).await,
        );
        ran(
            "timeout_at",
            beside_another(|| timeout_at(now + second, ready(()))).await,
        );
        let elapsed = beside_another(|| timeout(Duration::ZERO, pending::<()>()));
        ran("a timeout that elapsed", elapsed.await);
        let nested = beside_another(|| timeout(second, timeout(second, ready(()))));
        ran("a timeout in a timeout", nested.await);

        for (name, policy) in [
            ("skip", MissedTick::Skip),
            ("burst", MissedTick::Burst),
            ("delay", MissedTick::Delay),
        ] {
            let poll_tick = beside(ticks(policy), |ticks, cx| ticks.poll_tick(cx).is_ready());
            ran(name, poll_tick.await);
            let poll_next = beside(ticks(policy), |ticks, cx| ticks.poll_next(cx).is_ready());
            ran(name, poll_next.await);
        }
        let long_ago = now.checked_sub(second).unwrap_or(now);
        let grid = interval_at(long_ago, Duration::from_nanos(100));
        let burst = grid.missed_tick(MissedTick::Burst);
        ran(
            "interval_at",
            beside(burst, |ticks, cx| ticks.poll_tick(cx).is_ready()).await,
        );
        let reset = beside(interval(second), |ticks, cx| {
            ticks.reset_immediately();
            ticks.poll_tick(cx).is_ready()
        });
        ran("reset_immediately", reset.await);
        let moved = beside(sleep(Duration::ZERO), |sleep, cx| {
            let over = Pin::new(&mut *sleep).poll(cx).is_ready();
            if over {
                sleep.reset(Duration::ZERO);
            }
            over
        });
        ran("reset", moved.await);

        for (name, polls) in runs {
            assert!(
                polls >= TIMES / BUDGET,
                "{name} {TIMES} times: others {polls}"
            );
        }
        Ok(())
    })
}

fn a_sleep_that_is_over_is_ready_at_once_the_first_time(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let mut cx = Context::from_waker(Waker::noop());
    let mut sleeps: Vec<_> = (0..10 * BUDGET).map(|_| sleep(Duration::ZERO)).collect();
    for sleep in &mut sleeps {
        assert!(Pin::new(sleep).poll(&mut cx).is_pending());
    }
    assert_eq!(reactor.turn(None)?.timers, sleeps.len());
    // They have waited, whatever the budget is.
    for sleep in &mut sleeps {
        assert!(Pin::new(sleep).poll(&mut cx).is_ready());
    }
    Ok(())
}

/// A periodic task whose work takes longer than its period, a hundred times, beside one that sleeps
/// for as long as the work takes; how often that one ran.
fn periods_shorter_than_the_work(policy: MissedTick) -> io::Result<usize> {
    let (period, work) = (Duration::from_millis(2), Duration::from_millis(3));
    let script = Script::new();
    let runtime = Runtime::builder()
        .reactor(reactor::Reactor::builder().script(script.clone()))
        .build()?;
    runtime.block_on(async {
        let ran = Rc::new(Cell::new(0));
        let counter = Rc::clone(&ran);
        spawn(async move {
            loop {
                sleep(work).await;
                counter.set(counter.get() + 1);
            }
        })
        .detach();
        let mut ticks = interval(period).missed_tick(policy);
        for _ in 0..100 {
            ticks.tick().await;
            script.advance(work);
        }
        ran.get()
    })
}

#[test]
fn work_that_takes_longer_than_its_period_starves_nobody() -> io::Result<()> {
    for (policy, least) in [
        // It begins to sleep behind the work of one tick, and is due behind that of the next.
        (MissedTick::Skip, 45),
        (MissedTick::Delay, 45),
        // Ticks come one right after another, but not all of them.
        (MissedTick::Burst, 8),
    ] {
        let ran = periods_shorter_than_the_work(policy)?;
        assert!(ran >= least, "{policy:?}: {ran}");
    }
    Ok(())
}
