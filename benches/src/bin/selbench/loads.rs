//! The workloads that ask something of the open loop: the words of each on the command line, its
//! points, and the columns of its table.

mod capacity;
mod churn;
mod fair;
mod overload;

use benches::selbench::schema::Workload;
use clap::Subcommand;

pub(crate) use self::capacity::points as capacity_points;
pub(crate) use self::churn::point as churn_point;
pub(crate) use self::fair::points as fair_points;
pub(crate) use self::overload::offer as offer_overload;
use crate::Ending;
use crate::session;

/// Their sub-commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// The highest rate at which p99 stays within a goal: a search, confirmed by running it again
    Capacity(capacity::Capacity),
    /// Connections that come and go: how many a second, and how soon each has its first byte
    Churn(churn::Churn),
    /// Small messages with and without a bulk stream beside them
    Fair(fair::Fair),
    /// More than anyone can do for a while, then half again: goodput, and the time to recover
    Overload(overload::Overload),
}

/// Measures what the command line asks for.
pub(crate) fn run(command: &Command) -> Result<Ending, String> {
    match command {
        Command::Capacity(options) => session::run(&capacity::plan(options)?, &options.common),
        Command::Churn(options) => session::run(&churn::plan(options)?, &options.common),
        Command::Fair(options) => session::run(&fair::plan(options)?, &options.common),
        Command::Overload(options) => overload::run(options),
    }
}

/// The figures that are shown beside the cost: title, metric, scale.
pub(crate) fn columns(workload: Workload) -> &'static [(&'static str, &'static str, f64)] {
    match workload {
        Workload::Capacity => capacity::COLUMNS,
        Workload::Churn => churn::COLUMNS,
        Workload::Fair => fair::COLUMNS,
        Workload::Overload => overload::COLUMNS,
        _ => &[],
    }
}
