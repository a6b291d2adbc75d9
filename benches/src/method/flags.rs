//! Why a row is not to be believed: one code for each reason, as section "honesty" of the guide
//! lists them.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A reason code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The generator can hardly send more than it did: the row may be its own limit.
    Headroom,
    /// A closed loop in which the server had time to rest: something else is the limit.
    NotServerBound,
    /// The generator was late by more than a tenth of what it reports.
    GeneratorLag,
    /// Messages were due that were never sent: the rate was above the capacity.
    Backlog,
    /// Rate times latency is not the number of messages under way.
    Little,
    /// A server that stood still for 100 ms is not seen as the analysis says.
    Canary,
    /// The clock is coarse, slow or goes back.
    Clock,
    /// The hypervisor took more than 0.5 % of the time.
    NoisySteal,
    /// Other processes used more than 3 % of the machine.
    NoisyForeign,
    /// The measuring thread, which never sleeps, was kept waiting for its CPU more than 1 % of the
    /// time.
    NoisyPressure,
    /// The measuring thread lost its CPU to another process more than a hundred times a second.
    NoisySwitches,
    /// The machine's pauses are in the upper percentiles, which are therefore not told.
    Limited,
    /// A reset, a short count, a wrong byte or a wrong order.
    Errors,
    /// Replies that never came.
    Lost,
    /// Files ran out, or the queue of accept was full.
    ResourceWall,
    /// Local ports ran out, or most of them are kept in `TIME_WAIT`.
    Ports,
    /// A curve that cannot be: cheaper with more, or epoll that grows.
    Shape,
    /// The rate that a search found did not hold when it was run again.
    Unconfirmed,
    /// Not an optimised build.
    DebugBuild,
    /// A server that woke up while nothing happened on its connections.
    Restless,
    /// Fewer than 100 samples lie beyond the percentile that is asked for.
    FewSamples,
}

impl Reason {
    /// As in JSON and tables.
    pub fn code(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it is what other processes and the hypervisor did, and no fault of anyone measured.
    pub fn is_noise(self) -> bool {
        use Reason::{DebugBuild, NoisyForeign, NoisyPressure, NoisySteal, NoisySwitches};
        matches!(self, NoisySteal | NoisyForeign | NoisyPressure | NoisySwitches | DebugBuild)
    }

    /// Whether a process that takes the CPU away can cause it.
    pub fn is_about_time(self) -> bool {
        use Reason::{Canary, GeneratorLag, Headroom, Little, Shape, Unconfirmed};
        self.is_noise()
            || matches!(self, Headroom | GeneratorLag | Little | Canary | Shape | Unconfirmed)
    }

    /// Whether it never is more than a label beside the figure.
    pub fn is_label(self) -> bool {
        matches!(self, Self::NotServerBound | Self::Restless | Self::FewSamples | Self::Limited)
    }
}

/// A reason and its figures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Flag {
    /// The code.
    pub reason: Reason,
    /// What was found, in words.
    pub detail: String,
    /// Whether it is a label that belongs beside the figure, and no reason to refuse it.
    #[serde(default)]
    pub label: bool,
}

impl Flag {
    /// One that refuses the row, unless its reason never does.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), label: reason.is_label() }
    }

    /// Whether a row with it is invalid.
    pub fn invalidates(&self) -> bool {
        !self.label
    }
}

/// A flag if `failed`.
pub fn flag_if(failed: bool, reason: Reason, detail: impl FnOnce() -> String) -> Option<Flag> {
    failed.then(|| Flag::new(reason, detail()))
}
