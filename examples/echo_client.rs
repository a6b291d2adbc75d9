//! The echo client: proves that an echo server sends every byte back, and measures how fast.
//!
//! ```text
//! cargo run --release --example echo                       # in another terminal
//! cargo run --release --example echo_client
//! cargo run --release --example echo_client -- --connections 1000 --size 1..64k --seed 7
//! ```

use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use clap::Parser;
use examples::address::Address;
use examples::client::{Client, Plan};
use examples::failure::Failure;
use examples::payload::Size;
use examples::progress::Progress;
use examples::runtime_args::{RuntimeArgs, block_on, describe};
use examples::signals::Signals;
use examples::words::plural;
use examples::{command_line, console, failure, fds, say};
use futures_util::future::{Either, select};

/// Sends messages to an echo server and verifies every byte that comes back.
#[derive(Parser)]
#[command(name = "echo_client", version, allow_negative_numbers = true)]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7007")]
    addr: Address,
    /// Connections, all open at the same time
    #[arg(short, long, value_name = "COUNT", default_value = "64",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    connections: u64,
    /// Messages on each connection; each waits for the one before to come back
    #[arg(short, long, value_name = "COUNT", default_value = "1000",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    messages: u64,
    /// Bytes in a message: a number, or a range to choose from at random, such as 1..64k
    #[arg(short, long, value_name = "BYTES", default_value = "64")]
    size: Size,
    /// The same seed sends the same bytes
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: u64,
    /// How long to wait for an answer before it counts as lost
    #[arg(long, value_name = "SECONDS", default_value = "30",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let runtime = args.runtime.open()?;
    fds::make_room_for(args.connections)?;
    say!(
        "echo_client: connecting to {}, waiting with {}",
        args.addr,
        describe(&runtime)
    );
    say!(
        "{} {}, {} {} of {} on each, seed {}",
        args.connections,
        plural(args.connections, "connection"),
        args.messages,
        plural(args.messages, "message"),
        args.size,
        args.seed,
    );
    let client = Client::new(Plan {
        server: args.addr.to_string(),
        connections: args.connections,
        messages: args.messages,
        size: args.size,
        seed: args.seed,
        patience: Duration::from_secs(args.timeout),
    });
    let total = args.connections.saturating_mul(args.messages);
    let report = block_on(&runtime, async {
        let signals = Signals::new()?;
        let counted = Rc::clone(&client);
        let _progress = Progress::show(total, move || counted.messages());
        match select(pin!(client.run()), pin!(signals.next())).await {
            Either::Left((report, _)) => report.map(Some),
            Either::Right((signal, _)) => Ok(signal.map(|()| None)?),
        }
    })??;
    let Some(report) = report else {
        // What has been measured so far is right, and all that there will be.
        say!("{}", client.report());
        return Err(Failure::failed(format_args!(
            "stopped after {} of {total} {}",
            client.messages(),
            plural(total, "message")
        )));
    };
    say!("{report}");
    Ok(console::all_said()?)
}
