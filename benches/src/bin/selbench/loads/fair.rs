//! `fair` on the command line.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::arguments::{Common, Wire};
use crate::plan::{self, Plan};

/// The figures of its table.
pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("p99 us", "response_p99_ns", 1e-3),
    ("alone us", "alone_p99_ns", 1e-3),
    ("slower x", "slowdown_p99", 1.0),
    ("bulk MB/s", "bulk_mb_per_second", 1.0),
];

#[derive(Args)]
pub(crate) struct Fair {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) wire: Wire,
    /// Small messages a second, on all connections together
    #[arg(long, default_value_t = 25000.0)]
    pub(crate) rate: f64,
    /// Bytes in a message of the bulk stream
    #[arg(long, default_value_t = 16384)]
    pub(crate) bulk_size: usize,
    /// Messages of the bulk stream under way
    #[arg(long, default_value_t = 4)]
    pub(crate) bulk_depth: usize,
}

/// The points of `fair`: `--ms` is measured without the bulk stream, and again with it.
pub(super) fn plan(options: &Fair) -> Result<Plan, String> {
    let mut plan = plan::wired(
        Workload::Fair,
        &options.common,
        &options.wire,
        Placement::SplitSpin,
    )?;
    let bulk = (options.bulk_size, options.bulk_depth);
    points(&mut plan.points, options.rate, bulk);
    Ok(plan)
}

/// Gives points their rate and the size and depth of the bulk stream.
pub(crate) fn points(points: &mut [Spec], rate: f64, (size, depth): (usize, usize)) {
    for one in points {
        for (name, value) in [
            ("rate", rate.max(1.0)),
            ("bulk_size", size.max(1) as f64),
            ("bulk_depth", depth.max(1) as f64),
        ] {
            one.parameters.insert(name.to_owned(), value);
        }
    }
}
