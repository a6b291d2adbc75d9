//! The virtual clock of a scripted runtime: it stands still while anybody can run, is moved by
//! hand, and goes to the next timer by itself when nobody can do anything else.
#![cfg(unix)]

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use executor::{Reactor, Runtime, spawn, yield_now};
use reactor::Async;
use reactor::time::{interval, sleep, sleep_until, timeout};
use selectors_core::{Readiness, Script};

const HOUR: Duration = Duration::from_secs(3600);

fn scripted() -> io::Result<(Runtime, Script)> {
    let script = Script::new();
    let runtime = Runtime::builder()
        .reactor(Reactor::builder().script(script.clone()))
        .build()?;
    Ok((runtime, script))
}

#[test]
fn sleeping_takes_no_time_but_virtual_time() -> io::Result<()> {
    let (runtime, script) = scripted()?;
    let really = Instant::now();
    runtime.block_on(async {
        sleep(1000 * HOUR).await;
        sleep_until(script.now() + HOUR).await;
        assert!(timeout(HOUR, std::future::pending::<()>()).await.is_err());
    })?;
    assert_eq!(script.elapsed(), 1002 * HOUR);
    assert!(really.elapsed() < HOUR);
    Ok(())
}

/// Whatever is asked for, the loop ends: with the timer, on its time or at the end of time.
#[test]
fn the_farthest_of_timers_comes() -> io::Result<()> {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let waits = [
        100 * YEAR,
        200 * YEAR,
        291 * YEAR,
        500 * YEAR,
        Duration::MAX,
    ];
    for advanced in [Duration::ZERO, 200 * YEAR] {
        for wait in waits {
            let (runtime, script) = scripted()?;
            script.advance(advanced);
            runtime.block_on(async {
                sleep(wait).await;
                sleep(200 * YEAR).await;
                let pending = std::future::pending::<()>();
                assert!(timeout(Duration::MAX, pending).await.is_err());
            })?;
            // Not early, up to the 146 years after which a reactor's time is over.
            assert!(script.elapsed() - advanced >= wait.min(146 * YEAR));
        }
    }
    let (runtime, _script) = scripted()?;
    runtime.block_on(async {
        let mut ticks = interval(Duration::MAX);
        ticks.tick().await;
        ticks.tick().await;
    })
}

#[test]
fn the_clock_stands_still_while_somebody_can_run() -> io::Result<()> {
    let (runtime, script) = scripted()?;
    runtime.block_on(async {
        let sleeper = spawn(sleep(Duration::from_nanos(1)));
        for _ in 0..1000 {
            yield_now().await;
        }
        assert_eq!(script.elapsed(), Duration::ZERO);
        assert!(!sleeper.is_finished());
        sleeper.await?;
        assert_eq!(script.elapsed(), Duration::from_nanos(1));
        io::Result::Ok(())
    })?
}

#[test]
fn the_clock_goes_to_each_timer_in_turn_and_not_beyond() -> io::Result<()> {
    let (runtime, script) = scripted()?;
    runtime.block_on(async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let tasks: Vec<_> = [5, 1, 3]
            .map(|hours| {
                let (order, script) = (Rc::clone(&order), script.clone());
                spawn(async move {
                    sleep(hours * HOUR).await;
                    order.borrow_mut().push((hours, script.elapsed()));
                })
            })
            .into();
        for task in tasks {
            task.await?;
        }
        assert_eq!(
            *order.borrow(),
            [1, 3, 5].map(|hours| (hours, hours * HOUR))
        );
        io::Result::Ok(())
    })?
}

#[test]
fn paused_the_clock_moves_by_hand_alone() -> io::Result<()> {
    let (runtime, script) = scripted()?;
    let task = runtime.spawn(async { sleep(HOUR).await });
    // A turn that may not wait does not move the clock.
    for _ in 0..100 {
        runtime.run_until_stalled();
        runtime.turn(Some(Duration::ZERO))?;
    }
    assert_eq!(script.elapsed(), Duration::ZERO);
    script.advance(HOUR - Duration::from_nanos(1));
    runtime.turn(Some(Duration::ZERO))?;
    assert!(!task.is_finished(), "early");
    script.advance(Duration::from_nanos(1));
    runtime.turn(Some(Duration::ZERO))?;
    assert!(task.is_finished());
    assert_eq!(script.elapsed(), HOUR);
    Ok(())
}

#[test]
fn an_interval_that_was_kept_busy_skips() -> io::Result<()> {
    let (runtime, script) = scripted()?;
    runtime.block_on(async {
        let mut interval = interval(HOUR);
        interval.tick().await;
        // Work that takes two and a half hours.
        script.advance(5 * HOUR / 2);
        interval.tick().await;
        assert_eq!(script.elapsed(), 5 * HOUR / 2);
        interval.tick().await;
        assert_eq!(script.elapsed(), 3 * HOUR);
    })
}

#[test]
fn what_becomes_ready_is_written_in_the_script() -> io::Result<()> {
    let (runtime, script) = scripted()?;
    runtime.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        let fd = far.as_fd().as_raw_fd();
        // The bytes are there all along; the kernel of the script mentions them an hour later.
        let reader = spawn(async move {
            let mut byte = [0];
            far.read(&mut byte).await.map(|_| byte)
        });
        yield_now().await;
        io::Write::write_all(&mut &near, b"x")?;
        script.ready_after(HOUR, &[(fd, Readiness::READABLE)]);
        assert_eq!(timeout(2 * HOUR, reader).await.expect("in time")??, *b"x");
        assert_eq!(script.elapsed(), HOUR);
        io::Result::Ok(())
    })?
}

#[test]
fn a_wait_that_nothing_can_end_is_an_error_and_no_hang() -> io::Result<()> {
    let (runtime, _script) = scripted()?;
    let error = runtime
        .block_on(std::future::pending::<()>())
        .expect_err("for ever");
    assert!(error.to_string().contains("script"), "{error}");
    Ok(())
}
