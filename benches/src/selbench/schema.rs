//! The results as they are kept: JSON v1, one object a slice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checks::Flag;
use super::environment::Environment;
use super::placement::Placement;
use super::quiet::Quiet;
use super::statistics::Comparison;

/// The name and version of the format; a reader refuses any other.
pub const SCHEMA: &str = "selbench-v1";

/// Ends the name of a subject that is measured a second time, for the noise floor.
pub const AGAIN: char = '\'';

/// What a slice measures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Tokens passed round a ring of pipes or sockets, in one thread.
    Ring,
    /// One wait, over how many are registered and how many of them are active.
    Map,
    /// Changes of interest.
    Register,
    /// A closed loop against a server: as fast as the replies come.
    Echo,
    /// An open loop against a server: at a given rate, whatever the replies do.
    Load,
    /// The highest rate at which an open loop meets a goal.
    Capacity,
    /// Small messages beside a bulk stream.
    Fair,
    /// More than the server can do for a while, then less again.
    Overload,
    /// From task to task, within the executor.
    Switch,
    /// Many timers: insertion, reset, cancellation, expiry.
    Storm,
    /// How late a sleep ends.
    Overshoot,
    /// Wakes from other threads and from the loop's own.
    Wake,
    /// Connections that come and go.
    Churn,
    /// Connections on which nothing happens.
    Idle,
    /// Registration of many fds with a timer each, and a byte that runs through all.
    Cascade,
}

impl Workload {
    /// Whether a client and a server are in it.
    pub fn serves(self) -> bool {
        matches!(
            self,
            Self::Echo | Self::Load | Self::Capacity | Self::Fair | Self::Overload | Self::Churn
        )
    }

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Map => "map",
            Self::Register => "register",
            Self::Echo => "echo",
            Self::Load => "load",
            Self::Capacity => "capacity",
            Self::Fair => "fair",
            Self::Overload => "overload",
            Self::Switch => "switch",
            Self::Storm => "storm",
            Self::Overshoot => "overshoot",
            Self::Wake => "wake",
            Self::Churn => "churn",
            Self::Idle => "idle",
            Self::Cascade => "cascade",
        }
    }

    /// The metric that its verdicts are about: lower is better.
    pub fn metric(self) -> &'static str {
        match self {
            Self::Ring => "ns_per_event",
            Self::Map => "ns_per_turn",
            Self::Register => "ns_per_operation",
            Self::Echo => "ns_per_request",
            Self::Load | Self::Fair => "response_p99_ns",
            Self::Capacity => "ns_per_message",
            Self::Overload => "recover_ms",
            Self::Switch => "ns_per_switch",
            Self::Storm => "ns_per_operation",
            Self::Overshoot => "overshoot_median_ns",
            Self::Wake => "wake_median_ns",
            Self::Churn => "ns_per_connection",
            Self::Idle => "rss_bytes_per_connection",
            Self::Cascade => "total_us",
        }
    }
}

/// One slice to be measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// What is measured.
    pub workload: Workload,
    /// What it is measured on.
    pub subject: String,
    /// The subject that it is compared with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub baseline: String,
    /// Who runs where.
    pub placement: Placement,
    /// Numbers by name: `registered`, `active`, `connections`, `rate` and so on.
    pub parameters: BTreeMap<String, f64>,
    /// Words by name: `transport`, `operation`, `arrivals`.
    pub choices: BTreeMap<String, String>,
    /// How long is measured, in milliseconds, after the warm-up.
    pub milliseconds: u64,
    /// Which block of the interleaving this belongs to.
    pub block: usize,
    /// For arrivals and the layout of memory.
    pub seed: u64,
    /// A server that runs already, `127.0.0.1:port`, instead of a subject of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// A program that is a server, in place of a subject of ours: its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_program: Option<String>,
    /// Something that is broken on purpose, to see that a check finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Spec {
    /// A parameter; zero if it is not given.
    pub fn number(&self, name: &str) -> f64 {
        self.parameters.get(name).copied().unwrap_or(0.0)
    }

    /// A parameter that counts things.
    pub fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }

    /// The subject without the mark that tells the second of an A/A pair from the first.
    pub fn program(&self) -> &str {
        self.subject.trim_end_matches(AGAIN)
    }

    /// A choice; the empty word if it is not given.
    pub fn choice(&self, name: &str) -> &str {
        self.choices.get(name).map_or("", String::as_str)
    }

    /// What slices must have in common to be compared, in words; everything but the subject.
    pub fn point(&self) -> String {
        let mut words = vec![self.workload.name().to_owned()];
        words.extend(self.choices.values().cloned());
        let number = |(name, value): (&String, &f64)| format!("{name}={value}");
        words.extend(self.parameters.iter().map(number));
        words.push(self.placement.name().to_owned());
        words.join(" ")
    }
}

