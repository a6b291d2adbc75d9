//! `switch` on the command line.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use benches::work::Switching;
use clap::Args;

use crate::arguments::Common;
use crate::plan::{self, Plan};

#[derive(Args)]
pub(crate) struct Switch {
    #[command(flatten)]
    pub(crate) common: Common,
    /// How many tasks take part; ping-pong pairs them
    #[arg(long, value_delimiter = ',', default_value = "1,100,10000")]
    pub(crate) tasks: Vec<usize>,
    /// Why one task runs after another
    #[arg(long, value_delimiter = ',', default_value = "yield,spawn-join,ping-pong", value_parser = Switching::ALL.map(Switching::name))]
    pub(crate) operations: Vec<String>,
}

pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("ns/switch", "ns_per_switch", 1.0),
    ("allocs/task", "allocations_per_task", 1.0),
];

pub(super) fn plan(options: &Switch) -> Result<Plan, String> {
    let common = &options.common;
    let mut points = Vec::new();
    for operation in &options.operations {
        for &tasks in &options.tasks {
            points.push(point(common, operation, tasks));
        }
    }
    Ok(Plan {
        points,
        subjects: plan::executors(common)?,
        blocks: common.blocks,
    })
}

/// So many tasks that run after one another for this reason.
pub(crate) fn point(common: &Common, operation: &str, tasks: usize) -> Spec {
    plan::point(
        Workload::Switch,
        Placement::OneThread,
        common,
        &[("tasks", tasks.max(1) as f64)],
        &[("operation", operation)],
    )
}
