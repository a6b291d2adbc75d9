//! Timers: what a storm of them costs, and how late each is.

use std::time::Duration;

use super::checks::{Flag, Reason, flag_if};
use super::histogram;
use super::schema::Spec;
use super::work::Outcome;
use crate::stats;
use crate::subject::Tasks;

/// What a slice of a storm tells: nanoseconds for each insertion, reset, cancellation and expiry
/// while `timers` are outstanding.
pub fn storm(tasks: Tasks, spec: &Spec) -> Outcome {
    let timers = spec.count("timers");
    let mut outcome = Outcome::default();
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    outcome.flags.extend(too_many(timers, &meminfo));
    if outcome.flags.is_empty() {
        let duration = Duration::from_millis(spec.milliseconds);
        outcome.facts(&(tasks.storm)(timers, spec.seed, duration));
    }
    outcome
}

/// A flag if so many timers do not fit into the memory that `/proc/meminfo` says is available: the
/// kernel would end a process, and not necessarily this one.
fn too_many(timers: usize, meminfo: &str) -> Option<Flag> {
    /// More than any runtime takes for a timer, its own structures and the box it lies in.
    const EACH: u64 = 500;
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let (needed, available) = (timers as u64 * EACH, kilobytes? * 1024);
    flag_if(needed > available, Reason::ResourceWall, || {
        let [needed, available] = [needed, available].map(|bytes| bytes as f64 / 1e9);
        format!("{timers} timers may need {needed:.1} GB, {available:.1} GB are available")
    })
}

/// What a slice of sleeps of `sleep_us` tells: the histogram of how late they end, and how many
/// end early, which none may.
///
/// # Errors
///
/// In words: a histogram that cannot be written.
pub fn overshoot(tasks: Tasks, spec: &Spec) -> Result<Outcome, String> {
    let asked = Duration::from_micros(spec.count("sleep_us") as u64);
    let late = (tasks.overshoot)(asked, Duration::from_millis(spec.milliseconds));
    let mut histogram = histogram::new();
    for &late in &late {
        histogram::record(&mut histogram, late.max(0).cast_unsigned());
    }
    let mut outcome = Outcome::default();
    let early = late.iter().filter(|&&late| late < 0).count();
    let late: Vec<f64> = late.iter().map(|&late| late as f64).collect();
    outcome.metric("sleeps", late.len() as f64);
    outcome.metric("early", early as f64);
    // Told however few there are, for it is what verdicts are about: ten already have a median.
    outcome.metric("overshoot_median_ns", stats::median(&late));
    outcome.distribution("overshoot", &histogram)?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_timers_than_memory_are_a_wall() {
        let meminfo = "MemTotal: 9 kB\nMemAvailable:    1000000 kB\n";
        assert!(too_many(2_000_000, meminfo).is_none());
        let wall = too_many(10_000_000, meminfo).unwrap();
        assert_eq!(wall.reason, Reason::ResourceWall);
        assert!(too_many(10_000_000, "").is_none(), "nobody knows");
    }
}
