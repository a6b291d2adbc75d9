//! Whether this machine can be trusted, and for what: every honesty check, run once.

mod clock;
mod fault;
mod trial;
mod verdict;

use benches::sys;

pub(crate) use self::fault::Fault;
use self::verdict::{Found, Status};
use crate::Ending;
use crate::arguments::Selftest;

/// Runs all checks and says in words what they mean; with a fault, only those that must find it.
pub(crate) fn run(options: &Selftest) -> Result<Ending, String> {
    let mut worst = Status::Good;
    let mut noise = Vec::new();
    if sys::cpus_online() < 2 {
        println!("     one CPU: only one-thread and same-cpu are possible");
    }
    for trial in trial::ALL {
        if options
            .fault
            .is_some_and(|fault| !trial.faults.contains(&fault))
        {
            continue;
        }
        let found = (trial.run)(options.fault)?;
        let status = match options.fault {
            Some(fault) if fault.is_in(&found) => Status::Failed,
            Some(_) => Status::Good,
            None => found.status(),
        };
        worst = worst.max(status);
        say(trial.name, status, &found, options.fault);
        noise.extend(found.noise);
    }
    println!();
    if let Some(fault) = options.fault {
        return Ok(told(fault, worst));
    }
    noise.sort_by_key(|flag| flag.reason);
    noise.dedup_by_key(|flag| flag.reason);
    for flag in &noise {
        println!("noise: {}: {}", flag.reason.code(), flag.detail);
    }
    println!("{}", verdict::words(worst, &noise));
    Ok(match worst {
        Status::Good => Ending::Good,
        Status::Busy | Status::Failed => Ending::Invalid,
    })
}

/// A line for a check, and one for each thing that is wrong.
fn say(name: &str, status: Status, found: &Found, fault: Option<Fault>) {
    println!("{} {name:22} {}", status.word(), found.words);
    let codes = fault.map_or(&[][..], Fault::codes);
    let all = found.flags.iter().chain(&found.noise);
    for flag in all {
        let looked_for = codes.contains(&flag.reason);
        let wrong = fault.is_none() && found.wrong().any(|one| one == flag);
        if looked_for || wrong {
            println!("       {}: {}", flag.reason.code(), flag.detail);
        }
    }
}

/// Whether the fault was found; it must be, and then the run has failed as it should.
fn told(fault: Fault, worst: Status) -> Ending {
    let codes: Vec<&str> = fault.codes().iter().map(|reason| reason.code()).collect();
    let codes = codes.join(" or ");
    if worst == Status::Failed {
        println!("The fault was found ({codes}), so this run counts as failed.");
        Ending::Invalid
    } else {
        println!("The fault was NOT found: nothing said {codes}.");
        Ending::Good
    }
}
