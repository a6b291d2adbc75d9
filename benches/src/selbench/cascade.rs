//! Registration, a ripple through all that was registered, and a timer for each fd.

use std::time::Duration;

use super::checks::{Reason, flag_if};
use super::schema::Spec;
use super::work::Outcome;
use crate::subject::Subject;
use crate::sys;
use crate::work::Cascade;

/// What a slice of `cascade` tells: microseconds for registering `fds` with a timer each, for the
/// ripple through them, and for both.
///
/// # Errors
///
/// In words: no such subject, one without timers, or too few files.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    let cascade = Subject::named(spec.program())
        .and_then(|subject| subject.cascade)
        .ok_or_else(|| format!("no subject with timers is named {}", spec.subject))?;
    let fds = spec.count("fds").max(1);
    sys::raise_open_files().map_err(|error| error.to_string())?;
    let mut outcome = Outcome::default();
    outcome
        .flags
        .extend(too_many(fds, sys::load::open_files_limit()));
    if !outcome.flags.is_empty() {
        return Ok(outcome);
    }
    let facts = cascade(&Cascade {
        fds,
        seed: spec.seed,
        duration: Duration::from_millis(spec.milliseconds),
    });
    outcome.facts(&facts);
    let passed = outcome.metrics.get("passed").copied().unwrap_or(0.0);
    outcome
        .flags
        .extend(flag_if(passed < fds as f64, Reason::Lost, || {
            format!("the byte passed {passed} of {fds} links, then a timer was due")
        }));
    Ok(outcome)
}

/// A flag if a pair of sockets for each link is more than this process may open.
fn too_many(fds: usize, limit: std::io::Result<u64>) -> Option<super::checks::Flag> {
    /// The sentinel, the selector, what every program has open.
    const MORE: usize = 40;
    let needed = (2 * fds + MORE) as u64;
    let limit = limit.unwrap_or(u64::MAX);
    flag_if(needed > limit, Reason::ResourceWall, || {
        format!("{fds} links need {needed} files, {limit} are allowed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_links_than_files_are_a_wall_and_not_a_panic() {
        assert!(too_many(100, Ok(1024)).is_none());
        assert_eq!(
            too_many(1000, Ok(1024)).unwrap().reason,
            Reason::ResourceWall
        );
    }
}
