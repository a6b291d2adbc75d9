//! Step 12 of 12: the crates of this workspace: what eleven steps have built, with nothing left to write.
//!
//! ```text
//! cargo run --example s12_crates                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: how does this compare with the runtime that programs use?
//!
//! ```text
//! REACTOR_TRACE=s12.trace cargo run --example s12_crates
//! cargo run -p trace -- html s12.trace
//! ```

use std::io;
use std::time::Duration;

use examples::command_line::arguments;
use examples::say;
use executor::net::{TcpListener, TcpStream};
use executor::time::timeout;

fn main() -> io::Result<()> {
    executor::block_on(serve())?
}

// ANCHOR: serve
async fn serve() -> io::Result<()> {
    let about = "Step 12 of 12: the crates of this workspace";
    let named = [("ADDRESS", "127.0.0.1:7007"), ("MILLISECONDS", "60000")];
    let [address, patience] = arguments(about, named);
    let patience = Duration::from_millis(patience.parse().unwrap_or(60_000));
    let listener = TcpListener::bind(address).await?;
    say!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _from) = listener.accept().await?;
        executor::spawn(echo(stream, patience)).detach();
    }
}
// ANCHOR_END: serve

// ANCHOR: echo
/// Ends when the client does, or when it has been silent for too long.
async fn echo(stream: TcpStream, patience: Duration) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match timeout(patience, stream.read(&mut buffer)).await?? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length]).await?,
        }
    }
}
// ANCHOR_END: echo
