//! A model of connections: both ends read and write at random, in every form that there is, give
//! up in the middle of a wait, shut down and hang up; each byte is checked by its place.
//!
//! Every batch of connections comes from one seed, which a failure prints.
//! `SOCKET_MODEL_BATCHES=1000 cargo test -p selectors-executor --test socket_model` runs more of them than
//! every run does, `SOCKET_MODEL_SEED=7` begins with that seed. Seeds make the same choices again;
//! what the kernel does meanwhile is its own affair.
#![cfg(unix)]

#[macro_use]
#[path = "../harness/mod.rs"]
mod harness;
mod flow;
mod patience;
mod reader;
mod writer;

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::env;
use std::hash::BuildHasher;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use executor::{JoinHandle, spawn};
use fastrand::Rng;
use futures_lite::future::zip;
use reactor::net::{Stream, StreamSocket, TcpListener, TcpStream, UnixStream};
use reactor::time::{sleep, timeout};

use flow::Flow;
use harness::Variant;

on_every_backend!(every_byte_comes_in_its_place_whatever_both_ends_do);

/// Connections that are open at the same time, from one seed.
const CONNECTIONS: usize = 16;
/// Batches of every run.
const BATCHES: u64 = 5;
/// A batch that takes this long has lost a wake; less than the harness waits, so that the seed is
/// told.
const HOPELESS: Duration = Duration::from_secs(200);

fn every_byte_comes_in_its_place_whatever_both_ends_do(variant: Variant) -> io::Result<()> {
    let first = number("SOCKET_MODEL_SEED")
        .unwrap_or_else(|| RandomState::new().hash_one(variant.backend) >> 32);
    let batches = number("SOCKET_MODEL_BATCHES").unwrap_or(BATCHES);
    let steps = Rc::new(Cell::new(0));
    let runtime = variant.runtime()?;
    for seed in first..first + batches {
        if let Err(error) = runtime.block_on(batch(seed, &steps))? {
            panic!("SOCKET_MODEL_SEED={seed}: {error}");
        }
        harness::goes_on();
    }
    println!(
        "{} steps in {batches} batches from seed {first}",
        steps.get()
    );
    Ok(())
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

/// Connections of both kinds at the same time, each from a generator of its own.
async fn batch(seed: u64, steps: &Rc<Cell<u64>>) -> io::Result<()> {
    let mut random = Rng::with_seed(seed);
    let mut plays = Vec::new();
    for number in 0..CONNECTIONS {
        let mut random = random.fork();
        let steps = Rc::clone(steps);
        plays.push(spawn(async move {
            let name = seed.wrapping_mul(2 * CONNECTIONS as u64) + 2 * number as u64;
            let flows = [Flow::new(name), Flow::new(name + 1)];
            let play = async {
                if number % 2 == 0 {
                    play(tcp_pair(&mut random).await?, &flows, &mut random, &steps).await
                } else {
                    play(UnixStream::pair()?, &flows, &mut random, &steps).await
                }
            };
            match timeout(HOPELESS, play).await {
                Ok(played) => played,
                Err(_) => panic!("connection {number} is stuck: {flows:?}"),
            }
        }));
    }
    for play in plays {
        play.await
            .unwrap_or_else(|ended| panic!("SOCKET_MODEL_SEED={seed}: {ended}"))?;
    }
    Ok(())
}

/// Two ends with buffers that are sometimes so small that writes have to wait.
async fn tcp_pair(random: &mut Rng) -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let connect = TcpStream::connect(listener.local_addr()?);
    let (near, far) = zip(connect, listener.accept()).await;
    let (near, far) = (near?, far?.0);
    for end in [&near, &far] {
        // Else the kernel waits, for a fifth of a second at worst, in the hope of more.
        end.set_nodelay(true)?;
        if random.bool() {
            end.set_send_buffer_size(16 << 10)?;
        }
    }
    Ok((near, far))
}

/// One connection from its first byte to its last.
async fn play<S: StreamSocket>(
    (near, far): (Stream<S>, Stream<S>),
    [there, back]: &[Rc<Flow>; 2],
    random: &mut Rng,
    steps: &Rc<Cell<u64>>,
) -> io::Result<()> {
    let near = end(near, there, back, random, steps);
    let far = end(far, back, there, random, steps);
    if random.u8(..5) == 0 {
        // One end hangs up at some time, whatever it is in the middle of.
        sleep(Duration::from_micros(random.u64(..3000))).await;
        for flow in [there, back] {
            flow.cut();
        }
        let cut = if random.bool() { &near } else { &far };
        for task in cut {
            task.abort();
        }
    }
    for task in near.into_iter().chain(far) {
        match task.await {
            Ok(ended) => ended?,
            Err(error) if error.is_cancelled() => {}
            Err(error) => panic!("{error}"),
        }
    }
    for flow in [there, back] {
        flow.check_end();
    }
    Ok(())
}

/// The tasks of one end: one that writes, one or two that read, and sometimes one that only waits.
/// The connection is closed with the last of them.
fn end<S: StreamSocket>(
    stream: Stream<S>,
    out: &Rc<Flow>,
    into: &Rc<Flow>,
    random: &mut Rng,
    steps: &Rc<Cell<u64>>,
) -> Vec<JoinHandle<io::Result<()>>> {
    let readers = random.usize(1..=2);
    let turns = random.usize(1..60);
    let (reading, writing) = stream.into_split();
    let reading = Rc::new(reading);
    let mut tasks = Vec::new();
    for _ in 0..readers {
        let half = Rc::clone(&reading);
        let reader = reader::Reader {
            flow: Rc::clone(into),
            alone: readers == 1,
            random: random.fork(),
            steps: Rc::clone(steps),
        };
        tasks.push(spawn(async move { reader.run((*half).as_ref()).await }));
    }
    if random.bool() {
        let (half, random) = (Rc::clone(&reading), random.fork());
        tasks.push(spawn(
            async move { bystand((*half).as_ref(), random).await },
        ));
    }
    let writer = writer::Writer {
        flow: Rc::clone(out),
        turns,
        random: random.fork(),
        steps: Rc::clone(steps),
    };
    let by_hand = random.bool();
    tasks.push(spawn(async move {
        let flow = Rc::clone(&writer.flow);
        let stream: &Stream<S> = writing.as_ref();
        let written = writer.run(stream).await;
        // Dropping the half says the same.
        if written.is_ok() && by_hand {
            let shut = stream.shutdown(Shutdown::Write);
            assert!(shut.is_ok() || flow.is_cut(), "{shut:?}");
        }
        flow.end();
        written
    }));
    tasks
}

/// Waits for readiness now and then, does nothing with it, and leaves.
async fn bystand<S: StreamSocket>(stream: &Stream<S>, mut random: Rng) -> io::Result<()> {
    for _ in 0..random.usize(1..30) {
        let waited = if random.bool() {
            patience::short(&mut random, stream.readable()).await
        } else {
            patience::short(&mut random, stream.writable()).await
        };
        waited.unwrap_or(Ok(()))?;
    }
    Ok(())
}
