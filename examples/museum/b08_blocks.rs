//! Museum, b08: a call that blocks, inside a poll.
//!
//! ```text
//! REACTOR_TRACE=b08.trace cargo run --example b08_blocks
//! cargo run -p trace -- lint b08.trace
//! cargo run --example b08_blocks -- fixed
//! ```
//!
//! Symptom: everything stops now and then; timers are late, all clients at once. One thread runs
//! all tasks, and one of them sleeps without telling. Lint: `long-poll`.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use examples::command_line::fixed;
use examples::console::all_said;
use examples::say;
use executor::time::sleep;

fn main() -> io::Result<()> {
    let fixed = fixed();
    executor::block_on(async {
        let nap = Duration::from_millis(150);
        let begun = Instant::now();
        let sleeper = executor::spawn(async move {
            if fixed {
                // The fix: a sleep that says Pending, and gives the thread back.
                sleep(nap).await;
            } else {
                thread::sleep(nap);
            }
        });
        sleep(Duration::from_millis(5)).await;
        say!("a timer of 5 ms took {} ms", begun.elapsed().as_millis());
        sleeper
            .await
            .map_err(|error| io::Error::other(error.to_string()))
    })??;
    all_said()
}
