//! Latency of selectors and of the loops built on them, under load, measured so that it can be
//! defended: `cargo run --release -p benches --bin selbench -- --help`. The guide is SELBENCH.md.

mod advise;
mod compare;
mod matrix;
mod selftest;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use benches::method::{CountingAllocator, Document, Environment, Plan, Session, Slice, results};
use benches::report::gate::Ending;
use benches::report::{Files, files, gate, page, table};
use benches::workloads;
use benches::workloads::{Common, command, shown};
use clap::{FromArgMatches, Subcommand};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// The commands that are no workload.
#[derive(Subcommand)]
enum Fixed {
    /// What the machine and the build are
    Env,
    /// Whether this machine can be trusted, and for what: runs all honesty checks
    Selftest(selftest::Options),
    /// Which backend and trigger to use here for so many connections, measured in 30 s
    Advise(advise::Options),
    /// A against B, interleaved, with an A/A run for the noise floor
    ///
    /// Two selectors (in the ring), two runtimes (in the echo), or two programs: paths of selbench
    /// binaries, of two revisions for instance, or of servers that say `port N` on their first line.
    Compare(Box<compare::Options>),
    /// Several workloads in one run, with a report
    Matrix(matrix::Options),
    /// Whether a new run is worse than an old one
    ///
    /// Errors, lost replies and a backlog first; counts exactly, noise or not; times
    /// when two sessions agree: give two new files.
    Gate {
        /// The old results
        base: String,
        /// The new results, of one session or of several
        #[arg(required = true)]
        new: Vec<String>,
        /// Percent of difference that count
        #[arg(long, value_name = "PERCENT", default_value_t = 3.0)]
        threshold: f64,
    },
    /// Draws any mix of results as one HTML file that needs no network
    Report {
        /// Results in JSON
        #[arg(required = true)]
        results: Vec<String>,
        /// Where the report goes
        #[arg(long, short, value_name = "FILE", default_value = "report.html", value_parser = files::new_file)]
        output: PathBuf,
    },
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(result) = workloads::inner(&words) {
        return match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => ended(&problem, 2),
        };
    }
    let matches = match commands().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are answers, not mistakes.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    match run(&matches) {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Regression) => ExitCode::from(1),
        Ok(Ending::Invalid) => ExitCode::from(2),
        Err(problem) => ended(&problem, 64),
    }
}

fn ended(problem: &str, code: u8) -> ExitCode {
    eprintln!("selbench: {problem}");
    ExitCode::from(code)
}

fn commands() -> clap::Command {
    let about = "Latency of selectors, and of the loops built on them, under load.\n\nEvery figure comes \
                 from a fresh process, in interleaved blocks, and carries its placement and the reasons why \
                 it should not be believed. Exit codes: 0 good, 1 regression, 2 invalid or noisy, 64 usage.";
    let each = workloads::ALL.iter().map(command::command);
    // First, for what is derived brings words of its own.
    Fixed::augment_subcommands(clap::Command::new("selbench").subcommands(each))
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .long_about(None)
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
}

fn run(matches: &clap::ArgMatches) -> Result<Ending, String> {
    let workload =
        matches.subcommand().and_then(|(name, own)| Some((workloads::named(name)?, own)));
    if let Some((workload, own)) = workload {
        let (plan, common) = command::asked(workload, own)?;
        let mut session = begin(&common)?;
        session.measure(&plan);
        return finish(session, &common.files).map(|(_, ending)| ending);
    }
    match Fixed::from_arg_matches(matches).map_err(|error| error.to_string())? {
        Fixed::Env => {
            for (name, value) in &Environment::read().0 {
                println!("{name:20} {value}");
            }
            Ok(Ending::Good)
        }
        Fixed::Selftest(options) => selftest::run(&options),
        Fixed::Advise(options) => advise::run(&options),
        Fixed::Compare(options) => compare::run(&options),
        Fixed::Matrix(options) => matrix::run(&options),
        Fixed::Gate { base, new, threshold } => {
            let (base, new) = (results::read(&base)?, results::read_all(&new)?);
            let (ending, text) = gate::judge(&base, &new, threshold / 100.0)?;
            print!("{text}");
            Ok(ending)
        }
        Fixed::Report { results, output } => {
            let documents = results::read_all(&results)?;
            files::save(&output, &page::draw(&documents, &shown()))?;
            if documents.iter().any(|document| !document.slices.is_empty()) {
                return Ok(Ending::Good);
            }
            eprintln!("no file has a slice: nothing was measured, and the report has no figure");
            Ok(Ending::Invalid)
        }
    }
}

fn begin(common: &Common) -> Result<Session, String> {
    let mut session = Session::begin(common.threshold)?;
    session.budget = Some(Duration::from_secs(common.budget));
    Ok(session)
}

fn finish(session: Session, files: &Files) -> Result<(Document, Ending), String> {
    let document = session.finish();
    print!("{}", table::draw(&document, &shown()));
    files::write(&document, files, &shown())?;
    let any = document.slices.iter().any(Slice::valid);
    Ok((document, if any { Ending::Good } else { Ending::Invalid }))
}

/// What the words of a workload's command line ask for; of programs that start themselves so.
fn asked(words: &str) -> Result<Plan, String> {
    let words = ["selbench"].into_iter().chain(words.split_whitespace());
    let matches = commands().try_get_matches_from(words).map_err(|error| error.to_string())?;
    let (name, own) = matches.subcommand().ok_or("no workload")?;
    let workload = workloads::named(name).ok_or("no workload")?;
    Ok(command::asked(workload, own)?.0)
}
