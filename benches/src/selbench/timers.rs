//! Timers: what a storm of them costs, and how late each is.

use std::time::Duration;

use super::histogram;
use super::schema::Spec;
use super::work::Outcome;
use crate::stats;
use crate::subject::Tasks;

/// What a slice of a storm tells: nanoseconds for each insertion, reset, cancellation and expiry
/// while `timers` are outstanding.
pub fn storm(tasks: Tasks, spec: &Spec) -> Outcome {
    let duration = Duration::from_millis(spec.milliseconds);
    let facts = (tasks.storm)(spec.count("timers"), spec.seed, duration);
    let mut outcome = Outcome::default();
    outcome.facts(&facts);
    outcome
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
