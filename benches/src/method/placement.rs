//! Who runs where: an axis of every figure, for waking another CPU can cost more than the work.

use serde::{Deserialize, Serialize};

use crate::sys;

/// Where the two ends run, and whether they sleep.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Both ends in the measured thread: no scheduler at all.
    #[default]
    OneThread,
    /// Both processes on the first CPU; the rate is the sum of both costs.
    SameCpu,
    /// Server on the first CPU, client on the last; both sleep, so wake-ups are in the figure.
    Split,
    /// The same, and the client spins: it is punctual.
    SplitSpin,
    /// The same, and the server polls with a timeout of zero too: the floor.
    SpinSpin,
}

impl Placement {
    /// Those of a client and a server.
    pub const OF_SERVERS: [Self; 4] = [Self::SameCpu, Self::Split, Self::SplitSpin, Self::SpinSpin];

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneThread => "one-thread",
            Self::SameCpu => "same-cpu",
            Self::Split => "split",
            Self::SplitSpin => "split-spin",
            Self::SpinSpin => "spin-spin",
        }
    }

    /// Looks one up by its name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::OneThread].into_iter().chain(Self::OF_SERVERS);
        all.into_iter().find(|placement| placement.name() == name)
    }

    /// Whether the client waits without sleeping.
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

    /// The CPU of the client.
    pub fn client_cpu(self) -> usize {
        match self {
            Self::SameCpu => 0,
            _ => sys::cpus_online() - 1,
        }
    }

    /// Whether this machine has the CPUs for it.
    pub fn possible(self) -> bool {
        matches!(self, Self::OneThread | Self::SameCpu) || sys::cpus_online() >= 2
    }
}
