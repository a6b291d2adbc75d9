//! The clock of a reactor that runs: it stands still, is moved by hand and by itself, and goes on.

use std::cell::RefCell;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use futures_lite::future::zip;
use reactor::time::{advance, interval, pause, resume, sleep, sleep_until, timeout};
use reactor::{Async, Reactor};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    a_paused_clock_goes_to_each_timer_in_turn,
    a_paused_clock_stands_still_while_somebody_can_run,
    a_paused_clock_is_moved_by_hand,
    a_clock_goes_on_from_where_it_stood,
    what_is_ready_wins_against_a_paused_clock,
    without_a_timer_a_paused_loop_waits_for_others,
);

const DAY: Duration = Duration::from_secs(24 * 3600);

fn now() -> std::time::Instant {
    Reactor::current().now()
}

fn a_paused_clock_goes_to_each_timer_in_turn(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let start = now();
        let ended = RefCell::new(Vec::new());
        let sleeps = async |days: u32| {
            sleep(DAY * days).await;
            ended.borrow_mut().push((days, now() - start));
        };
        zip(sleeps(3), zip(sleeps(1), sleeps(2))).await;
        assert_eq!(ended.into_inner(), [1, 2, 3].map(|days| (days, DAY * days)));
        assert!(timeout(DAY, std::future::pending::<()>()).await.is_err());
        sleep_until(start + DAY * 7).await;
        assert_eq!(now() - start, DAY * 7);
        let mut ticks = interval(DAY);
        for day in 7..10 {
            assert_eq!(ticks.tick().await, start + DAY * day);
        }
        Ok(())
    })
}

fn a_paused_clock_stands_still_while_somebody_can_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let start = now();
        let waits = executor::spawn(sleep(DAY));
        for _ in 0..1000 {
            executor::yield_now().await;
        }
        thread::sleep(Duration::from_millis(2));
        assert_eq!(now(), start);
        waits.await.expect("it ends");
        assert_eq!(now(), start + DAY);
        Ok(())
    })
}

fn a_paused_clock_is_moved_by_hand(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let (start, mut rest) = (now(), sleep(DAY));
        advance(DAY / 2);
        assert!(!rest.is_elapsed());
        advance(DAY / 2);
        assert!(rest.is_elapsed() && now() == start + DAY);
        (&mut rest).await;
        // It has taken a turn, and no time.
        assert_eq!(now(), start + DAY);
        Ok(())
    })
}

fn a_clock_goes_on_from_where_it_stood(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let start = now();
        thread::sleep(Duration::from_millis(20));
        resume();
        // It is behind the kernel's by as much as it stood still.
        let mark = now();
        assert!(mark >= start);
        let real = std::time::Instant::now();
        sleep(Duration::from_millis(3)).await;
        assert!(real.elapsed() >= Duration::from_millis(3));
        assert!(now() - mark >= Duration::from_millis(3));
        pause();
        advance(DAY);
        resume();
        assert!(now() - start >= DAY);
        let real = std::time::Instant::now();
        sleep_until(start + DAY + Duration::from_millis(1)).await;
        sleep(Duration::from_millis(2)).await;
        assert!(real.elapsed() >= Duration::from_millis(2));
        Ok(())
    })
}

fn what_is_ready_wins_against_a_paused_clock(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let start = now();
        let (near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        let reads = timeout(DAY, far.read_with(|mut far| far.read(&mut [0; 8])));
        let (read, written) = zip(reads, async {
            executor::yield_now().await;
            io::Write::write(&mut &near, b"hello")
        })
        .await;
        written?;
        assert_eq!(read.expect("it is in time")?, 5);
        assert_eq!(now(), start);
        Ok(())
    })
}

fn without_a_timer_a_paused_loop_waits_for_others(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let start = now();
        let (near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        let writer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            io::Write::write(&mut &near, b"hello")
        });
        assert_eq!(far.read(&mut [0; 8]).await?, 5);
        writer.join().expect("it ends")?;
        assert_eq!(now(), start);
        Ok(())
    })
}
