//! Timeouts and intervals: who is in time, and what happens to ticks that were missed.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_lite::StreamExt;
use futures_lite::future::{pending, poll_once};
use reactor::Reactor;
use reactor::time::{
    Elapsed, MissedTick, advance, interval, interval_at, pause, timeout, timeout_at,
};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    a_timeout_gives_up_or_does_not,
    ticks_skip_what_was_missed,
    ticks_burst_when_asked,
    ticks_delay_when_asked,
    a_dropped_tick_is_not_lost,
    an_endless_interval_ticks_once,
    a_grid_begins_when_asked_and_each_tick_says_when_it_was_due,
    a_grid_begins_anew,
);

const PERIOD: Duration = Duration::from_millis(4);

/// Blocks this thread, as a task does that computes for too long.
fn compute(time: Duration) {
    std::thread::sleep(time);
}

fn a_timeout_gives_up_or_does_not(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let limit = Duration::from_millis(5);
        let start = Instant::now();
        let error = timeout(limit, pending::<()>())
            .await
            .expect_err("it never ends");
        assert!(start.elapsed() >= limit);
        let error = io::Error::from(error);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(
            error
                .get_ref()
                .is_some_and(<dyn std::error::Error + Send + Sync>::is::<Elapsed>)
        );
        // Who is ready wins, even if the time is up already.
        assert_eq!(timeout(Duration::ZERO, async { 1 }).await, Ok(1));
        assert_eq!(timeout_at(Instant::now(), async { 2 }).await, Ok(2));
        assert!(timeout_at(Instant::now(), pending::<()>()).await.is_err());
        // Inside each other: the shorter one counts.
        let inner = timeout(Duration::from_millis(1), pending::<()>());
        assert!(
            timeout(Duration::from_secs(3600), inner)
                .await
                .expect("an hour")
                .is_err()
        );
        let inner = timeout(Duration::from_secs(3600), pending::<()>());
        assert!(timeout(Duration::from_millis(1), inner).await.is_err());
        Ok(())
    })
}

fn ticks_skip_what_was_missed(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let before = Instant::now();
        let mut ticks = interval(PERIOD);
        let after = Instant::now();
        ticks.tick().await;
        compute(PERIOD * 3 + PERIOD / 2);
        let late = Instant::now();
        // Late, and at once. The ticks in between are left out: the next one is on the grid.
        ticks.tick().await;
        ticks.tick().await;
        let now = Instant::now();
        let periods = (late - after).as_nanos() / PERIOD.as_nanos() + 1;
        assert!(
            now >= before + PERIOD * periods as u32,
            "a tick that was missed was delivered"
        );
        Ok(())
    })
}

fn ticks_burst_when_asked(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let start = Instant::now();
        let mut ticks = interval(PERIOD).missed_tick(MissedTick::Burst);
        ticks.tick().await;
        compute(PERIOD * 5);
        // Five are due, none of them waits; the sixth is on the grid.
        for number in 1..=5 {
            assert!(
                poll_once(ticks.tick()).await.is_some(),
                "tick {number} had to wait"
            );
        }
        ticks.tick().await;
        assert!(start.elapsed() >= PERIOD * 6);
        Ok(())
    })
}

fn ticks_delay_when_asked(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut ticks = interval(PERIOD).missed_tick(MissedTick::Delay);
        ticks.tick().await;
        compute(PERIOD * 2 + PERIOD / 2);
        let late = Instant::now();
        assert!(poll_once(ticks.tick()).await.is_some());
        ticks.tick().await;
        // A whole period after the one that was late, not the rest of the grid's.
        assert!(late.elapsed() >= PERIOD);
        Ok(())
    })
}

fn a_dropped_tick_is_not_lost(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let start = Instant::now();
        let mut ticks = interval(PERIOD).missed_tick(MissedTick::Burst);
        ticks.tick().await;
        for _ in 0..3 {
            let _ = timeout(PERIOD / 8, ticks.tick()).await;
        }
        compute(PERIOD * 2);
        // Whatever was given up, the second tick is not before one period, the third not before
        // two; and the number of ticks is that of the periods.
        let mut count = 1;
        while poll_once(ticks.tick()).await.is_some() {
            count += 1;
        }
        let most = start.elapsed().as_nanos() / PERIOD.as_nanos() + 1;
        assert!(count <= most, "{count} ticks in {most} periods");
        assert!(count >= 2, "the ticks given up were lost");
        Ok(())
    })
}

fn a_grid_begins_when_asked_and_each_tick_says_when_it_was_due(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let (start, second) = (Reactor::current().now(), Duration::from_secs(1));
        let mut ticks = interval_at(start + 5 * second, second);
        assert_eq!(ticks.period(), second);
        assert_eq!(ticks.tick().await, start + 5 * second);
        assert_eq!(poll_fn(|cx| ticks.poll_tick(cx)).await, start + 6 * second);
        assert_eq!(ticks.next().await, Some(start + 7 * second));
        // Late, it tells when it was due all the same.
        advance(second + second / 2);
        assert_eq!(ticks.tick().await, start + 8 * second);
        assert_eq!(Reactor::current().now(), start + 8 * second + second / 2);
        Ok(())
    })
}

fn a_grid_begins_anew(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let (start, second) = (Reactor::current().now(), Duration::from_secs(1));
        let mut ticks = interval(2 * second);
        assert_eq!(ticks.tick().await, start);
        advance(second);
        ticks.reset();
        assert_eq!(ticks.tick().await, start + 3 * second);
        ticks.reset_immediately();
        assert_eq!(ticks.tick().await, start + 3 * second);
        ticks.reset_after(second);
        assert_eq!(ticks.tick().await, start + 4 * second);
        ticks.reset_at(start + 9 * second);
        assert_eq!(ticks.tick().await, start + 9 * second);
        assert_eq!(ticks.tick().await, start + 11 * second);
        Ok(())
    })
}

fn an_endless_interval_ticks_once(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut ticks = interval(Duration::MAX);
        ticks.tick().await;
        let mut next = pin!(ticks.tick());
        assert!(poll_once(&mut next).await.is_none());
        assert!(timeout(Duration::from_millis(1), next).await.is_err());
        Ok(())
    })
}

#[test]
#[should_panic(expected = "an interval needs a period longer than zero")]
fn a_period_of_zero_is_refused() {
    let _ = interval(Duration::ZERO);
}
