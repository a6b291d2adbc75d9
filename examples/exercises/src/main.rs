//! The command of the exercises.
//!
//! ```text
//! cargo run -p exercises                  # what there is, and what is solved
//! cargo run -p exercises -- check e06     # what is still wrong
//! cargo run -p exercises -- hint e06      # a hint; again with a 2 behind it: two of them
//! cargo run -p exercises -- waste FILE    # what your e02 counts in a trace
//! ```

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use exercises::{EXERCISES, Exercise, Version, solutions, starts};
use trace::{Trace, complain, console, say};

/// Ten exercises about how a reactor works.
#[derive(Parser)]
#[command(name = "exercises", version)]
struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// List the exercises, and say which are solved
    List,
    /// Say what is still wrong with an exercise; the status is 1 if anything is
    Check {
        /// e01 to e10
        #[arg(value_parser = exercise)]
        exercise: &'static Exercise,
        /// Judge the solution instead
        #[arg(long)]
        solution: bool,
    },
    /// Help a little
    Hint {
        /// e01 to e10
        #[arg(value_parser = exercise)]
        exercise: &'static Exercise,
        /// How many hints: the first ones say the least
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
        number: u8,
    },
    /// Say what the code of exercise 2 counts in a trace of your own
    Waste {
        /// A trace
        file: PathBuf,
        /// Count with the solution instead
        #[arg(long)]
        solution: bool,
    },
}

fn exercise(name: &str) -> Result<&'static Exercise, String> {
    Exercise::named(name).ok_or_else(|| "the exercises are e01 to e10".to_owned())
}

fn main() -> ExitCode {
    // The judge tells of a panic in its own words, and of the line that it came from.
    exercises::note_panics();
    let status = run(Args::parse().what.unwrap_or(What::List));
    // 1 is the status of an exercise that is not solved.
    console::all_said().map_or_else(|lost| failed(&lost), |()| status)
}

fn failed(what: &dyn Display) -> ExitCode {
    complain!("exercises: {what}");
    ExitCode::from(2)
}

fn run(what: What) -> ExitCode {
    match what {
        What::List => list(),
        What::Check { exercise, solution } => return check(exercise, solution),
        What::Waste { file, solution } => return waste(&file, solution),
        What::Hint { exercise, number } => {
            for (hint, number) in exercise.hints.iter().zip(1..=number) {
                say!(
                    "{} hint {number} of {}: {hint}",
                    exercise.name,
                    exercise.hints.len()
                );
            }
        }
    }
    ExitCode::SUCCESS
}

fn list() {
    for exercise in &EXERCISES {
        let state = match exercise.check(Version::Start) {
            Ok(()) => "solved",
            Err(_) => "open",
        };
        say!("{}  {state:6}  {}", exercise.name, exercise.task);
    }
    say!("\nChange a file in examples/exercises/, then: cargo run -p exercises -- check e01");
}

fn waste(file: &Path, solution: bool) -> ExitCode {
    let read = || {
        let bytes = fs::read(file).map_err(|error| error.to_string())?;
        let trace = trace::text(bytes).and_then(|text| Trace::parse(&text));
        trace.map_err(|bad| bad.to_string())
    };
    match read() {
        Ok(trace) => {
            let count = match solution {
                true => solutions::e02::wasted_per_byte,
                false => starts::e02::wasted_per_byte,
            };
            let file = file.display();
            match count(&trace) {
                Some(count) if count.is_finite() => {
                    say!("{file}: {count} calls in vain for each byte");
                }
                Some(count) => say!("{file}: {count} calls in vain for each byte: divided by 0?"),
                None => say!("{file}: no calls in vain for each byte: no byte was read"),
            }
            ExitCode::SUCCESS
        }
        Err(wrong) => failed(&format_args!("{}: {wrong}", file.display())),
    }
}

fn check(exercise: &Exercise, solution: bool) -> ExitCode {
    let (version, folder) = match solution {
        true => (Version::Solution, "examples/exercises/solutions/"),
        false => (Version::Start, "examples/exercises/"),
    };
    let Exercise { name, file, .. } = exercise;
    match exercise.check(version) {
        Ok(()) => {
            say!("{name}: solved. Compare with examples/exercises/solutions/{file}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            say!("{name}: not yet: {}.\n\n{wrong}\n", exercise.task);
            say!("The file is {folder}{file}");
            say!("A hint: cargo run -p exercises -- hint {name}");
            ExitCode::from(1)
        }
    }
}
