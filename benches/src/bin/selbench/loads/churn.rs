//! `churn` on the command line.

use benches::selbench::dialer::Close;
use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::arguments::Common;
use crate::plan::{self, Plan};

/// The figures of its table.
pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("conn/s", "rate", 1.0),
    ("p50 us", "first_byte_p50_ns", 1e-3),
    ("p99 us", "first_byte_p99_ns", 1e-3),
    ("srv ns", "server_ns_per_connection", 1.0),
    ("TIME_WAIT", "time_wait_growth", 1.0),
];

#[derive(Args)]
pub(crate) struct Churn {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Connections under way at a time
    #[arg(long, value_delimiter = ',', default_value = "16")]
    pub(crate) connections: Vec<usize>,
    /// How the client ends a connection: in order (and it stays in TIME_WAIT), or by a reset
    #[arg(long, value_delimiter = ',', default_value = "fin,rst", value_parser = Close::NAMES)]
    pub(crate) close: Vec<String>,
    /// Connections that the server accepts in a row before others have their turn; 0 for as many as
    /// its loop likes
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub(crate) accept_batch: Vec<usize>,
    /// Connections that the kernel keeps for the server until it accepts them
    #[arg(long, value_delimiter = ',', default_value = "1024")]
    pub(crate) backlog: Vec<usize>,
    /// Sockets that listen on the same port; more than one with SO_REUSEPORT
    #[arg(long, value_delimiter = ',', default_value = "1")]
    pub(crate) listeners: Vec<usize>,
    /// Bytes that are echoed on each connection; at most what a new socket holds
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=16384))]
    pub(crate) size: u64,
    /// Who runs where: same-cpu, split, or split-spin
    #[arg(long, default_value = "same-cpu", value_parser = ["same-cpu", "split", "split-spin"])]
    pub(crate) placement: String,
    /// An echo server that runs already; only on the loopback. How it accepts is its own affair
    #[arg(long, value_name = "127.0.0.1:PORT")]
    pub(crate) server: Option<String>,
}

/// The points of `churn`.
pub(super) fn plan(options: &Churn) -> Result<Plan, String> {
    let common = &options.common;
    let placement = Placement::named(&options.placement).ok_or("no such placement")?;
    let mut points: Vec<Spec> = options
        .close
        .iter()
        .map(|close| point(common, close, placement))
        .collect();
    for (name, values) in [
        ("connections", &options.connections),
        ("accept_batch", &options.accept_batch),
        ("backlog", &options.backlog),
        ("listeners", &options.listeners),
        ("size", &vec![options.size as usize]),
    ] {
        points = across(&points, name, values);
    }
    for one in &mut points {
        one.server.clone_from(&options.server);
    }
    let subjects = plan::dialled(common, placement, options.server.as_deref())?;
    Ok(Plan {
        points,
        subjects,
        blocks: common.blocks,
    })
}

/// Each point with each of these values.
fn across(points: &[Spec], name: &str, values: &[usize]) -> Vec<Spec> {
    let with = |point: &Spec, value: usize| {
        let mut one = point.clone();
        one.parameters.insert(name.to_owned(), value as f64);
        one
    };
    let each = |point| values.iter().map(move |&value| with(point, value));
    points.iter().flat_map(each).collect()
}

/// Sixteen connections under way, accepted as the loop likes, that end in this way.
pub(crate) fn point(common: &Common, close: &str, placement: Placement) -> Spec {
    let numbers = [
        ("connections", 16.0),
        ("accept_batch", 0.0),
        ("backlog", 1024.0),
        ("listeners", 1.0),
        ("size", 64.0),
    ];
    let words = [("close", close)];
    plan::point(Workload::Churn, placement, common, &numbers, &words)
}
