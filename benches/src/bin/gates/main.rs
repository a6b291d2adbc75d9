//! Measures every number that the project set itself, for a bare loop, the rivals and ours, in
//! one run, and prints them side by side: `cargo run --release -p benches --bin gates`.

mod arguments;
mod baseline;
mod cpu;
mod environment;
mod measure;
mod rows;
mod sheet;

use std::process::ExitCode;

use arguments::{Arguments, Task};
use benches::allocations::CountingAllocator;
use benches::counted;
use sheet::Sheet;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Err(error) = benches::sys::raise_open_files() {
        eprintln!("gates: the limit of open files stays where it is: {error}");
    }
    let answer = match words.split_first() {
        Some((first, rest)) if first == "subject" => benches::subject::run(rest).map(|()| true),
        _ => Arguments::parse().and_then(|arguments| run(&arguments)),
    };
    match answer {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("gates: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Does what the command line asks for; false when the gate finds something worse.
fn run(arguments: &Arguments) -> Result<bool, String> {
    if let Task::Help = arguments.task {
        print!("{}", arguments::help());
        return Ok(true);
    }
    let missing = counted::missing_tools();
    for tool in &missing {
        eprintln!("gates: {tool}");
    }
    if !missing.is_empty() && arguments.counts_only() {
        return Err("the counts cannot be taken without these tools".to_owned());
    }
    if let Task::Profile(operation) = arguments.task {
        return measure::profile(arguments, operation).map(|()| true);
    }
    print!("{}", environment::describe());
    let mut sheet = Sheet::default();
    for family in rows::FAMILIES {
        if family
            .rows
            .iter()
            .any(|row| arguments.wants(family.name, row))
        {
            (family.measure)(arguments, &mut sheet);
        }
    }
    sheet.keep_only(|row| arguments.wants(rows::family_of(row), row));
    print!("{}", sheet.table(&arguments.subjects));
    match arguments.task {
        Task::Check => baseline::check(&sheet, arguments),
        Task::WriteBaseline => baseline::write(&sheet, arguments).map(|()| true),
        _ => Ok(true),
    }
}
