//! What the checks mean together: whether this machine can be trusted, and for what, in words.

use benches::selbench::checks::{Flag, Reason};

/// What one check found.
pub(super) struct Found {
    /// What is wrong; noise is not among it.
    pub(super) flags: Vec<Flag>,
    /// What else the machine did meanwhile.
    pub(super) noise: Vec<Flag>,
    /// Its figures.
    pub(super) words: String,
}

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Status {
    /// As it should.
    Good,
    /// Not as it should, but the machine was too busy to say whose fault it is.
    Busy,
    /// Not as it should on a quiet machine, or in a way that no noise explains.
    Failed,
}

impl Status {
    /// At the beginning of a line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "ok  ",
            Self::Busy => "busy",
            Self::Failed => "FAIL",
        }
    }
}

impl Found {
    /// From all flags of a slice.
    pub(super) fn of(flags: &[Flag], words: String) -> Self {
        let (noise, real) = flags
            .iter()
            .cloned()
            .partition(|flag| is_noise(flag.reason));
        Self {
            flags: real,
            noise,
            words,
        }
    }

    /// What is wrong enough to say so: labels are not.
    pub(super) fn wrong(&self) -> impl Iterator<Item = &Flag> {
        self.flags.iter().filter(|flag| flag.reason.invalidates())
    }

    /// How it ended.
    pub(super) fn status(&self) -> Status {
        let disturbed = self
            .noise
            .iter()
            .any(|flag| flag.reason != Reason::DebugBuild);
        let ended = |flag: &Flag| {
            if disturbed && is_about_time(flag.reason) {
                Status::Busy
            } else {
                Status::Failed
            }
        };
        self.wrong().map(ended).max().unwrap_or(Status::Good)
    }
}

fn is_noise(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NoisySteal
            | Reason::NoisyForeign
            | Reason::NoisyPressure
            | Reason::NoisySwitches
            | Reason::DebugBuild
    )
}

/// Whether another process that takes the CPU away can cause it.
fn is_about_time(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Headroom
            | Reason::GeneratorLag
            | Reason::Backlog
            | Reason::Little
            | Reason::Canary
            | Reason::Shape
            | Reason::Lost
    )
}

/// The verdict of all checks: `worst` is how the worst ended, `noise` one flag of each kind.
pub(super) fn words(worst: Status, noise: &[Flag]) -> String {
    let kinds: Vec<&str> = noise.iter().map(|flag| flag.reason.code()).collect();
    let kinds = kinds.join(", ");
    let debug = noise.iter().any(|flag| flag.reason == Reason::DebugBuild);
    let quiet = noise.is_empty();
    let mut words = match (worst, quiet) {
        (Status::Good, true) => {
            "The method works and the machine is quiet: it can be trusted for everything."
                .to_owned()
        }
        (Status::Good, false) => {
            format!("The method works, but the machine was not quiet ({kinds}).")
        }
        (Status::Busy, _) => format!(
            "The machine was too busy to tell ({kinds}): what failed can be its neighbours' fault. \
             Ask again when they are gone."
        ),
        (Status::Failed, _) => {
            "A check failed that no noise explains: something is wrong with this machine or with \
             the tool."
                .to_owned()
        }
    };
    let one_thread = match (worst, quiet) {
        (Status::Failed, _) => "not before the check passes",
        (_, true) => "yes",
        _ => "yes, paired and with their intervals: noise only makes the intervals wide",
    };
    let latencies = match (worst, quiet) {
        (Status::Failed, _) => "no",
        (Status::Busy, _) => "no: the neighbours' work would be in them",
        (Status::Good, true) => "yes",
        (Status::Good, false) => "only of slices without a flag; the others are marked invalid",
    };
    let counts = match worst {
        Status::Failed => "only those that the failed check has nothing to do with",
        _ => "yes, exactly: noise does not change them",
    };
    words += &format!(
        "\n  counts (system calls, allocations):           {counts}\
         \n  ratios of work in one thread (ring, map, ...): {one_thread}\
         \n  latencies of a client and a server:           {latencies}"
    );
    if debug {
        words += "\n  absolute times:                               no: this is a debug build";
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(reason: Reason) -> Flag {
        Flag {
            reason,
            detail: String::new(),
        }
    }

    fn status(reasons: &[Reason]) -> Status {
        let flags: Vec<Flag> = reasons.iter().copied().map(flag).collect();
        Found::of(&flags, String::new()).status()
    }

    #[test]
    fn noise_excuses_lateness_and_nothing_else() {
        assert_eq!(status(&[]), Status::Good);
        assert_eq!(status(&[Reason::NoisyForeign]), Status::Good);
        assert_eq!(status(&[Reason::NotServerBound]), Status::Good);
        assert_eq!(status(&[Reason::GeneratorLag]), Status::Failed);
        let late = [Reason::GeneratorLag, Reason::NoisyForeign];
        assert_eq!(status(&late), Status::Busy);
        let wrong = [Reason::Errors, Reason::NoisyForeign];
        assert_eq!(status(&wrong), Status::Failed);
        let debug = [Reason::GeneratorLag, Reason::DebugBuild];
        assert_eq!(status(&debug), Status::Failed, "a debug build is no noise");
    }

    #[test]
    fn a_noisy_machine_is_told_what_it_is_still_good_for() {
        let noisy = words(Status::Good, &[flag(Reason::NoisySteal)]);
        assert!(noisy.contains("noisy-steal"), "{noisy}");
        assert!(noisy.contains("yes, exactly"), "{noisy}");
        assert!(noisy.contains("yes, paired"), "{noisy}");
        let busy = words(Status::Busy, &[flag(Reason::NoisySteal)]);
        assert!(
            busy.contains("too busy") && busy.contains("yes, exactly"),
            "{busy}"
        );
        let failed = words(Status::Failed, &[]);
        assert!(!failed.contains("yes"), "{failed}");
        assert!(words(Status::Good, &[]).contains("everything"));
    }
}
