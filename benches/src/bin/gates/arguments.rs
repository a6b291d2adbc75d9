//! The command line.

use std::path::PathBuf;

use benches::subject::Subject;
use benches::subjects;

use crate::rows::{self, Row};

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Measure and print.
    Print,
    /// Measure what is deterministic of ours and compare it with the baseline.
    Check,
    /// Measure what is deterministic of ours and write it down as the baseline.
    WriteBaseline,
    /// Print where the instructions of an operation go.
    Profile(Operation),
    /// Print how to use this.
    Help,
}

/// What can be profiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// An echo over 64 connections.
    Echo,
    /// A work without sockets, by its name.
    Alone(&'static str),
}

impl Operation {
    fn named(name: &str) -> Result<Self, String> {
        if name == "echo" {
            return Ok(Self::Echo);
        }
        let works = ["self-wake", "spawn-join", "far-timer"];
        let work = works.into_iter().find(|&work| work == name);
        work.map(Self::Alone)
            .ok_or_else(|| format!("{name} cannot be profiled, see --help"))
    }
}

/// The command line, read.
pub(crate) struct Arguments {
    /// What to do.
    pub(crate) task: Task,
    /// Shorter runs and fewer of them.
    pub(crate) quick: bool,
    /// Who is measured.
    pub(crate) subjects: Vec<Subject>,
    /// Rows or families by name; all if none is named.
    only: Vec<String>,
    /// Where the baseline lies.
    pub(crate) baseline: PathBuf,
}

impl Arguments {
    /// Reads the command line of this process.
    pub(crate) fn parse() -> Result<Self, String> {
        let mut arguments = Self {
            task: Task::Print,
            quick: false,
            subjects: Vec::new(),
            only: Vec::new(),
            baseline: concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.tsv").into(),
        };
        arguments
            .read(lexopt::Parser::from_env())
            .map_err(|error| error.to_string())?;
        arguments.check()?;
        Ok(arguments)
    }

    fn read(&mut self, mut parser: lexopt::Parser) -> Result<(), lexopt::Error> {
        use lexopt::prelude::*;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("quick") => self.quick = true,
                Long("check") => self.task = Task::Check,
                Long("write-baseline") => self.task = Task::WriteBaseline,
                Long("profile") => {
                    let name = match parser.optional_value() {
                        Some(name) => name.string()?,
                        None => "echo".to_owned(),
                    };
                    self.task = Task::Profile(Operation::named(&name)?);
                }
                Long("baseline") => self.baseline = parser.value()?.into(),
                Long("only") => self.only.extend(names(&parser.value()?.string()?)),
                Long("subjects") => {
                    for name in names(&parser.value()?.string()?) {
                        let unknown = format!("no subject is named {name}, see --help");
                        self.subjects.push(Subject::named(&name).ok_or(unknown)?);
                    }
                }
                Short('h') | Long("help") => self.task = Task::Help,
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), String> {
        for name in &self.only {
            if !rows::all().any(|(family, row)| family.name == name || row.id == name) {
                return Err(format!("no row is named {name}, see --help"));
            }
        }
        if self.subjects.is_empty() {
            let gate = self.gates();
            let wanted = |subject: &&Subject| if gate { subject.gated } else { subject.shown };
            self.subjects = subjects::all().iter().filter(wanted).copied().collect();
        }
        Ok(())
    }

    fn gates(&self) -> bool {
        matches!(self.task, Task::Check | Task::WriteBaseline)
    }

    /// Whether nothing but counts by the tools is asked for.
    pub(crate) fn counts_only(&self) -> bool {
        self.gates() || matches!(self.task, Task::Profile(_))
    }

    /// Whether the row of this name is to be measured.
    pub(crate) fn wants_row(&self, id: &str) -> bool {
        rows::all().any(|(family, row)| row.id == id && self.wants(family.name, row))
    }

    /// Whether this row is to be measured.
    pub(crate) fn wants(&self, family: &str, row: &Row) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|n| n == family || n == row.id);
        named && (!self.gates() || row.slack.is_some())
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// How to use this program.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "gates: every number that the project set itself, measured side by side\n\n\
         \x20 --quick             shorter runs, fewer of them\n\
         \x20 --only ROW,...      these rows or families of rows\n\
         \x20 --subjects NAME,... these subjects, instead of the usual ones (*)\n\
         \x20 --profile[=WORK]    where the instructions of an echo go, by function, or of\n\
         \x20                     self-wake, spawn-join or far-timer; by source line as well if\n\
         \x20                     built with CARGO_PROFILE_RELEASE_DEBUG=line-tables-only\n\
         \x20 --check             compare our deterministic counts with the baseline;\n\
         \x20                     ends with 1 if one got worse\n\
         \x20 --write-baseline    make today's counts the baseline\n\
         \x20 --baseline FILE     another baseline\n\n\
         subjects\n",
    );
    for subject in subjects::all() {
        let usual = if subject.shown { '*' } else { ' ' };
        text += &format!("  {usual} {:<16} {}\n", subject.name, subject.about);
    }
    text += "\nrows, by family\n";
    for family in rows::FAMILIES {
        text += &format!("  {}\n", family.name);
        for row in family.rows {
            text += &format!("    {:<26} {} [{}]\n", row.id, row.what, row.unit);
        }
    }
    text
}
