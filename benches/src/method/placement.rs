//! Who runs where: an axis of every figure, for waking another CPU can cost more than the work.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::sys;

/// Where the two ends run, and whether they sleep.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Both ends in the measured thread: no scheduler at all.
    #[default]
    OneThread,
    /// Both processes on the first CPU; the rate is the sum of both costs.
    SameCpu,
    /// Server on the first CPU, client on the last; both sleep, so wake-ups are in the figure.
    Split,
    /// Server on the first CPU; the client spins on the last, and is punctual.
    SplitSpin,
    /// Both spin, each on its own: the server too asks with a timeout of zero: the floor.
    SpinSpin,
}

impl Placement {
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub fn client_spins(self) -> bool {
        matches!(self, Self::SplitSpin | Self::SpinSpin)
    }

    /// The CPU of the server, and of work in one thread.
    ///
    /// The first one, but for work in one thread the last: the first CPU usually serves the
    /// interrupts.
    pub fn server_cpu(self) -> usize {
        match self {
            Self::OneThread => sys::cpus_online() - 1,
            _ => 0,
        }
    }

    pub fn client_cpu(self) -> usize {
        match self {
            Self::SameCpu => 0,
            _ => sys::cpus_online() - 1,
        }
    }

    pub fn possible(self) -> bool {
        matches!(self, Self::OneThread | Self::SameCpu) || sys::cpus_online() >= 2
    }
}
