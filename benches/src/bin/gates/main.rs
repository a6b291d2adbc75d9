//! Counts everything that repeats, for a bare loop, the rivals and ours, in one run, and prints it
//! side by side: `cargo run --release -p benches --bin gates`. What is timed is selbench's.

mod baseline;
mod counts;
mod sheet;

use std::path::PathBuf;
use std::process::ExitCode;

use benches::method::{CountingAllocator, Environment, Work, counted};
use benches::subjects::Subject;
use benches::terminal::{self, say, tell};
use benches::{subjects, workloads};
use clap::{CommandFactory, FromArgMatches, Parser};
use counts::{ECHO, FAMILIES, Row, THOUSANDS, rows};
use sheet::Sheet;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Instructions, system calls, allocations and memory of every subject, side by side
#[derive(Parser)]
#[command(name = "gates", max_term_width = 100)]
struct Options {
    /// These rows or families of rows
    #[arg(long, value_name = "ROW,...", value_delimiter = ',', value_parser = row)]
    only: Vec<String>,
    /// These subjects, instead of the usual ones
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = subject)]
    subjects: Vec<Subject>,
    /// Write down where the instructions go, for callgrind_annotate; by source line as well if built
    /// with CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
    #[arg(
        long,
        value_name = "WORK",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "echo",
        value_parser = ["echo", "self-wake", "spawn-join", "far-timer"]
    )]
    profile: Option<String>,
    /// Compare our counts with the baseline; ends with 1 if one got worse
    #[arg(long)]
    check: bool,
    /// Make today's counts the baseline
    #[arg(long)]
    write_baseline: bool,
    /// Another baseline than the repository's, benches/baseline.tsv
    #[arg(
        long,
        value_name = "FILE",
        default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.tsv"),
        hide_default_value = true
    )]
    baseline: PathBuf,
}

fn row(name: &str) -> Result<String, String> {
    let known = rows().any(|(family, row)| family.name == name || row.id == name);
    known.then(|| name.to_owned()).ok_or_else(|| format!("no row is named {name}, see --help"))
}

fn subject(name: &str) -> Result<Subject, String> {
    subjects::named(name).ok_or_else(|| format!("no subject is named {name}, see --help"))
}

impl Options {
    fn gates(&self) -> bool {
        self.check || self.write_baseline
    }

    fn wants(&self, family: &str, row: &Row) -> bool {
        let named = self.only.iter().any(|name| name == family || name == row.id);
        (named || self.only.is_empty()) && (!self.gates() || row.room.is_some())
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let answer = match workloads::inner(&words) {
        Some(answer) => answer.map(|()| true),
        None => {
            let asked = Options::command().after_help(lists()).try_get_matches();
            match asked.and_then(|matches| Options::from_arg_matches(&matches)) {
                Ok(options) => run(options),
                Err(answer) => return terminal::answered(&answer, 2),
            }
        }
    };
    terminal::ended(match answer {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(problem) => {
            tell(format_args!("gates: {problem}"));
            2
        }
    })
}

fn lists() -> String {
    let mut text = "Subjects (* the usual ones):\n".to_owned();
    for subject in subjects::all() {
        let usual = if subject.shown { '*' } else { ' ' };
        text += &format!("  {usual} {:<16} {}\n", subject.name, subject.about);
    }
    text += "\nRows, by family:\n";
    for family in FAMILIES {
        text += &format!("  {}\n", family.name);
        for row in family.rows {
            text += &format!("    {:<26} {}\n", row.id, row.what);
        }
    }
    text
}

/// Does what the command line asks for; false when the gate finds something worse.
fn run(mut options: Options) -> Result<bool, String> {
    let gate = options.gates();
    if options.subjects.is_empty() {
        let usual = |one: &&Subject| one.here() && (one.gated || (!gate && one.shown));
        options.subjects = subjects::all().filter(usual).copied().collect();
    }
    let missing = counted::missing_tools();
    if !missing.is_empty() {
        return Err(format!("nothing can be counted: {}", missing.join("; ")));
    }
    if let Some(work) = &options.profile {
        return profile(&options.subjects, work).map(|()| true);
    }
    let baseline = options.check.then(|| baseline::read(&options)).transpose()?;
    let facts = Environment::read();
    let [kernel, cpu, cpus, profile] =
        ["kernel", "cpu", "cpus", "profile"].map(|one| facts.get(one));
    say(format_args!("Linux {kernel}, {cpu}, {cpus} CPUs, {profile}\n"));
    let mut sheet = Sheet::default();
    for family in FAMILIES {
        let wanted = |row: &Row| options.wants(family.name, row);
        for subject in options.subjects.iter().filter(|_| family.rows.iter().any(wanted)) {
            tell(format_args!("gates: {} of {}", family.name, subject.name));
            let figures = family.count(subject).unwrap_or_else(|problem| {
                tell(format_args!("gates: {}: {problem}", subject.name));
                Vec::new()
            });
            for (row, figure) in family.rows.iter().zip(figures).filter(|one| wanted(one.0)) {
                sheet.0.insert((row.id, subject.name), figure);
            }
        }
    }
    // First: whoever reads the table may let it wait.
    let written = options.write_baseline.then(|| baseline::write(&sheet, &options));
    say(sheet.table(&options.subjects).trim_end());
    if let Some(baseline) = baseline {
        return baseline::check(&sheet, &baseline, &options);
    }
    written.transpose().map(|_| true)
}

/// Leaves a file for each subject that tells where the instructions of a work go, and says who shows it.
fn profile(subjects: &[Subject], work: &str) -> Result<(), String> {
    let alone = FAMILIES.iter().find(|family| family.name == work).map(|family| family.work);
    let (of, lengths) = alone.map_or(ECHO, |work| (work, THOUSANDS));
    for subject in subjects.iter().filter(|one| one.tasks || !matches!(of, Work::Alone(_))) {
        let file = std::env::temp_dir().join(format!("callgrind.out.{work}-{}", subject.name));
        counted::profile(subject.name, of, lengths.long, &file)?;
        say(format_args!("callgrind_annotate {}", file.display()));
    }
    Ok(())
}
