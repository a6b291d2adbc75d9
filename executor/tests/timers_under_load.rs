//! A thousand timers among busy sockets: all fire, in order, and none of them early.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reactor::net::TcpStream;
use reactor::time::{sleep, sleep_until, timeout};

#[macro_use]
mod harness;
use harness::{Variant, pattern, round_trip, serve_echo, until};

on_every_backend!(
    a_thousand_timers_fire_in_order_while_sockets_are_busy,
    sockets_are_served_while_a_thousand_timers_fire,
    reads_with_timeouts_that_never_fire_cost_nobody_anything,
    a_task_that_never_waits_starves_neither_timers_nor_sockets,
);

const TIMERS: usize = 1000;

/// Keeps a connection busy until it is told to stop.
fn keep_busy(stream: TcpStream, stop: Rc<Cell<bool>>) -> executor::JoinHandle<io::Result<usize>> {
    executor::spawn(async move {
        let message = pattern(8, 3000);
        let mut rounds = 0;
        while !stop.get() {
            round_trip(&stream, &message).await?;
            rounds += 1;
        }
        Ok(rounds)
    })
}

/// Spawns the timers; the first is due `ahead` from now. Returns the order in which they fired,
/// or nothing if this machine was too slow to have them all waiting before the first was due.
async fn order(ahead: Duration) -> io::Result<Option<Vec<Duration>>> {
    let mut offsets: Vec<_> = (0..TIMERS)
        .map(|n| Duration::from_micros(n as u64 * 200))
        .collect();
    fastrand::Rng::with_seed(9).shuffle(&mut offsets);
    let (waiting, fired) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));
    let start = Instant::now() + ahead;
    let mut tasks = Vec::new();
    for offset in offsets {
        let (waiting, fired) = (Rc::clone(&waiting), Rc::clone(&fired));
        tasks.push(executor::spawn(async move {
            let timer = sleep_until(start + offset);
            waiting.set(waiting.get() + 1);
            timer.await;
            let now = Instant::now();
            assert!(now >= start + offset, "{:?} early", start + offset - now);
            fired.borrow_mut().push(offset);
        }));
    }
    until(|| waiting.get() == TIMERS).await;
    let in_time = Instant::now() < start;
    for task in tasks {
        task.await?;
    }
    Ok(in_time.then(|| fired.take()))
}

fn a_thousand_timers_fire_in_order_while_sockets_are_busy(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let address = serve_echo().await?;
        let stop = Rc::new(Cell::new(false));
        let mut busy = Vec::new();
        for _ in 0..10 {
            let stream = TcpStream::connect(address).await?;
            busy.push(keep_busy(stream, Rc::clone(&stop)));
        }
        let mut ahead = Duration::from_millis(50);
        let fired = loop {
            match order(ahead).await? {
                Some(fired) => break fired,
                None => ahead *= 4,
            }
        };
        stop.set(true);
        assert_eq!(fired.len(), TIMERS);
        assert!(fired.is_sorted(), "not in the order of the deadlines");
        for task in busy {
            assert_ne!(task.await??, 0, "a connection was starved");
        }
        Ok(())
    })
}

fn sockets_are_served_while_a_thousand_timers_fire(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let stream = TcpStream::connect(serve_echo().await?).await?;
        // Timers that are due again and again, many at a time.
        let stop = Rc::new(Cell::new(false));
        for number in 0..TIMERS as u64 {
            let stop = Rc::clone(&stop);
            executor::spawn(async move {
                while !stop.get() {
                    sleep(Duration::from_micros(1000 + number)).await;
                }
            })
            .detach();
        }
        for number in 0..200 {
            round_trip(&stream, &pattern(number, 2000)).await?;
        }
        stop.set(true);
        until(|| runtime.tasks() == 2).await;
        Ok(())
    })?
}

fn reads_with_timeouts_that_never_fire_cost_nobody_anything(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let stream = TcpStream::connect(serve_echo().await?).await?;
        let start = Instant::now();
        let other = executor::spawn(async move {
            sleep(Duration::from_millis(30)).await;
            start.elapsed()
        });
        // The guard of each round trip takes the place of the one before it.
        for number in 0..500 {
            let message = pattern(number, 500);
            let guarded = timeout(Duration::from_secs(60), round_trip(&stream, &message));
            guarded.await.map_err(io::Error::from)??;
        }
        assert!(other.await? >= Duration::from_millis(30));
        Ok(())
    })
}

fn a_task_that_never_waits_starves_neither_timers_nor_sockets(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let stream = TcpStream::connect(serve_echo().await?).await?;
        let selfish = executor::spawn(async {
            loop {
                executor::yield_now().await;
            }
        });
        // One that reads and writes without ever meeting would-block.
        let (near, far) = harness::pair().await?;
        let greedy: executor::JoinHandle<io::Result<()>> = executor::spawn(async move {
            loop {
                near.write_all(b"ping").await?;
                far.read_exact(&mut [0; 4]).await?;
            }
        });
        for number in 0..8 {
            round_trip(&stream, &pattern(number, 100)).await?;
            sleep(Duration::from_micros(500)).await;
        }
        assert!(!greedy.is_finished());
        greedy.abort();
        selfish.abort();
        assert!(greedy.await.expect_err("aborted").is_cancelled());
        assert!(selfish.await.expect_err("aborted").is_cancelled());
        Ok(())
    })
}
