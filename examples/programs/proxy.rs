//! A proxy: whoever connects here is connected there, byte for byte, in both directions.
//!
//! ```text
//! python3 -m http.server 8000                              # the program behind it
//! cargo run --release --example proxy -- 127.0.0.1:7012 127.0.0.1:8000
//! curl http://127.0.0.1:7012/                              # in another terminal
//! ```
//!
//! The end of one direction is passed on as that, and the other stays open: a client that has asked
//! and says that no more will come still gets its answer. Who is slow slows down the sender, and
//! connections on which nothing moves hold no buffer. Ctrl-C lets what is under way come to its end,
//! for five seconds.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::address::Address;
use examples::failure::{self, Failure};
use examples::{command_line, say};
use executor::Runtime;
use executor::net::{TcpListener, TcpStream, copy_bidirectional};
use executor::signal::ctrl_c;
use executor::time::timeout;
use futures_lite::future::or;

/// How long the program behind may take to let us in.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long connections may go on after Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);

/// A proxy: whoever connects here is connected there
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 is any free port
    here: Address,
    /// The program behind it
    there: Address,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    runtime.block_on(or(serve(args), ctrl_c()))??;
    let stopped = runtime.shutdown(GRACE)?;
    say!(
        "proxy: {} ended, {} cut off",
        stopped.ended,
        stopped.dropped
    );
    Ok(())
}

async fn serve(Args { here, there }: Args) -> io::Result<()> {
    let listener = TcpListener::bind(here.as_str()).await?;
    say!(
        "proxy: listening on {}, for {there}",
        listener.local_addr()?
    );
    loop {
        let (client, from) = listener.accept().await?;
        let there = there.clone();
        executor::spawn(async move {
            match connect(&client, there.as_str()).await {
                Ok((sent, received)) => say!("proxy: {from}: {sent} there, {received} back"),
                Err(error) => say!("proxy: {from}: {error}"),
            }
        })
        .detach();
    }
}

/// One client, from its first byte to the last one for it.
async fn connect(client: &TcpStream, there: &str) -> io::Result<(u64, u64)> {
    let server = timeout(PATIENCE, TcpStream::connect(there)).await??;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    say!("proxy: {} is let in", client.peer_addr()?);
    copy_bidirectional(client, &server).await
}