/// One cell of a map: what a turn costs when so many of so many are active.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// How many are registered.
    pub registered: usize,
    /// How many of them are ready.
    pub active: usize,
    /// The median turn.
    pub ns_per_turn: f64,
}

/// One rate that a search for the capacity tried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Probe {
    /// Messages a second.
    pub rate: f64,
    /// 99th percentile of the response, in nanoseconds; messages that were due and not sent count
    /// as longer than any.
    pub p99_ns: f64,
    /// Whether the goal was met.
    pub met: bool,
    /// Whether this was a confirmation of what the search had found.
    pub confirmation: bool,
}

/// 100 ms of a slice.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// Milliseconds since the measurement began.
    pub at_ms: u64,
    /// Replies in it.
    pub count: u64,
    /// Median response, in nanoseconds.
    pub p50_ns: u64,
    /// 99th percentile of the response, in nanoseconds.
    pub p99_ns: u64,
    /// The longest response, in nanoseconds.
    pub max_ns: u64,
    /// Share of the machine's time that the hypervisor gave to others, in percent.
    pub steal_percent: f64,
}

/// What one slice measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Slice {
    /// What was asked for.
    pub spec: Spec,
    /// Figures by name; the unit is in the name.
    pub metrics: BTreeMap<String, f64>,
    /// HdrHistogram V2, compressed, in base64, values in nanoseconds: `response`, `service`, `lag`.
    #[serde(default)]
    pub histograms: BTreeMap<String, String>,
    /// Per 100 ms.
    #[serde(default)]
    pub timeline: Vec<Window>,
    /// Of a map.
    #[serde(default)]
    pub cells: Vec<Cell>,
    /// Of a search for the capacity, in the order in which they ran.
    #[serde(default)]
    pub probes: Vec<Probe>,
    /// System calls for each operation, by name.
    #[serde(default)]
    pub system_calls: BTreeMap<String, f64>,
    /// What else the machine did.
    pub quiet: Quiet,
    /// Why it is not to be believed, or what it is limited by.
    pub flags: Vec<Flag>,
}

impl Slice {
    /// Whether its figures may be quoted.
    pub fn valid(&self) -> bool {
        !self.flags.iter().any(|flag| flag.reason.invalidates())
    }

    /// The figure that verdicts are about.
    pub fn cost(&self) -> Option<f64> {
        let value = self.metrics.get(self.spec.workload.metric()).copied()?;
        (value > 0.0).then_some(value)
    }
}

/// A run: everything that `report`, `gate` and other programs read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: String,
    /// The command line.
    pub arguments: Vec<String>,
    /// Seconds since 1970, when it began.
    pub began: u64,
    /// The machine and the build.
    pub environment: Environment,
    /// All slices in the order in which they ran.
    pub slices: Vec<Slice>,
    /// What the slices say about each other.
    pub comparisons: Vec<Comparison>,
    /// Half the width of the A/A interval of the log ratio, if one was measured.
    pub noise_floor: Option<f64>,
    /// Whether it was interrupted, or out of time, so that blocks are missing.
    pub interrupted: bool,
}

impl Document {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// In words, with what to do about it: no such file, an empty one, one that is no JSON or no
    /// result, one of another version.
    pub fn read(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        Self::parse(&text).map_err(|problem| format!("{path} {problem}"))
    }

    /// What a file says; an error continues a sentence that begins with the name of the file.
    fn parse(text: &str) -> Result<Self, String> {
        const WRITE: &str = "results are written by --json FILE, and by matrix as results.json";
        /// All that is known of files of other versions.
        #[derive(Deserialize)]
        struct Any {
            schema: String,
        }
        if text.trim().is_empty() {
            return Err(
                "is empty: the run that should have written it did not end; run it again"
                    .to_owned(),
            );
        }
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| format!("is not JSON, or cut short ({error}); {WRITE}"))?;
        let Ok(Any { schema }) = Any::deserialize(&value) else {
            return Err(format!("is JSON, but no result of selbench; {WRITE}"));
        };
        if schema != SCHEMA {
            return Err(format!(
                "is of the version {schema}, and this program reads {SCHEMA}: measure again, or \
                 read it with the program that wrote it"
            ));
        }
        serde_json::from_value(value).map_err(|error| {
            format!(
                "is {SCHEMA}, but not as this program knows it ({error}): it was changed, or a \
                 newer program wrote it; measure again, or read it with the program that wrote it"
            )
        })
    }
}

/// Why a file cannot be read, and what may have been meant.
fn unreadable(path: &str, error: &std::io::Error) -> String {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => "; is the name right?",
        std::io::ErrorKind::IsADirectory => ": give the file in it, such as results.json",
        std::io::ErrorKind::InvalidData => ": results are text, in JSON",
        _ => "",
    };
    format!("{path} cannot be read: {error}{hint}")
}
