//! Museum, b10: a task is dropped in the middle of a write.
//!
//! ```text
//! REACTOR_TRACE=b10.trace cargo run --example b10_cut_write
//! cargo run -p trace -- lint b10.trace
//! cargo run --example b10_cut_write -- fixed
//! ```
//!
//! Symptom: the peer gets half a message, and takes the next one for its end. A future can be
//! dropped wherever it waits; what it has written by then is written. Lint: `cut-write`.

use std::io;
use std::time::Duration;

use examples::command_line::fixed;
use examples::console::all_said;
use examples::say;
use executor::net::UnixStream;
use executor::time::sleep;

/// More than the kernel's buffer holds, so that the write has to wait for the reader.
const MESSAGE: usize = 4 << 20;

fn main() -> io::Result<()> {
    let fixed = fixed();
    executor::block_on(async {
        let (near, far) = UnixStream::pair()?;
        let writer = executor::spawn(async move { near.write_all(&vec![7; MESSAGE]).await });
        let reader = executor::spawn(read_to_end(far));
        if fixed {
            // The fix: what must not be cut in two is awaited, not dropped.
            writer.await.map_err(failed)??;
        } else {
            // One round, in which it fills the kernel's buffer, and then we lose interest.
            executor::yield_now().await;
            writer.abort();
        }
        let length = reader.await.map_err(failed)??;
        say!("the peer got {length} bytes of {MESSAGE}");
        io::Result::Ok(())
    })??;
    all_said()
}

async fn read_to_end(stream: UnixStream) -> io::Result<usize> {
    // A peer that takes its time.
    sleep(Duration::from_millis(5)).await;
    let (mut buffer, mut sum) = (vec![0; 64 << 10], 0);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(sum),
            length => sum += length,
        }
    }
}

fn failed(error: executor::JoinError) -> io::Error {
    io::Error::other(error.to_string())
}
