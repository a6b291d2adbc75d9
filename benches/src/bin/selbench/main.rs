//! Latency of selectors and of the loops built on them, under load, measured so that it can be
//! defended: `cargo run --release -p benches --bin selbench -- --help`. The guide is SELBENCH.md.

mod arguments;
mod gate;
mod loads;
mod matrix;
mod output;
mod plan;
mod programs;
mod progress;
mod report;
mod selftest;
mod session;
mod slices;
mod table;
mod workloads;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use benches::allocations::CountingAllocator;
use benches::selbench::environment::Environment;
use benches::selbench::{server, work};
use clap::{CommandFactory, Parser};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// How a run ended; the numbers are documented in the guide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// All is well.
    Good,
    /// Something is slower than before.
    Regression,
    /// The figures cannot be trusted.
    Invalid,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Good => Self::SUCCESS,
            Ending::Regression => Self::from(1),
            Ending::Invalid => Self::from(2),
        }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // What this program starts itself with is no command line for people.
    match words.split_first() {
        Some((first, rest)) if first == "subject" => return inner(server::run(rest)),
        Some((first, rest)) if first == "slice" => return inner(slice(rest)),
        _ => {}
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not mistakes.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(64)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run(arguments.command) {
        Ok(ending) => ending.into(),
        Err(problem) => {
            eprintln!("selbench: {problem}");
            ExitCode::from(64)
        }
    }
}

/// Does what the command line asks for; an error is one of usage.
fn run(command: Command) -> Result<Ending, String> {
    match command {
        Command::Env => {
            for (name, value) in &Environment::read().0 {
                println!("{name:20} {value}");
            }
            Ok(Ending::Good)
        }
        Command::Selftest(options) => selftest::run(&options),
        Command::Ring(options) if options.compat => {
            plan::compatible(&options).map(|()| Ending::Good)
        }
        Command::Ring(options) => session::run(&plan::ring(&options)?, &options.common),
        Command::Map(options) => session::run(&plan::map(&options)?, &options.common),
        Command::Register(options) => session::run(&plan::register(&options)?, &options.common),
        Command::Echo(options) => session::run(&plan::echo(&options)?, &options.common),
        Command::Load(options) => session::load(&options),
        Command::Asked(command) => loads::run(&command),
        Command::Compare(options) => session::compare(&options),
        Command::Alone(command) => workloads::run(&command),
        Command::Matrix(options) => matrix::run(&options),
        Command::Gate(options) => gate::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "selbench", &mut std::io::stdout());
            Ok(Ending::Good)
        }
    }
}

/// A slice: its description in, its result out, both JSON.
fn slice(words: &[String]) -> Result<(), String> {
    let [text] = words else {
        return Err("a slice is started with its description".to_owned());
    };
    let spec = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let result = work::measure(spec)?;
    println!(
        "{}",
        serde_json::to_string(&result).map_err(|e| e.to_string())?
    );
    Ok(())
}

fn inner(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("selbench: {problem}");
            ExitCode::from(2)
        }
    }
}
