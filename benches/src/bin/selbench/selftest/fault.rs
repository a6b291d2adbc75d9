//! What can be broken on purpose, and the code that it must be found with.

use benches::method::{Reason, Spec};
use benches::subjects::Wrong;
use clap::ValueEnum;

/// Something that is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Fault {
    /// The generator sleeps 100 ms now and then: generator-lag
    SleepingGenerator,
    /// The generator needs 300 us for each reply: headroom
    SlowGenerator,
    /// The server rests before each reply: not-server-bound
    SleepingServer,
    /// More is offered than such a server can do: backlog
    Flood,
    /// The server swallows messages: errors or lost
    DroppedReply,
    /// The server changes a byte: errors
    WrongByte,
    /// The server resets connections: errors
    Reset,
    /// The service histogram is corrected after the fact: canary
    CorrectedHistogram,
    /// The response is measured from the actual send: canary
    CoordinatedOmission,
    /// Half of each latency is told: little
    HalvedLatency,
    /// The clock goes back: clock
    SteppingClock,
    /// Another process computes beside: noisy-foreign
    NoisyNeighbour,
    /// Files run out: resource-wall
    FewFiles,
    /// Local ports run out, kept by connections in TIME_WAIT: ports
    FewPorts,
    /// epoll is measured under the name of poll, and the other way round: shape
    SwappedSubjects,
}

impl Fault {
    /// The codes one of which it must be found with, as its own words end.
    pub(super) fn codes(self) -> Vec<Reason> {
        let value = self.to_possible_value();
        let words = value.as_ref().and_then(|value| value.get_help()).map(ToString::to_string);
        let codes =
            words.as_deref().and_then(|words| words.rsplit(": ").next()).unwrap_or_default();
        codes.split(" or ").filter_map(|code| Reason::from_str(code, false).ok()).collect()
    }

    /// The same slice with its fault.
    pub(super) fn breaks(self, mut spec: Spec) -> Spec {
        let server = match self {
            Self::SleepingServer | Self::Flood => Some(Wrong::Sleeps),
            Self::DroppedReply => Some(Wrong::Drops),
            Self::WrongByte => Some(Wrong::Alters),
            Self::Reset => Some(Wrong::Resets),
            _ => None,
        };
        match server {
            Some(wrong) => spec.subject = wrong.subject(),
            // The slice knows these by the names that they have on the command line.
            None => {
                let name = self.to_possible_value();
                spec.fault = name.map(|name| name.get_name().to_owned());
            }
        }
        spec
    }
}
