//! From a command line to the points that are measured and the subjects that are compared.

mod compared;
mod one_thread;
mod subjects;

use std::collections::BTreeMap;

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use benches::selbench::server;

pub(crate) use self::compared::{Compared, compare};
pub(crate) use self::one_thread::{compatible, map, map_point, register, ring, ring_point};
pub(crate) use self::subjects::{EVERY, USUAL, cascaders, dialled, executors, servers};
use crate::arguments::{Common, Echo, Wire};

/// What a session measures: every subject at every point, in every block.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Specs without a subject.
    pub(crate) points: Vec<Spec>,
    /// The first one is what the others are compared with.
    pub(crate) subjects: Vec<String>,
    /// Interleaved blocks.
    pub(crate) blocks: usize,
}

/// A point without a subject.
pub(crate) fn point(
    workload: Workload,
    placement: Placement,
    common: &Common,
    numbers: &[(&str, f64)],
    words: &[(&str, &str)],
) -> Spec {
    let owned = |(name, value): &(&str, f64)| ((*name).to_owned(), *value);
    let word = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Spec {
        workload,
        subject: String::new(),
        placement,
        parameters: numbers.iter().map(owned).collect(),
        choices: words.iter().map(word).collect::<BTreeMap<_, _>>(),
        milliseconds: common.ms.max(1),
        block: 0,
        seed: common.seed,
        server: None,
        server_program: None,
        baseline: String::new(),
        fault: None,
    }
}

/// The points of `echo`.
pub(crate) fn echo(options: &Echo) -> Result<Plan, String> {
    wired(
        Workload::Echo,
        &options.common,
        &options.wire,
        Placement::SameCpu,
    )
}

/// The points of a client and a server; those of `load` have no rate yet.
pub(crate) fn wired(
    workload: Workload,
    common: &Common,
    wire: &Wire,
    usual: Placement,
) -> Result<Plan, String> {
    let placement = match &wire.placement {
        Some(name) => Placement::named(name).ok_or("no such placement")?,
        None => usual,
    };
    if !placement.possible() {
        return Err(format!("{} needs two CPUs", placement.name()));
    }
    if let Some(address) = &wire.server {
        server::loopback(address)?;
    }
    let mut points = Vec::new();
    for &connections in &wire.connections {
        for &idle in &wire.idle {
            for &size in &wire.size {
                let numbers = [
                    ("connections", connections.max(1) as f64),
                    ("depth", wire.depth.max(1) as f64),
                    ("idle", idle as f64),
                    ("size", size.max(1) as f64),
                ];
                let mut one = point(workload, placement, common, &numbers, &[]);
                one.server.clone_from(&wire.server);
                points.push(one);
            }
        }
    }
    let subjects = match &wire.server {
        Some(address) => vec![address.clone()],
        None => subjects::runtimes(common, placement)?,
    };
    Ok(Plan {
        points,
        subjects,
        blocks: common.blocks,
    })
}
