//! The clock of a reactor that runs: it stands still, is moved by hand and by itself, and goes on.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_lite::future::zip;
use reactor::net::{TcpListener, UnixDatagram, UnixSocket};
use reactor::time::{MissedTick, advance, interval, pause, resume, sleep, sleep_until, timeout};
use reactor::{Async, Reactor};
use selectors_core::sys::fault;

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
    who_lets_others_run_sees_what_they_do_when_the_clock_was_moved,
    our_own_rests_take_real_time_and_no_other,
    at_its_end_a_clock_goes_on,
);

const HOUR: Duration = Duration::from_secs(3600);
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

fn who_lets_others_run_sees_what_they_do_when_the_clock_was_moved(
    variant: Variant,
) -> io::Result<()> {
    variant.block_on(async {
        pause();
        let (ended, start) = (Rc::new(Cell::new(0)), now());
        for hours in [1, 2] {
            let ended = Rc::clone(&ended);
            executor::spawn(async move {
                sleep(HOUR * hours).await;
                ended.set(ended.get() + 1);
            })
            .detach();
        }
        executor::yield_now().await;
        for hours in 1..=2 {
            advance(HOUR);
            executor::yield_now().await;
            executor::yield_now().await;
            assert_eq!((ended.get(), now()), (hours, start + HOUR * hours));
        }
        Ok(())
    })
}

/// More turns than this in a tenth of a second are for nothing.
const FEW: u64 = 300;

/// Waits, on a paused clock, for what another thread does by and by: in real time, and not by turning.
async fn waits_for_real<T>(waits: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let (start, turns) = (now(), || Reactor::current().metrics().turns);
    let before = turns();
    let done = waits.await?;
    assert_eq!(now(), start, "the clock was moved");
    assert!(turns() - before < FEW, "{} turns", turns() - before);
    Ok(done)
}

fn by_and_by<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        act()
    })
}

fn our_own_rests_take_real_time_and_no_other(variant: Variant) -> io::Result<()> {
    let file = std::env::temp_dir().join(format!("rests-{}-{variant:?}", std::process::id()));
    let waits = variant.block_on(async {
        pause();
        // For room in the backlog of a listener.
        let mut socket = UnixSocket::new()?;
        socket.bind(&file)?;
        let listener = socket.listen(0)?;
        let _first = reactor::net::UnixStream::connect(&file).await?;
        let std = listener.into_std()?;
        std.set_nonblocking(false)?;
        let accepts = by_and_by(move || std.accept().map(|_| std));
        waits_for_real(reactor::net::UnixStream::connect(&file)).await?;
        accepts.join().expect("it accepts")?;

        // For an fd.
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let _near = TcpStream::connect(listener.local_addr()?)?;
        (0..3).for_each(|_| fault::inject("accept4", libc::EMFILE));
        waits_for_real(listener.accept()).await?;

        // For a key that rests, because what is ready helps nobody.
        let (_near, far) = UnixDatagram::pair()?;
        far.shutdown(std::net::Shutdown::Read)?;
        let stopper = executor::Spawner::current();
        let stops = by_and_by(move || stopper.request_stop());
        waits_for_real(async {
            let never = executor::unless_stopping(far.recv(&mut [0; 8])).await;
            assert!(never.is_none());
            Ok(())
        })
        .await?;
        stops.join().expect("it stops");

        // Beside a timer they take their time as well, and the timer none.
        let _near = TcpStream::connect(listener.local_addr()?)?;
        fault::inject("accept4", libc::EMFILE);
        let start = now();
        let accepts = async { listener.accept().await.map(drop) };
        let (accepted, ()) = zip(accepts, sleep(DAY)).await;
        assert_eq!(now(), start + DAY);
        accepted
    });
    std::fs::remove_file(&file)?;
    waits
}

/// Where every timer is due: but not for ever, once the clock goes on.
fn at_its_end_a_clock_goes_on(variant: Variant) -> io::Result<()> {
    const POLICIES: [MissedTick; 3] = [MissedTick::Skip, MissedTick::Burst, MissedTick::Delay];
    const MAX: Duration = Duration::MAX;
    const SHORT: Duration = Duration::from_millis(3);
    variant.block_on(async {
        pause();
        let mut ticks = interval(DAY);
        ticks.tick().await;
        for _ in 0..2 {
            advance(MAX);
            advance(MAX);
            for length in [SHORT, DAY, MAX] {
                sleep(length).await;
                sleep_until(now() + SHORT).await;
                assert!(timeout(length, std::future::pending::<()>()).await.is_err());
                for policy in POLICIES {
                    let mut ticks = interval(length).missed_tick(policy);
                    for _ in 0..5 {
                        ticks.tick().await;
                    }
                    ticks.reset();
                    ticks.tick().await;
                    ticks.reset_immediately();
                    ticks.tick().await;
                }
            }
            ticks.tick().await;
            ticks.reset();
            ticks.tick().await;

            resume();
            thread::sleep(Duration::from_millis(1));
            let real = |start: std::time::Instant, least| {
                assert!(start.elapsed() >= least, "{:?}", start.elapsed());
                std::time::Instant::now()
            };
            let mut start = std::time::Instant::now();
            sleep(SHORT).await;
            start = real(start, SHORT);
            sleep_until(now() + SHORT).await;
            start = real(start, SHORT);
            assert_eq!(timeout(MAX, async { 1 }).await, Ok(1));
            for policy in POLICIES {
                let mut ticks = interval(SHORT).missed_tick(policy);
                for _ in 0..3 {
                    ticks.tick().await;
                }
                start = real(start, SHORT * 2);
                let mut ticks = interval(MAX).missed_tick(policy);
                ticks.tick().await;
                ticks.reset_after(SHORT);
                ticks.tick().await;
                start = real(start, SHORT);
                assert!(timeout(SHORT, ticks.tick()).await.is_err());
            }
            pause();
        }
        Ok(())
    })
}
