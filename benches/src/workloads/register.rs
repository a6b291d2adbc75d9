//! Changes of interest, while so many others are registered.

use std::io;

use super::ring::watched;
use super::{TRANSPORT, Workload, selector, some, word};
use crate::method::{Outcome, Spec, Stopwatch, outcome, statistics};
use crate::report::Shown;

pub const WORKLOAD: Workload = Workload {
    parameters: &[&[
        some("registered", "1,1000", "How many fds are registered meanwhile"),
        word(
            "operation",
            "register,modify,toggle-write",
            OPERATIONS,
            "register: a registration and its end, which count as one; modify: one fd after the \
             other gets another interest than it has; toggle-write: writing is added to an fd and \
             taken away at once, two operations, as when a socket is full for a moment",
        ),
        TRANSPORT,
    ]],
    costs: &[("ns_per_operation", 0.0)],
    // For poll and select it is a store.
    least: 10.0,
    ..Workload::new(
        Shown::table("register", "Changes of interest", &[("ns/op", "ns_per_operation", 1.0)]),
        "What it costs to change interests; poll and select pay for it in each wait instead",
        measure,
    )
};

const OPERATIONS: &[&str] = &["register", "modify", "toggle-write"];

fn measure(spec: &Spec) -> Result<Outcome, String> {
    const ROUND: usize = 1000;
    let kind = selector(spec)?;
    let told = |error: io::Error| format!("register on {}: {error}", kind.name);
    let registered = spec.count("registered").max(1);
    let set_up = watched(kind, spec.choice("transport"), registered);
    let (pairs, mut dispatcher) = set_up.map_err(told)?;
    let operation = spec.choice("operation");
    let mut writing = vec![false; registered];
    let mut at = 0;
    let round = || -> io::Result<f64> {
        let begin = Stopwatch::begin();
        for _ in 0..ROUND / 2 {
            let fd = &pairs[at].receiver;
            let next = (at + 1) % registered;
            match operation {
                "register" => {
                    for index in [at, next] {
                        dispatcher.remove(index, &pairs[index].receiver)?;
                        dispatcher.add(index, &pairs[index].receiver)?;
                    }
                }
                "modify" => {
                    for index in [at, next] {
                        writing[index] = !writing[index];
                        dispatcher.change(index, &pairs[index].receiver, writing[index])?;
                    }
                }
                _ => {
                    dispatcher.change(at, fd, true)?;
                    dispatcher.change(at, fd, false)?;
                }
            }
            at = (at + 37) % registered;
        }
        Ok(begin.elapsed().as_nanos() as f64 / ROUND as f64)
    };
    let (costs, quiet) = outcome::repeat(spec, round).map_err(told)?;
    let mut outcome = Outcome { watched: Some(quiet), ..Outcome::default() };
    outcome.metric("ns_per_operation", statistics::median(costs).unwrap_or_default());
    Ok(outcome)
}
