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
  --only PICTURE    one of cpu-all-active, cpu-few-active and memory
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
    let Some((out, only, quick)) = arguments().map_err(|error| error.to_string())? else {
        print!("{HELP}");
        return Ok(());
    };
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    if !curves::PICTURES.iter().any(|(name, _)| wanted(name)) {
        return Err("no such picture: --help names them".to_owned());
    }
    for (name, measure) in curves::PICTURES.iter().filter(|(name, _)| wanted(name)) {
        let chart = measure(quick)?;
        let path = out.join(name).with_extension("svg");
        std::fs::write(&path, chart.svg())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        print!("{}", chart.table());
    }
    Ok(())
}

/// The folder, the only picture, and whether to be quick; nothing if help is wanted.
fn arguments() -> Result<Option<(PathBuf, Option<String>, bool)>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut out, mut only, mut quick) = (PathBuf::from("."), None, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("out") => out = parser.value()?.into(),
            Long("only") => only = Some(parser.value()?.string()?),
            Long("quick") => quick = true,
            Short('h') | Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some((out, only, quick)))
}
