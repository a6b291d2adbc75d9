//! Curves over the number of connections, as pictures: server CPU per echo with every connection
//! active and with one in a hundred, for select, poll and epoll; memory for each connection.
//!
//! `cargo run --release -p benches --bin scaling -- --out benches/pictures`

mod chart;
mod curves;

use std::path::PathBuf;
use std::process::ExitCode;

use benches::allocations::CountingAllocator;
use benches::sys;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const HELP: &str = "\
scaling: CPU and memory against the number of connections

  --out DIRECTORY   where the pictures go (default: here)
  --quick           fewer points, fewer repetitions
";

fn main() -> ExitCode {
    if let Err(error) = sys::raise_open_files() {
        eprintln!("scaling: the limit of open files stays where it is: {error}");
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let answer = match words.split_first() {
        Some((first, rest)) if first == "subject" => benches::subject::run(rest),
        _ => run(),
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("scaling: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let Some((out, quick)) = arguments().map_err(|error| error.to_string())? else {
        print!("{HELP}");
        return Ok(());
    };
    for (name, chart) in curves::measure(quick)? {
        let path = out.join(name).with_extension("svg");
        std::fs::write(&path, chart.svg())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        print!("{}", chart.table());
    }
    Ok(())
}

/// The folder and whether to be quick; nothing if help is wanted.
fn arguments() -> Result<Option<(PathBuf, bool)>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut out, mut quick) = (PathBuf::from("."), false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("out") => out = parser.value()?.into(),
            Long("quick") => quick = true,
            Short('h') | Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some((out, quick)))
}
