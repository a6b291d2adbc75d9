//! Why a row is not to be believed: one code for each reason, as section "honesty" of the guide
//! lists them.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    Headroom,
    NotServerBound,
    GeneratorLag,
    Backlog,
    Little,
    Canary,
    Clock,
    NoisySteal,
    NoisyForeign,
    NoisyPressure,
    NoisySwitches,
    Limited,
    Errors,
    Lost,
    ResourceWall,
    Ports,
    Shape,
    Unconfirmed,
    DebugBuild,
    Restless,
    FewSamples,
}

impl Reason {
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

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Flag {
    pub reason: Reason,
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

    pub fn invalidates(&self) -> bool {
        !self.label
    }
}

pub fn flag_if(failed: bool, reason: Reason, detail: impl FnOnce() -> String) -> Option<Flag> {
    failed.then(|| Flag::new(reason, detail()))
}
