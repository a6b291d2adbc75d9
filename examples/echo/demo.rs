//! `--demo`: the server and a client that checks it, on one thread, on one backend after another.

use std::rc::Rc;
use std::time::Duration;

use examples::address::Address;
use examples::client::{Client, Plan};
use examples::failure::Failure;
use examples::payload::Size;
use examples::progress::Progress;
use examples::report::{Report, short};
use examples::runtime_args::{RuntimeArgs, block_on, describe};
use examples::{console, say};
use executor::Backend;
use executor::Runtime;
use indicatif::{DecimalBytes, HumanCount};

use crate::server::Server;

const CONNECTIONS: u64 = 100;
const MESSAGES: u64 = 100;

/// Runs the demonstration on the chosen backend, or on all that this machine has.
pub(crate) fn run(args: &RuntimeArgs) -> Result<(), Failure> {
    let backends = match args.selector.chosen()? {
        Some(backend) => vec![backend],
        None => Backend::available().iter().rev().copied().collect(),
    };
    say!("An echo server and a client that checks it, both on one thread.");
    say!("{CONNECTIONS} connections, {MESSAGES} messages of 1 B to 64 KiB on each.");
    say!("");
    say!(
        "{:15} {:>10} {:>12} {:>10} {:>9} {:>9}",
        "selector",
        "messages",
        "bytes",
        "rate/s",
        "p50",
        "p99"
    );
    let mut bytes = 0;
    for backend in backends {
        let runtime = args.open_on(backend)?;
        let report = block_on(&runtime, round())??;
        bytes += report.bytes;
        print_row(&runtime, &report);
    }
    say!("");
    say!(
        "verified: all {} bytes came back, each the right one in its place.",
        HumanCount(bytes)
    );
    say!("");
    say!("Next: cargo run --release --example echo           the server alone; Ctrl-C stops it");
    say!("      cargo run --release --example echo_client    in another terminal");
    Ok(console::all_said()?)
}

/// One server and one client, from the first connection to the last.
async fn round() -> Result<Report, Failure> {
    let address: Address = "127.0.0.1:0".parse().map_err(Failure::failed)?;
    let listener = address.listen().await?;
    let client = Client::new(Plan {
        server: listener.local_addr()?.to_string(),
        connections: CONNECTIONS,
        messages: MESSAGES,
        size: Size::between(1, 64 << 10),
        seed: 1,
        patience: Duration::from_secs(60),
    });
    let server = Rc::new(Server::default());
    let serving = executor::spawn(Rc::clone(&server).serve(listener));

    let counted = Rc::clone(&client);
    let progress = Progress::show(CONNECTIONS * MESSAGES, move || counted.messages());
    let report = client.run().await;
    drop(progress);

    serving.abort();
    server.stop(Duration::from_secs(1)).await;
    report
}

fn print_row(runtime: &Runtime, report: &Report) {
    say!(
        "{:15} {:>10} {:>12} {:>10} {:>9} {:>9}",
        describe(runtime),
        HumanCount(report.messages).to_string(),
        DecimalBytes(report.bytes).to_string(),
        HumanCount(report.rate() as u64).to_string(),
        short(report.percentile(0.5)),
        short(report.percentile(0.99)),
    );
}
