//! Wakes from other threads and from the loop's own: their latency, and what they cost in writes
//! to the notifier.

use std::time::Duration;

use super::checks::{self, Reason};
use super::histogram;
use super::placement::Placement;
use super::schema::Spec;
use super::work::Outcome;
use crate::stats;
use crate::subject::Tasks;
use crate::sys;
use crate::work::Wakes;

/// What a slice of `wake` tells. `senders` threads wake `burst` tasks each in a burst, and wait
/// `pause_us` before the next; without senders a task of the loop wakes them, without pause. A
/// runtime that parks its thread in another way than on an fd shows no writes.
///
/// # Errors
///
/// In words: a histogram that cannot be written.
pub fn measure(tasks: Tasks, spec: &Spec) -> Result<Outcome, String> {
    if spec.placement != Placement::OneThread {
        // A machine that refuses only measures with more noise.
        let _ = sys::pin_to_cpu(spec.placement.server_cpu());
    }
    let woken = (tasks.wakes)(&Wakes {
        senders: spec.count("senders"),
        burst: spec.count("burst").max(1),
        cpu: spec.placement.client_cpu(),
        pause: Duration::from_micros(spec.count("pause_us") as u64),
        duration: Duration::from_millis(spec.milliseconds),
    });
    let mut histogram = histogram::fine();
    for &latency in &woken.latencies {
        histogram::record(&mut histogram, latency);
    }
    let latencies: Vec<f64> = woken.latencies.iter().map(|&ns| ns as f64).collect();
    let mut outcome = Outcome::default();
    outcome
        .flags
        .extend(checks::flag_if(woken.lost > 0, Reason::Lost, || {
            format!("{} tasks were not woken", woken.lost)
        }));
    let (wakes, writes) = (woken.wakes as f64, woken.writes as f64);
    outcome.metric("wakes", wakes);
    outcome.metric("writes_per_wake", writes / wakes.max(1.0));
    outcome.metric("writes_per_burst", writes / (woken.bursts as f64).max(1.0));
    if !latencies.is_empty() {
        // Told however few there are, for it is what verdicts are about.
        outcome.metric("wake_median_ns", stats::median(&latencies));
        outcome.distribution("wake", &histogram)?;
    }
    Ok(outcome)
}
