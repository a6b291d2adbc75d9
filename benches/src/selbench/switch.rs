//! From task to task: yielding in a ring, spawn and join, ping and pong over channels.

use std::time::Duration;

use super::schema::Spec;
use super::work::Outcome;
use crate::subject::Tasks;
use crate::work::Switching;

/// What a slice of `switch` tells: nanoseconds for each switch, allocations for each task from
/// its spawning to its end.
///
/// # Errors
///
/// In words: no such operation.
pub fn measure(tasks: Tasks, spec: &Spec) -> Result<Outcome, String> {
    let name = spec.choice("operation");
    let switching = Switching::named(name).ok_or_else(|| format!("{name} is no switch"))?;
    let duration = Duration::from_millis(spec.milliseconds);
    let facts = (tasks.switch)(switching, spec.count("tasks").max(1), duration);
    let mut outcome = Outcome::default();
    outcome.facts(&facts);
    Ok(outcome)
}
