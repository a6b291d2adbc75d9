//! The workloads that need no load generator: the words of each on the command line, its points,
//! and the columns of its table.

pub(crate) mod cascade;
pub(crate) mod idle;
pub(crate) mod switch;
pub(crate) mod timers;
pub(crate) mod wake;

use benches::selbench::schema::Workload;
use clap::Subcommand;

use crate::Ending;
use crate::session;

/// Their sub-commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// From task to task: yielding in a ring, spawn and join, ping and pong over channels
    Switch(switch::Switch),
    /// Timers: a storm of idle timeouts (insert, reset, cancel, expire), and how late sleeps end
    Timers(timers::Timers),
    /// Wakes: latency from the call to the poll, and writes to the notifier
    Wake(wake::Wake),
    /// The cost of being connected: memory of server and kernel, and wake-ups while nothing happens
    Idle(idle::Idle),
    /// Registration of many fds with a timer each, then one byte that runs through all of them
    Cascade(cascade::Cascade),
}

/// Measures what the command line asks for.
pub(crate) fn run(command: &Command) -> Result<Ending, String> {
    let (plan, common) = match command {
        Command::Switch(options) => (switch::plan(options)?, &options.common),
        Command::Timers(options) => (timers::plan(options)?, &options.common),
        Command::Wake(options) => (wake::plan(options)?, &options.common),
        Command::Idle(options) => (idle::plan(options)?, &options.common),
        Command::Cascade(options) => (cascade::plan(options)?, &options.common),
    };
    session::run(&plan, common)
}

/// The figures that are shown beside the cost: title, metric, scale.
pub(crate) fn columns(workload: Workload) -> &'static [(&'static str, &'static str, f64)] {
    match workload {
        Workload::Switch => switch::COLUMNS,
        Workload::Storm => timers::STORM_COLUMNS,
        Workload::Wake => wake::COLUMNS,
        Workload::Idle => idle::COLUMNS,
        Workload::Cascade => cascade::COLUMNS,
        Workload::Overshoot => timers::OVERSHOOT_COLUMNS,
        _ => &[],
    }
}
