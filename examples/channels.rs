//! Channels between tasks and threads: tasks hand out work, threads do it, tasks collect.
//!
//! ```text
//! cargo run --release --features ecosystem --example channels
//! ```
//!
//! async-channel knows nothing of this runtime, and this runtime nothing of async-channel: wakers
//! are all that they share. A bounded channel is the back-pressure.

use std::error::Error;
use std::process::ExitCode;
use std::thread;

use async_channel::{Receiver, Sender, bounded};
use examples::failure::{self, Failure};
use examples::{command_line, console, say};

/// Numbers to square.
const WORK: u64 = 1000;
/// Threads that square them.
const THREADS: usize = 3;

fn main() -> ExitCode {
    let [] = command_line::arguments("Tasks hand out work, threads do it, tasks collect", []);
    failure::exit(run().map_err(Failure::failed))
}

fn run() -> Result<(), Box<dyn Error>> {
    let (jobs, todo) = bounded(8);
    let (done, results) = bounded(8);
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let (todo, done) = (todo.clone(), done.clone());
            thread::spawn(move || work(&todo, &done))
        })
        .collect();
    // The last worker that ends closes the channel of results.
    drop((todo, done));

    let sum = executor::block_on(async {
        let hand_out = executor::spawn(async move {
            for number in 1..=WORK {
                jobs.send(number).await?;
            }
            Ok::<_, async_channel::SendError<u64>>(())
        });
        let mut sum = 0;
        while let Ok(square) = results.recv().await {
            sum += square;
        }
        hand_out.await??;
        Ok::<_, Box<dyn Error>>(sum)
    })??;

    let shares: Vec<u64> = workers
        .into_iter()
        .map(|worker| worker.join().expect("a worker does not panic"))
        .collect();
    say!("the squares of 1..={WORK} add up to {sum}");
    say!("done by {THREADS} threads: {shares:?}");
    Ok(console::all_said()?)
}

/// Squares numbers until there are no more; says how many that were.
fn work(todo: &Receiver<u64>, done: &Sender<u64>) -> u64 {
    let mut share = 0;
    while let Ok(number) = todo.recv_blocking() {
        if done.send_blocking(number * number).is_err() {
            break;
        }
        share += 1;
    }
    share
}
