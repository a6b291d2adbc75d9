//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Latency of selectors, and of the loops built on them, under load.
///
/// Every figure comes from a fresh process, in interleaved blocks, and carries its placement and
/// the reasons why it should not be believed. Exit codes: 0 good, 1 regression, 2 invalid or
/// noisy, 64 usage.
#[derive(Parser)]
#[command(name = "selbench", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What the machine and the build are
    Env,
    /// Whether this machine can be trusted, and for what: runs all honesty checks
    Selftest(Selftest),
    /// Pure dispatch: tokens passed round a ring, in one thread
    Ring(Ring),
    /// Who wins where: one wait, over how many are registered and how many are active
    Map(Map),
    /// What it costs to change interests
    Register(Register),
    /// Closed loop against a server: capacity and the cost of a request
    ///
    /// It hides stalls: a client that waits for its reply sends nothing while the server stands
    /// still. Quote latency under load from `load`.
    Echo(Echo),
    /// Open loop against a server: latency at a given rate, from the intended time of sending
    Load(Load),
    #[command(flatten)]
    Asked(crate::loads::Command),
    #[command(flatten)]
    Alone(crate::workloads::Command),
    /// A against B, interleaved, with an A/A run for the noise floor
    ///
    /// Two selectors (in the ring), two runtimes (in the echo), or two programs: paths of selbench
    /// binaries or of servers that say `port N` on their first line, or git revisions, each built
    /// in a worktree below the target folder.
    Compare(Compare),
    /// Several workloads in one run, with a report
    Matrix(Matrix),
    /// Whether a new run is worse than an old one
    ///
    /// Counts are compared exactly. Times only count when two sessions agree: give two new files.
    Gate(Gate),
    /// Draws any mix of results as one HTML file that needs no network
    Report(Report),
    /// Completions for a shell, on standard output
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What all measuring commands understand.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// Subjects, the first one being what the others are compared with; `list` shows them
    #[arg(long, value_delimiter = ',')]
    pub(crate) subjects: Vec<String>,
    /// Interleaved blocks at most, each with one slice of every subject; a point that has five ends
    /// when the answer is clear
    #[arg(long, default_value_t = 20, value_parser = at_least_one)]
    pub(crate) blocks: usize,
    /// Seconds, shared by the points: one whose share is used up ends after five blocks
    #[arg(long, default_value_t = 60)]
    pub(crate) budget: u64,
    /// Milliseconds measured in each slice, after its warm-up
    #[arg(long, default_value_t = 500)]
    pub(crate) ms: u64,
    /// Percent of difference that count
    #[arg(long, default_value_t = 3.0)]
    pub(crate) threshold: f64,
    /// Seed of orders, arrivals and layouts
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Leave out the A/A run, and with it the noise floor
    #[arg(long)]
    pub(crate) no_floor: bool,
    /// Writes the results as JSON (v1)
    #[arg(long, value_name = "FILE", value_parser = new_file)]
    pub(crate) json: Option<PathBuf>,
    /// Writes one line of CSV for each slice
    #[arg(long, value_name = "FILE", value_parser = new_file)]
    pub(crate) csv: Option<PathBuf>,
    /// Writes each pooled histogram as .hgrm text into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) hgrm: Option<PathBuf>,
    /// Writes the report
    #[arg(long, value_name = "FILE", value_parser = new_file)]
    pub(crate) html: Option<PathBuf>,
}

fn at_least_one(blocks: &str) -> Result<usize, String> {
    match blocks.parse() {
        Ok(0) => Err("one block is the least".to_owned()),
        Ok(blocks) => Ok(blocks),
        Err(error) => Err(error.to_string()),
    }
}

/// A file that can be written when all is measured: better refused now than then.
fn new_file(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if path.is_dir() {
        return Err("this is a folder: give the name of a file".to_owned());
    }
    match folder {
        Some(folder) if !folder.is_dir() => Err(format!(
            "there is no folder {}: make it first",
            folder.display()
        )),
        _ => Ok(path),
    }
}

impl Common {
    /// What a program asks of itself: slices of so many milliseconds, and no files.
    pub(crate) fn of(ms: u64) -> Self {
        Self {
            subjects: Vec::new(),
            blocks: 1,
            budget: u64::MAX,
            ms,
            threshold: 3.0,
            seed: 1,
            no_floor: true,
            json: None,
            csv: None,
            hgrm: None,
            html: None,
        }
    }
}

