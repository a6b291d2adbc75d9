//! Changes of interest, while so many others are registered.

use std::io;
use std::time::{Duration, Instant};

use super::dispatch::Kind;
use super::schema::Spec;
use super::sockets::Pair;
use crate::stats;

/// Names of the operations.
pub const OPERATIONS: [&str; 3] = ["register", "modify", "toggle-write"];

/// What a slice of `register` tells. `register` is a registration and its end, which count as
/// one operation; `modify` gives an fd the interest that it has; `toggle-write` adds writing and
/// takes it away, two operations, as a program does whose socket is full for a moment.
///
/// # Errors
///
/// In words.
pub fn measure(kind: Kind, spec: &Spec) -> Result<super::work::Outcome, String> {
    let told = |error: io::Error| format!("register on {}: {error}", kind.name);
    let registered = spec.count("registered").max(1);
    let pairs = Pair::many(spec.choice("transport"), registered).map_err(told)?;
    let mut dispatcher = (kind.open)().map_err(told)?;
    for (index, pair) in pairs.iter().enumerate() {
        dispatcher.add(index, &pair.receiver).map_err(told)?;
    }
    let operation = spec.choice("operation").to_owned();
    let mut at = 0;
    let mut round = || -> io::Result<f64> {
        const OPERATIONS: usize = 1000;
        let begin = Instant::now();
        for _ in 0..OPERATIONS / 2 {
            at = (at + 37) % registered;
            let fd = &pairs[at].receiver;
            match operation.as_str() {
                "register" => {
                    dispatcher.remove(at, fd)?;
                    dispatcher.add(at, fd)?;
                    let next = (at + 1) % registered;
                    dispatcher.remove(next, &pairs[next].receiver)?;
                    dispatcher.add(next, &pairs[next].receiver)?;
                }
                "modify" => {
                    dispatcher.change(at, fd, false)?;
                    dispatcher.change(at, fd, false)?;
                }
                _ => {
                    dispatcher.change(at, fd, true)?;
                    dispatcher.change(at, fd, false)?;
                }
            }
        }
        Ok(begin.elapsed().as_nanos() as f64 / OPERATIONS as f64)
    };
    let watch = super::work::warm_up(spec, || round().map(|_| ())).map_err(told)?;
    let limit = Duration::from_millis(spec.milliseconds);
    let begin = Instant::now();
    let mut costs = Vec::new();
    while costs.is_empty() || begin.elapsed() < limit {
        costs.push(round().map_err(told)?);
    }
    let mut outcome = super::work::Outcome {
        quiet: Some(watch.end()),
        ..Default::default()
    };
    outcome.metric("ns_per_operation", stats::median(&costs));
    Ok(outcome)
}
