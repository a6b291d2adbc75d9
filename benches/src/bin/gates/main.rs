//! Measures every number that the project set itself, for a bare loop, the rivals and ours, in
//! one run, and prints them side by side: `cargo run --release -p benches --bin gates`.

mod baseline;
mod measure;
mod rows;
mod sheet;

use std::path::PathBuf;
use std::process::ExitCode;

use benches::method::allocations::CountingAllocator;
use benches::method::counted;
use benches::method::environment::Environment;
use benches::subjects::subject::Subject;
use benches::{subjects, sys, workloads};
use clap::{CommandFactory, Parser};
use rows::Row;
use sheet::Sheet;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Every number that the project set itself, measured side by side
#[derive(Parser)]
#[command(name = "gates", max_term_width = 100)]
struct Options {
    /// Shorter runs, fewer of them
    #[arg(long)]
    quick: bool,
    /// These rows or families of rows
    #[arg(long, value_delimiter = ',', value_parser = row)]
    only: Vec<String>,
    /// These subjects, instead of the usual ones
    #[arg(long, value_delimiter = ',', value_parser = subject)]
    subjects: Vec<Subject>,
    /// Where the instructions of an operation go, by function; by source line as well if built with
    /// CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "echo",
        value_parser = ["echo", "self-wake", "spawn-join", "far-timer"]
    )]
    profile: Option<String>,
    /// Compare our deterministic counts with the baseline; ends with 1 if one got worse
    #[arg(long)]
    check: bool,
    /// Make today's counts the baseline
    #[arg(long)]
    write_baseline: bool,
    /// Another baseline
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.tsv"))]
    baseline: PathBuf,
}

fn row(name: &str) -> Result<String, String> {
    let known = rows::all().any(|(family, row)| family.name == name || row.id == name);
    known
        .then(|| name.to_owned())
        .ok_or_else(|| format!("no row is named {name}, see --help"))
}

fn subject(name: &str) -> Result<Subject, String> {
    subjects::named(name).ok_or_else(|| format!("no subject is named {name}, see --help"))
}

impl Options {
    fn gates(&self) -> bool {
        self.check || self.write_baseline
    }

    /// Whether nothing but counts by the tools is asked for.
    fn counts_only(&self) -> bool {
        self.gates() || self.profile.is_some()
    }

    /// Whether this row is to be measured.
    fn wants(&self, family: &str, row: &Row) -> bool {
        let named = self.only.is_empty()
            || self
                .only
                .iter()
                .any(|name| name == family || name == row.id);
        named && (!self.gates() || row.slack.is_some())
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Err(error) = sys::raise_open_files() {
        eprintln!("gates: the limit of open files stays where it is: {error}");
    }
    let answer = match workloads::inner(&words) {
        Some(answer) => answer.map(|()| true),
        None => match Options::command().after_help(lists()).try_get_matches() {
            Ok(matches) => clap::FromArgMatches::from_arg_matches(&matches)
                .map_err(|error: clap::Error| error.to_string())
                .and_then(run),
            Err(error) => {
                let _ = error.print();
                return if error.use_stderr() {
                    ExitCode::from(2)
                } else {
                    ExitCode::SUCCESS
                };
            }
        },
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

/// The subjects and the rows, for the help.
fn lists() -> String {
    let mut text = "Subjects (* the usual ones):\n".to_owned();
    for subject in subjects::all() {
        let usual = if subject.shown { '*' } else { ' ' };
        text += &format!("  {usual} {:<16} {}\n", subject.name, subject.about);
    }
    text += "\nRows, by family:\n";
    for family in rows::FAMILIES {
        text += &format!("  {}\n", family.name);
        for row in family.rows {
            text += &format!("    {:<26} {} [{}]\n", row.id, row.what, row.unit);
        }
    }
    text
}

/// Does what the command line asks for; false when the gate finds something worse.
fn run(mut options: Options) -> Result<bool, String> {
    let gate = options.gates();
    if options.subjects.is_empty() {
        let usual = |one: &&Subject| one.gated || (!gate && one.shown && one.here());
        options.subjects = subjects::all().filter(usual).copied().collect();
    }
    let missing = counted::missing_tools();
    for tool in &missing {
        eprintln!("gates: {tool}");
    }
    if !missing.is_empty() && options.counts_only() {
        return Err("the counts cannot be taken without these tools".to_owned());
    }
    if let Some(work) = options.profile.clone() {
        let work = ["echo", "self-wake", "spawn-join", "far-timer"]
            .into_iter()
            .find(|one| *one == work);
        return measure::profile(&options, work.unwrap_or("echo")).map(|()| true);
    }
    let baseline = options
        .check
        .then(|| baseline::read(&options))
        .transpose()?;
    let facts = Environment::read();
    let [kernel, cpu, cpus, load, profile] =
        ["kernel", "cpu", "cpus", "load", "profile"].map(|name| facts.get(name));
    println!("Linux {kernel}, {cpu}, {cpus} CPUs, load {load}, {profile}\n");
    let mut sheet = Sheet::default();
    for family in rows::FAMILIES {
        if family
            .rows
            .iter()
            .any(|row| options.wants(family.name, row))
        {
            (family.measure)(&options, family, &mut sheet);
        }
    }
    // Some rows were measured only because their family was.
    sheet.keep_only(|family, row| options.wants(family.name, row));
    print!("{}", sheet.table(&options.subjects));
    if let Some(baseline) = baseline {
        return baseline::check(&sheet, &baseline, &options);
    }
    if options.write_baseline {
        baseline::write(&sheet, &options)?;
    }
    Ok(true)
}
