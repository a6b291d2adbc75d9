//! Counts of one operation: what a long run counted, less what a short run counted, divided by
//! the operations between them. Starting, connecting and ending are in both runs and cancel.

mod callgrind;
mod locked;
mod strace;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

pub use callgrind::{callgrind, profile};
pub use strace::strace;

use super::{Client, Process, process};

/// By their names.
pub type Counts = BTreeMap<String, f64>;

/// One kind of work, and how to drive it to a given length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Rounds of echoes over so many connections.
    Echo { connections: usize },
    /// Connections one after the other, one echo each.
    Churn,
    /// Something without sockets, by its name on the subject's command line.
    Alone(&'static str),
}

impl Work {
    /// What the subject is called with: its work, and its count for a run of `length`.
    fn words(self, length: u64) -> (&'static str, u64) {
        match self {
            Self::Echo { connections } => ("serve", connections as u64),
            Self::Churn => ("serve", length),
            Self::Alone(name) => (name, length),
        }
    }

    fn operations(self, length: u64) -> u64 {
        match self {
            Self::Echo { connections } => length * connections as u64,
            Self::Churn | Self::Alone(_) => length,
        }
    }

    /// Runs the work once under `wrapper` (or plainly), and returns the facts that it told.
    fn run(self, subject: &str, length: u64, wrapper: Option<Command>) -> Result<Counts, String> {
        let (work, count) = self.words(length);
        let plain = Process::command(work, subject, count)?;
        let mut command = match wrapper {
            Some(mut wrapper) => {
                wrapper.arg(plain.get_program()).args(plain.get_args());
                wrapper
            }
            None => plain,
        };
        process::in_turns(|| {
            if let Self::Alone(_) = self {
                return Process::start(&mut command)?.facts();
            }
            let server = Process::server(&mut command)?;
            self.drive(server.port, length).map_err(|error| format!("client: {error}"))?;
            server.facts()
        })
    }

    fn drive(self, port: u16, length: u64) -> std::io::Result<()> {
        match self {
            Self::Echo { connections } => {
                let mut client = Client::connect(port, connections)?;
                (0..length).try_for_each(|_| client.round())
            }
            Self::Churn => (0..length).try_for_each(|_| Client::connect(port, 1).map(drop)),
            Self::Alone(_) => Ok(()),
        }
    }
}

#[derive(Clone, Copy)]
pub struct Lengths {
    /// Long enough for everything to be warm.
    pub short: u64,
    pub long: u64,
}

impl Lengths {
    /// Calls `count` for both lengths and returns both answers and the operations between them.
    fn of<T>(
        self,
        work: Work,
        mut count: impl FnMut(u64) -> Result<T, String>,
    ) -> Result<(T, T, f64), String> {
        let operations = work.operations(self.long) - work.operations(self.short);
        Ok((count(self.short)?, count(self.long)?, operations as f64))
    }
}

pub fn allocations(subject: &str, work: Work, lengths: Lengths) -> Result<f64, String> {
    let (short, long, operations) = lengths.of(work, |length| {
        let facts = work.run(subject, length, None)?;
        facts.get("allocations").copied().ok_or_else(|| "no count of allocations".to_owned())
    })?;
    Ok((long - short) / operations)
}

/// What a tool writes into a file while `run` runs it with that file's path; the file is removed.
fn written(tool: &str, run: impl FnOnce(&Path) -> Result<(), String>) -> Result<String, String> {
    let path = std::env::temp_dir().join(format!("gates-{}-{tool}", std::process::id()));
    run(&path)?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{tool}: {error}"));
    // What is left behind lies in the folder for temporary files.
    let _ = std::fs::remove_file(&path);
    text
}

pub fn missing_tools() -> Vec<String> {
    [("valgrind", "valgrind"), ("strace", "strace"), ("objdump", "binutils")]
        .into_iter()
        .filter(|(tool, _)| Command::new(tool).arg("--version").output().is_err())
        .map(|(tool, package)| format!("{tool} is missing: apt-get install {package}"))
        .collect()
}
