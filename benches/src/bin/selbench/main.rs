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
use benches::terminal::{self, say, tell};
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
    /// binaries or of servers that say `port N` on their first line, or git revisions, each built
    /// below the target folder.
    Compare(Box<compare::Options>),
    /// Several workloads in one run, with a report
    Matrix(matrix::Options),
    /// Whether a new run is worse than an old one
    ///
    /// Errors, lost replies, a backlog and too little work first; counts exactly, noise or not; times
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
    let (ending, wrong) = match workloads::inner(&words) {
        Some(result) => (result.map(|()| Ending::Good), 2),
        None => match commands().try_get_matches() {
            Ok(matches) => (run(&matches), 64),
            Err(answer) => return terminal::answered(&answer, 64),
        },
    };
    terminal::ended(match ending {
        Ok(Ending::Good) => 0,
        Ok(Ending::Regression) => 1,
        Ok(Ending::Invalid) => 2,
        Err(problem) => {
            tell(format_args!("selbench: {problem}"));
            wrong
        }
    })
}

fn commands() -> clap::Command {
    let about = "Latency of selectors, and of the loops built on them, under load.\n\nEvery figure comes \
                 from a fresh process, in interleaved blocks, and carries its placement and the reasons why \
                 it should not be believed. Exit codes: 0 good, 1 regression, 2 invalid or noisy, 64 usage, \
                 74 something could not be written.";
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
        if command::wants_the_list(own) {
            say(workload.list());
            return Ok(Ending::Good);
        }
        let (plan, common) = command::asked(workload, own)?;
        let mut session = begin(&common)?;
        session.measure(&plan);
        return Ok(finish(session, &common.files).1);
    }
    match Fixed::from_arg_matches(matches).map_err(|error| error.to_string())? {
        Fixed::Env => {
            for (name, value) in &Environment::read().0 {
                say(format_args!("{name:20} {value}"));
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
            say(text.trim_end());
            Ok(ending)
        }
        Fixed::Report { results, output } => {
            let documents = results::read_all(&results)?;
            files::save(&output, Ok(page::draw(&documents, &shown())));
            if documents.iter().any(|document| !document.slices.is_empty()) {
                return Ok(Ending::Good);
            }
            tell("no file has a slice: nothing was measured, and the report has no figure");
            Ok(Ending::Invalid)
        }
    }
}

fn begin(common: &Common) -> Result<Session, String> {
    let mut session = Session::begin(common.threshold)?;
    session.budget = Some(Duration::from_secs(common.budget.get()));
    Ok(session)
}

fn finish(session: Session, files: &Files) -> (Document, Ending) {
    let document = session.finish();
    // First: whoever reads the table may let it wait.
    files::write(&document, files, &shown());
    say(table::draw(&document, &shown()));
    let any = document.slices.iter().any(Slice::valid);
    (document, if any { Ending::Good } else { Ending::Invalid })
}

/// What the words of a workload's command line ask for; of programs that start themselves so.
fn asked(words: &str) -> Result<Plan, String> {
    let words = ["selbench"].into_iter().chain(words.split_whitespace());
    let matches = commands().try_get_matches_from(words).map_err(|error| error.to_string())?;
    let (name, own) = matches.subcommand().ok_or("no workload")?;
    let workload = workloads::named(name).ok_or("no workload")?;
    Ok(command::asked(workload, own)?.0)
}
