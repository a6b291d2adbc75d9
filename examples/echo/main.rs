//! The echo server: everything that a client sends, it gets back.
//!
//! ```text
//! cargo run --release --example echo -- --demo             # server and client in one go
//! cargo run --release --example echo                       # the server alone
//! cargo run --release --example echo -- --addr 0.0.0.0:7007 --selector poll
//! ```
//!
//! Talk to it with the client beside it (`--example echo_client`) or with any other, such as
//! `nc 127.0.0.1 7007`. Ctrl-C stops it.
//!
//! This file is the program around the server: arguments, signals, what is printed. The server
//! itself is in `server.rs`.

mod demo;
mod server;
mod told;

use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Parser;
use examples::address::Address;
use examples::failure::Failure;
use examples::runtime_args::{RuntimeArgs, describe};
use examples::signals::Signals;
use examples::words::plural;
use examples::{command_line, failure, fds, runtime_args, say};
use executor::Runtime;
use executor::net::TcpListener;
use futures_util::future::{Either, select};

use crate::server::Server;

/// An async echo server: everything that a client sends, it gets back.
#[derive(Parser)]
#[command(name = "echo", version, allow_negative_numbers = true)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7007")]
    addr: Address,
    #[command(flatten)]
    runtime: RuntimeArgs,
    /// After Ctrl-C, how long clients may take to read what is on its way and to hang up
    #[arg(long, value_name = "SECONDS", default_value = "5",
          value_parser = clap::value_parser!(u64).range(0..=86_400))]
    grace: u64,
    /// Run server and client together on each backend (or the chosen one), verify, and end
    #[arg(long, conflicts_with_all = ["addr", "grace"])]
    demo: bool,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    fds::raise_limit();
    if args.demo {
        return demo::run(&args.runtime);
    }
    let runtime = args.runtime.open()?;
    runtime_args::block_on(&runtime, async {
        // Before the first line is printed, so that whoever has read it may stop us.
        let signals = Signals::new()?;
        let listener = args.addr.listen().await?;
        serve(&runtime, listener, signals, Duration::from_secs(args.grace)).await
    })?
}

/// The life of a server: it serves until a signal comes, lets everybody finish, and sums up.
async fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    signals: Signals,
    grace: Duration,
) -> Result<(), Failure> {
    let start = Instant::now();
    let server = Rc::new(Server::default());
    say!(
        "echo: listening on {}, waiting with {}",
        listener.local_addr()?,
        describe(runtime)
    );
    let watched = Rc::clone(&server);
    executor::spawn(async move {
        watched.watch(|change| say!("echo: {change}")).await;
    })
    .detach();

    // Whichever happens first; the other is dropped, and with `serve` the listener.
    match select(
        pin!(Rc::clone(&server).serve(listener)),
        pin!(signals.next()),
    )
    .await
    {
        Either::Left((failed, _)) => failed?,
        Either::Right((signal, _)) => signal?,
    }

    let open = server.open.get();
    if open != 0 {
        let connections = plural(open, "connection");
        say!(
            "echo: stopping; {open} {connections} may finish writing and hang up, Ctrl-C again to cut \
             them"
        );
    }
    match select(pin!(server.stop(grace)), pin!(signals.next())).await {
        Either::Left(((), _)) => {}
        Either::Right((signal, _)) => signal?,
    }
    let cut = server.open.get();
    if cut != 0 {
        say!(
            "echo: {cut} {} cut off: it may not have read all that was sent",
            plural(cut, "connection")
        );
    }
    say!(
        "echo: served {} in {:.1} s",
        server,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
