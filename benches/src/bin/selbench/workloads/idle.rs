//! `idle` on the command line.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::arguments::Common;
use crate::plan::{self, Plan};

#[derive(Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Connections that are open; files are the limit, on either side
    #[arg(long, value_delimiter = ',', default_value = "1000,5000")]
    pub(crate) connections: Vec<usize>,
}

pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("RSS B", "rss_bytes_per_connection", 1.0),
    ("heap B", "heap_bytes_per_connection", 1.0),
    ("task B", "task_bytes_per_connection", 1.0),
    ("slab B", "slab_bytes_per_connection", 1.0),
    ("wake-ups", "wakeups", 1.0),
];

pub(super) fn plan(options: &Idle) -> Result<Plan, String> {
    let common = &options.common;
    let points = options.connections.iter().map(|&many| point(common, many));
    Ok(Plan {
        points: points.collect(),
        subjects: plan::servers(common)?,
        blocks: common.blocks,
    })
}

/// So many connections on which nothing happens.
pub(crate) fn point(common: &Common, connections: usize) -> Spec {
    plan::point(
        Workload::Idle,
        Placement::SameCpu,
        common,
        &[("connections", connections.max(1) as f64)],
        &[],
    )
}