#[derive(Args)]
pub(crate) struct Ring {
    #[command(flatten)]
    pub(crate) common: Common,
    /// How many fds are watched
    #[arg(long, value_delimiter = ',', default_value = "1,8,64,512,4096")]
    pub(crate) registered: Vec<usize>,
    /// How many tokens are under way; more than are registered are left out
    #[arg(long, value_delimiter = ',', default_value = "1")]
    pub(crate) active: Vec<usize>,
    /// Writes in an iteration; 100 for each token if not given
    #[arg(long)]
    pub(crate) writes: Option<usize>,
    /// pipe, socketpair or tcp: they rank backends differently
    #[arg(long, default_value = "socketpair", value_parser = benches::selbench::sockets::TRANSPORTS)]
    pub(crate) transport: String,
    /// Prints what libevent's bench prints: 25 lines, microseconds, for the first of everything
    #[arg(long)]
    pub(crate) compat: bool,
}

#[derive(Args)]
pub(crate) struct Map {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The largest number of fds
    #[arg(long, default_value_t = 4096)]
    pub(crate) most: usize,
    /// pipe, socketpair or tcp
    #[arg(long, default_value = "socketpair", value_parser = benches::selbench::sockets::TRANSPORTS)]
    pub(crate) transport: String,
}

#[derive(Args)]
pub(crate) struct Register {
    #[command(flatten)]
    pub(crate) common: Common,
    /// How many fds are registered meanwhile
    #[arg(long, value_delimiter = ',', default_value = "1,1000")]
    pub(crate) registered: Vec<usize>,
    /// What is done
    #[arg(long, value_delimiter = ',', default_value = "register,modify,toggle-write", value_parser = benches::selbench::register::OPERATIONS)]
    pub(crate) operations: Vec<String>,
    /// pipe, socketpair or tcp
    #[arg(long, default_value = "socketpair", value_parser = benches::selbench::sockets::TRANSPORTS)]
    pub(crate) transport: String,
}

/// What client and server have in common.
#[derive(Args, Clone)]
pub(crate) struct Wire {
    /// Connections that are used
    #[arg(long, value_delimiter = ',', default_value = "50")]
    pub(crate) connections: Vec<usize>,
    /// Connections that are only open
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub(crate) idle: Vec<usize>,
    /// Messages under way on each connection
    #[arg(long, default_value_t = 1)]
    pub(crate) depth: usize,
    /// Bytes in a message
    #[arg(long, value_delimiter = ',', default_value = "64")]
    pub(crate) size: Vec<usize>,
    /// Who runs where: same-cpu, split, split-spin, or spin-spin, whose subjects spin as well
    #[arg(long, value_parser = ["same-cpu", "split", "split-spin", "spin-spin"])]
    pub(crate) placement: Option<String>,
    /// An echo server that runs already; only on the loopback
    #[arg(long, value_name = "127.0.0.1:PORT")]
    pub(crate) server: Option<String>,
}

#[derive(Args)]
pub(crate) struct Echo {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) wire: Wire,
}

#[derive(Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) wire: Wire,
    /// Messages a second; in place of --percent
    #[arg(long, value_delimiter = ',')]
    pub(crate) rates: Vec<f64>,
    /// Percent of the slowest subject's capacity, which is measured first
    #[arg(long, value_delimiter = ',', default_value = "10,50,70,90,110")]
    pub(crate) percent: Vec<f64>,
    /// Random (seeded) instead of even arrivals
    #[arg(long)]
    pub(crate) poisson: bool,
}

#[derive(Args)]
pub(crate) struct Compare {
    /// The one that is judged
    pub(crate) a: String,
    /// The one that it is judged against
    pub(crate) b: String,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Of two programs: which of their subjects is measured, a selector or a runtime
    #[arg(long, default_value = "ours")]
    pub(crate) subject: String,
    /// Watched fds of `ring`, connections of `echo`
    #[arg(long, value_delimiter = ',', default_value = "1,100,1000")]
    pub(crate) sizes: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// Less than 20 seconds: does everything work?
    Smoke,
    /// Less than 2 minutes: the shapes, with a report
    Quick,
    /// About half an hour: figures to quote
    Full,
}

#[derive(Args)]
pub(crate) struct Matrix {
    /// How much
    pub(crate) preset: Preset,
    /// Where the results go: results.json, results.csv and report.html
    #[arg(long, visible_alias = "out", default_value = "selbench-results")]
    pub(crate) folder: PathBuf,
    /// Seed of orders, arrivals and layouts
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Args)]
pub(crate) struct Gate {
    /// The old results
    pub(crate) base: String,
    /// The new results, of one session or of several
    #[arg(required = true)]
    pub(crate) new: Vec<String>,
    /// Percent of difference that count
    #[arg(long, default_value_t = 3.0)]
    pub(crate) threshold: f64,
}

#[derive(Args)]
pub(crate) struct Report {
    /// Results in JSON
    #[arg(required = true)]
    pub(crate) results: Vec<String>,
    /// Where the report goes
    #[arg(long, short, default_value = "report.html", value_parser = new_file)]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Selftest {
    /// Breaks something on purpose: the test must then fail, with the code of the fault
    #[arg(long)]
    pub(crate) fault: Option<crate::selftest::Fault>,
}
