//! The results as they are kept: JSON v3, one object a slice. RESULTS.md says what each field is, and
//! a test holds both together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Environment, FEWEST_BLOCKS, Flag, Placement, Quiet, Reason, Verdict};

/// The name and version of the format; a reader refuses any other.
pub const SCHEMA: &str = "selbench-v3";

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

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Spec {
    pub workload: String,
    pub subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub baseline: String,
    pub placement: Placement,
    pub parameters: BTreeMap<String, f64>,
    pub choices: BTreeMap<String, String>,
    pub milliseconds: u64,
    pub block: usize,
    pub seed: u64,
    #[serde(default)]
    pub costs: Vec<String>,
    #[serde(default)]
    pub least: f64,
    #[serde(default)]
    pub nature: Nature,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_program: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Spec {
    pub fn number(&self, name: &str) -> f64 {
        self.parameters.get(name).copied().unwrap_or(0.0)
    }

    pub fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }

    pub fn set(&mut self, name: &str, value: f64) {
        self.parameters.insert(name.to_owned(), value);
    }

    /// The subject without the mark that tells the second of an A/A pair from the first.
    pub fn program(&self) -> &str {
        self.subject.trim_end_matches(AGAIN)
    }

    pub fn choice(&self, name: &str) -> &str {
        self.choices.get(name).map_or("", String::as_str)
    }

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
    pub registered: usize,
    pub active: usize,
    pub ns_per_turn: f64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Probe {
    pub rate: f64,
    /// The percentile that is searched by, of the response, in nanoseconds; messages that were due
    /// and not sent count as longer than any.
    pub response_ns: f64,
    pub met: bool,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Slice {
    pub spec: Spec,
    pub metrics: BTreeMap<String, f64>,
    #[serde(default)]
    pub histograms: BTreeMap<String, String>,
    #[serde(default)]
    pub cells: Vec<Cell>,
    #[serde(default)]
    pub probes: Vec<Probe>,
    #[serde(default)]
    pub system_calls: BTreeMap<String, f64>,
    pub quiet: Quiet,
    /// What the machine did, if the workload watched it closer than its caller can.
    #[serde(skip)]
    pub watched: Option<Quiet>,
    pub flags: Vec<Flag>,
}

impl Slice {
    /// One that could not be measured, with its reason.
    pub fn failed(spec: Spec, problem: String) -> Self {
        Self { spec, flags: vec![Flag::new(Reason::Errors, problem)], ..Self::default() }
    }

    pub fn valid(&self) -> bool {
        !self.flags.iter().any(Flag::invalidates)
    }

    /// Whether what it counted may be quoted: noise does not change it.
    pub fn counts(&self) -> bool {
        !self.flags.iter().any(|flag| flag.invalidates() && !flag.reason.is_about_time())
    }

    pub fn cost(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric).copied().filter(|&value| value > 0.0)
    }
}

/// One subject beside another at one point.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    pub point: String,
    pub subject: String,
    pub baseline: String,
    pub metric: String,
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
    pub blocks: usize,
    pub threshold: f64,
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

    pub fn decides(&self) -> bool {
        matches!(self.verdict, Verdict::Faster | Verdict::Slower)
    }
}

/// A run: everything that `report`, `gate` and other programs read.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Document {
    pub schema: String,
    pub arguments: Vec<String>,
    pub began: u64,
    pub environment: Environment,
    pub slices: Vec<Slice>,
    pub comparisons: Vec<Comparison>,
    pub noise_floor: Option<f64>,
    pub interrupted: bool,
    #[serde(default)]
    pub out_of_time: bool,
}
