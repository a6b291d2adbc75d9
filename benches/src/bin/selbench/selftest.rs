//! Whether this machine can be trusted, and for what: every honesty check, run once.

mod clock;
mod fault;
mod trial;

use crate::Ending;
use benches::method::{Flag, Reason, checks};
use benches::sys;
use benches::terminal::say;
use clap::Args;

use self::fault::Fault;
use self::trial::Found;

#[derive(Args)]
pub(crate) struct Options {
    /// Breaks something on purpose: the test must then fail, with the code of the fault
    #[arg(long)]
    fault: Option<Fault>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Status {
    Good,
    /// Not as it should, but the machine was too busy to say whose fault it is.
    Busy,
    /// Not as it should on a quiet machine, or in a way that no noise explains.
    Failed,
}

/// Runs all checks and says in words what they mean; with a fault, only those that must find it.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let mut worst = Status::Good;
    let mut noise: Vec<Flag> = Vec::new();
    let mut share = 0.0_f64;
    if sys::cpus_online() < 2 {
        say("     one CPU: only one-thread and same-cpu are possible");
    }
    let wanted =
        |trial: &&trial::Trial| options.fault.is_none_or(|fault| trial.faults.contains(&fault));
    for trial in trial::ALL.iter().filter(wanted) {
        let found = trial.run(options.fault)?;
        let status = match options.fault {
            Some(fault) if fault.is_in(&found) => Status::Failed,
            Some(_) => Status::Good,
            None => status(&found),
        };
        worst = worst.max(status);
        share = share.max(found.share);
        one(trial.name, status, &found, options.fault);
        noise.extend(found.flags.into_iter().filter(|flag| flag.reason.is_noise()));
    }
    say("");
    if let Some(fault) = options.fault {
        return Ok(told(fault, worst));
    }
    noise.sort_by_key(|flag| flag.reason);
    noise.dedup_by_key(|flag| flag.reason);
    for flag in &noise {
        say(format_args!("noise: {}: {}", flag.reason.code(), flag.detail));
    }
    say(words(worst, &noise, share));
    Ok(if worst == Status::Good { Ending::Good } else { Ending::Invalid })
}

/// How a check ended by what it found: labels are nothing wrong.
fn status(found: &Found) -> Status {
    let noisy = |flag: &&Flag| flag.reason.is_noise() && flag.reason != Reason::DebugBuild;
    let disturbed = found.flags.iter().filter(noisy).count() > 0;
    // A reply that never came in time may have been kept waiting with its server.
    let excused = |reason: Reason| {
        disturbed && (reason.is_about_time() || matches!(reason, Reason::Backlog | Reason::Lost))
    };
    let ended = |flag: &Flag| {
        if excused(flag.reason) { Status::Busy } else { Status::Failed }
    };
    found.wrong().map(ended).max().unwrap_or(Status::Good)
}

/// A line for a check, and one for each thing that is wrong.
fn one(name: &str, status: Status, found: &Found, fault: Option<Fault>) {
    let word = match status {
        Status::Good => "ok  ",
        Status::Busy => "busy",
        Status::Failed => "FAIL",
    };
    say(format_args!("{word} {name:22} {}", found.words));
    let codes = fault.map(Fault::codes).unwrap_or_default();
    for flag in &found.flags {
        let wrong = fault.is_none() && found.wrong().any(|one| one == flag);
        if codes.contains(&flag.reason) || wrong {
            say(format_args!("       {}: {}", flag.reason.code(), flag.detail));
        }
    }
}

/// Whether the fault was found; it must be, and then the run has failed as it should.
fn told(fault: Fault, worst: Status) -> Ending {
    let codes: Vec<String> = fault.codes().iter().map(|reason| reason.code()).collect();
    let codes = codes.join(" or ");
    if worst == Status::Failed {
        say(format_args!("The fault was found ({codes}), so this run counts as failed."));
        Ending::Invalid
    } else {
        say(format_args!("The fault was NOT found: nothing said {codes}."));
        Ending::Good
    }
}

/// What all checks mean together, in the terms in which slices are judged: `worst` is how the worst
/// ended, `noise` one flag of each kind, `share` how much of a check may have been others' work.
fn words(worst: Status, noise: &[Flag], share: f64) -> String {
    let kinds: Vec<String> = noise.iter().map(|flag| flag.reason.code()).collect();
    let kinds = kinds.join(", ");
    let most = checks::told_up_to(share);
    let limited = format!("up to p{most:.0}, as far as the pauses of the machine allow");
    let judged = [
        "yes, exactly: noise does not change them",
        "yes, paired: noise only makes the intervals wide",
        match most < 50.0 {
            true => "no: others' work would be in them; the server's CPU time is told",
            false => &limited,
        },
    ];
    let (first, [counts, pairs, latencies]) = match (worst, noise.is_empty()) {
        (Status::Good, true) => (
            "The method works and the machine is quiet: it can be trusted for everything.".to_owned(),
            ["yes, exactly", "yes", "yes"],
        ),
        (Status::Good, false) => {
            (format!("The method works, but the machine was not quiet ({kinds})."), judged)
        }
        (Status::Busy, _) => {
            let words = "what failed can be its neighbours' fault. Ask again when they are gone.";
            (format!("The machine was too busy to tell ({kinds}): {words}"), judged)
        }
        (Status::Failed, _) => (
            "A check failed that no noise explains: something is wrong with this machine or with the \
             tool."
                .to_owned(),
            [
                "only what the failed check has nothing to do with",
                "not before it passes",
                "no",
            ],
        ),
    };
    let mut words = format!(
        "{first}\n  counts (system calls, allocations):           {counts}\
         \n  ratios of work in one thread (ring, map, ...): {pairs}\
         \n  latencies of a client and a server:           {latencies}"
    );
    if noise.iter().any(|flag| flag.reason == Reason::DebugBuild) {
        words += "\n  absolute times:                               no: this is a debug build";
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_excuses_lateness_and_nothing_else() {
        let of = |reasons: &[Reason]| {
            let flags = reasons.iter().map(|&reason| Flag::new(reason, "")).collect();
            status(&Found { flags, words: String::new(), share: 0.0 })
        };
        for good in [&[][..], &[Reason::NoisyForeign], &[Reason::NotServerBound]] {
            assert_eq!(of(good), Status::Good, "{good:?}");
        }
        assert_eq!(of(&[Reason::GeneratorLag]), Status::Failed);
        assert_eq!(of(&[Reason::GeneratorLag, Reason::NoisyForeign]), Status::Busy);
        assert_eq!(of(&[Reason::Errors, Reason::NoisyForeign]), Status::Failed);
        let debug = [Reason::GeneratorLag, Reason::DebugBuild];
        assert_eq!(of(&debug), Status::Failed, "a debug build is no noise");
    }
}
