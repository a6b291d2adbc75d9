//! What works here: timers, wakes from a thread, TCP, Unix and UDP sockets, on every way to wait.
//!
//! ```text
//! cargo run --release --example probe                          # every backend of this machine
//! cargo run --release --example probe -- --selector poll --only tcp,timers
//! ```
//!
//! For a container, a sandbox or an old kernel: some system calls may be refused there. Each line
//! says what a backend can do, and an error says which call was refused and why. What is said to
//! work was tried: every byte was compared with the one that was sent, no timer was early.

mod parts;

use std::fmt::{Display, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use examples::failure::Failure;
use examples::runtime_args::{RuntimeArgs, describe};
use examples::{command_line, console, failure, say};
use executor::Backend;
use executor::time::timeout;

/// Tries timers, wakes and sockets on every way to wait that this machine has.
#[derive(Parser)]
#[command(name = "probe", version)]
struct Args {
    #[command(flatten)]
    runtime: RuntimeArgs,
    /// What to try, separated by commas; everything if not given
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    only: Vec<Part>,
    /// How long a part may take before it counts as stuck
    #[arg(long, value_name = "SECONDS", default_value = "60",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Timers,
    Wakes,
    Tcp,
    Unix,
    Udp,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let parts = match args.only.as_slice() {
        [] => Part::value_variants(),
        some => some,
    };
    let backends = match args.runtime.selector.chosen()? {
        Some(backend) => vec![backend],
        None => Backend::available().to_vec(),
    };
    let mut failed = 0;
    for &backend in &backends {
        if let Err(failure) = probe(&args, backend, parts) {
            failed += 1;
            say!("{:<15} {failure}", format!("{backend}:"));
        }
    }
    console::all_said()?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::failed(format_args!(
            "{failed} of {} backends do not do all of it here",
            backends.len()
        ))),
    }
}

/// All parts on one backend; stops at the first that does not work.
fn probe(args: &Args, backend: Backend, parts: &[Part]) -> Result<(), Failure> {
    let runtime = args.runtime.open_on(backend)?;
    let patience = Duration::from_secs(args.patience);
    let mut line = format!("{:<15}", describe(&runtime));
    for part in parts {
        let name = part.to_possible_value().expect("no part is hidden");
        let tried = runtime.block_on(async {
            let trying = async {
                match part {
                    Part::Timers => parts::timers().await,
                    Part::Wakes => parts::wakes().await,
                    Part::Tcp => parts::tcp().await,
                    Part::Unix => parts::unix().await,
                    Part::Udp => parts::udp().await,
                }
            };
            timeout(patience, trying).await
        });
        let told =
            |what: &dyn Display| Failure::failed(format_args!("{}: {what}", name.get_name()));
        tried
            .map_err(|error| told(&error))?
            .map_err(|_| told(&format_args!("not done in {patience:?}")))?
            .map_err(|error| told(&error))?;
        write!(line, " {} ok", name.get_name()).map_err(Failure::failed)?;
    }
    say!("{line}");
    Ok(())
}
