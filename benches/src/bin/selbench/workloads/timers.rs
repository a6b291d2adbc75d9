//! `timers` on the command line.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::arguments::Common;
use crate::plan::{self, Plan};

#[derive(Args)]
pub(crate) struct Timers {
    #[command(flatten)]
    pub(crate) common: Common,
    /// How many timers are outstanding in the storm; a million expire at most
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1000,10000,100000,1000000"
    )]
    pub(crate) timers: Vec<usize>,
    /// Sleeps whose overshoot is measured, in microseconds
    #[arg(long, value_delimiter = ',', default_value = "50,100,500,1000,10000")]
    pub(crate) sleeps: Vec<u64>,
    /// Leave out the storm, or the sleeps
    #[arg(long, value_parser = ["storm", "sleeps"])]
    pub(crate) without: Option<String>,
}

pub(super) const STORM_COLUMNS: &[(&str, &str, f64)] = &[
    ("ns insert", "insert_ns", 1.0),
    ("ns reset", "reset_ns", 1.0),
    ("ns cancel", "cancel_ns", 1.0),
    ("ns expire", "expire_ns", 1.0),
];

pub(super) const OVERSHOOT_COLUMNS: &[(&str, &str, f64)] = &[
    ("median us", "overshoot_median_ns", 1e-3),
    ("p99 us", "overshoot_p99_ns", 1e-3),
    ("max us", "overshoot_max_ns", 1e-3),
    ("early", "early", 1.0),
];

pub(super) fn plan(options: &Timers) -> Result<Plan, String> {
    let common = &options.common;
    let with = |part: &str| options.without.as_deref() != Some(part);
    let mut points = Vec::new();
    if with("storm") {
        points.extend(options.timers.iter().map(|&timers| storm(common, timers)));
    }
    if with("sleeps") {
        points.extend(options.sleeps.iter().map(|&us| overshoot(common, us)));
    }
    Ok(Plan {
        points,
        subjects: plan::executors(common)?,
        blocks: common.blocks,
    })
}

/// A storm of so many timers.
pub(crate) fn storm(common: &Common, timers: usize) -> Spec {
    plan::point(
        Workload::Storm,
        Placement::OneThread,
        common,
        &[("timers", timers.max(1) as f64)],
        &[],
    )
}

/// Sleeps of so many microseconds.
pub(crate) fn overshoot(common: &Common, microseconds: u64) -> Spec {
    plan::point(
        Workload::Overshoot,
        Placement::OneThread,
        common,
        &[("sleep_us", microseconds.max(1) as f64)],
        &[],
    )
}
