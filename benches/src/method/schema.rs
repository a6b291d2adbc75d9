//! The results as they are kept: JSON v2, one object a slice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Environment, FEWEST_BLOCKS, Flag, Placement, Quiet, Verdict};

/// The name and version of the format; a reader refuses any other.
pub const SCHEMA: &str = "selbench-v2";

/// Ends the name of a subject that is measured a second time, for the noise floor.
pub const AGAIN: char = '\'';

/// What noise does to the figures of a workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// Nothing: they are counted.
    Counted,
    /// It makes their intervals wide: work in one thread, in pairs.
    Paired,
    /// It is in them: times of a client and a server. They are told as far as the machine's pauses
    /// allow.
    #[default]
    Timed,
}

/// One slice to be measured.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Spec {
    /// What is measured.
    pub workload: String,
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
    /// The metrics that verdicts may be about, the best one first; lower is better.
    #[serde(default)]
    pub costs: Vec<String>,
    /// A cost below this is next to nothing: no ratio is taken against it.
    #[serde(default)]
    pub least: f64,
    /// What noise does to it.
    #[serde(default)]
    pub nature: Nature,
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

    /// Gives a parameter.
    pub fn set(&mut self, name: &str, value: f64) {
        self.parameters.insert(name.to_owned(), value);
    }

    /// The subject without the mark that tells the second of an A/A pair from the first.
    pub fn program(&self) -> &str {
        self.subject.trim_end_matches(AGAIN)
    }

    /// A choice; the empty word if it is not given.
    pub fn choice(&self, name: &str) -> &str {
        self.choices.get(name).map_or("", String::as_str)
    }

    /// How long is measured.
    pub fn duration(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.milliseconds.max(1))
    }

    /// What slices must have in common to be compared, in words; everything but the subject.
    pub fn point(&self) -> String {
        let mut words = vec![self.workload.clone()];
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
    /// The percentile that is searched by, of the response, in nanoseconds; messages that were due
    /// and not sent count as longer than any.
    pub response_ns: f64,
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
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
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
        !self.flags.iter().any(Flag::invalidates)
    }

    /// Whether what it counted may be quoted: noise does not change it.
    pub fn counts(&self) -> bool {
        !self.flags.iter().any(|flag| flag.invalidates() && !flag.reason.is_about_time())
    }

    /// A figure that verdicts may be about.
    pub fn cost(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric).copied().filter(|&value| value > 0.0)
    }
}

/// One subject beside another at one point.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// What they have in common.
    pub point: String,
    /// The one that is judged.
    pub subject: String,
    /// The one that it is judged against.
    pub baseline: String,
    /// What is compared: the best of the workload's costs that enough blocks have.
    pub metric: String,
    /// Cost of the subject over cost of the baseline, median over the blocks.
    pub ratio: f64,
    /// Where its 95 % interval begins.
    pub low: f64,
    /// Where its 95 % interval ends.
    pub high: f64,
    /// Blocks in which both were valid.
    pub blocks: usize,
    /// The share that counts: the one asked for, or twice the noise floor.
    pub threshold: f64,
    /// The word.
    pub verdict: Verdict,
}

impl Comparison {
    /// The interval in words, with `dash` between its ends; `n/a` where the blocks are too few to
    /// have one.
    pub fn interval(&self, dash: &str) -> String {
        if self.blocks < FEWEST_BLOCKS {
            return "n/a".to_owned();
        }
        format!("{:.3}{dash}{:.3}", self.low, self.high)
    }

    /// Half the width of the interval of the log ratio: nearly a share, while it is small.
    pub fn half_width(&self) -> f64 {
        (self.high.ln() - self.low.ln()).abs() / 2.0
    }

    /// Whether it says which of the two is better.
    pub fn decides(&self) -> bool {
        matches!(self.verdict, Verdict::Faster | Verdict::Slower)
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
