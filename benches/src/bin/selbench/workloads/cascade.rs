//! `cascade` on the command line.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::arguments::Common;
use crate::plan::{self, Plan};

#[derive(Args)]
pub(crate) struct Cascade {
    #[command(flatten)]
    pub(crate) common: Common,
    /// How many fds are registered, each with a timer; two files each are needed
    #[arg(long, value_delimiter = ',', default_value = "1,10,100,1000,4000")]
    pub(crate) fds: Vec<usize>,
}

pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("total us", "total_us", 1.0),
    ("register us", "register_us", 1.0),
    ("dispatch us", "dispatch_us", 1.0),
];

pub(super) fn plan(options: &Cascade) -> Result<Plan, String> {
    let common = &options.common;
    let points = options.fds.iter().map(|&fds| point(common, fds));
    Ok(Plan {
        points: points.collect(),
        subjects: plan::cascaders(common)?,
        blocks: common.blocks,
    })
}

/// A cascade through so many fds.
pub(crate) fn point(common: &Common, fds: usize) -> Spec {
    plan::point(
        Workload::Cascade,
        Placement::OneThread,
        common,
        &[("fds", fds.max(1) as f64)],
        &[],
    )
}
