//! `capacity` on the command line.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::arguments::{Common, Wire};
use crate::plan::{self, Plan};

/// The figures of its table.
pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("rate/s", "rate", 1.0),
    ("p50 us", "response_p50_ns", 1e-3),
    ("p99 us", "response_p99_ns", 1e-3),
    ("srv cpu %", "server_cpu", 100.0),
];

#[derive(Args)]
pub(crate) struct Capacity {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) wire: Wire,
    /// The goal: p99 of the response, in microseconds
    #[arg(long, default_value_t = 1000.0)]
    pub(crate) goal_us: f64,
    /// Random (seeded) instead of even arrivals
    #[arg(long)]
    pub(crate) poisson: bool,
}

/// The points of `capacity`: `--ms` is the length of each of the dozen runs of a search.
pub(super) fn plan(options: &Capacity) -> Result<Plan, String> {
    let mut plan = plan::wired(
        Workload::Capacity,
        &options.common,
        &options.wire,
        Placement::SplitSpin,
    )?;
    points(&mut plan.points, options.goal_us, options.poisson);
    Ok(plan)
}

/// Gives points their goal.
pub(crate) fn points(points: &mut [Spec], goal_us: f64, poisson: bool) {
    let arrivals = if poisson { "poisson" } else { "even" };
    for one in points {
        one.parameters
            .insert("goal_us".to_owned(), goal_us.max(1.0));
        one.choices
            .insert("arrivals".to_owned(), arrivals.to_owned());
    }
}
