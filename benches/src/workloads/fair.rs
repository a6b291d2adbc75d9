//! Fairness: small messages at a steady rate, first alone, then beside one connection that sends
//! large ones as fast as the replies come.
//!
//! A loop that lets the busy connection have all it wants makes the small ones wait. Both halves
//! run against the same server process, so that their ratio is of one machine and one moment. The
//! bulk stream costs the server and the generator work of its own: a perfectly fair loop shows a
//! ratio above one too, and only the ratios of two subjects say something about either.

use super::{Ends, Trouble, WIRE, Workload, load, some};
use crate::method::{Open, Outcome, Phase, Reason, Watch};
use crate::report::Shown;

pub const WORKLOAD: Workload = Workload {
    parameters: &[
        WIRE,
        &[
            some("rate", "25000", "Small messages a second, on all connections together"),
            some("bulk_size", "16384", "Bytes in a message of the bulk stream"),
            some("bulk_depth", "4", "Messages of the bulk stream under way"),
        ],
    ],
    costs: load::RESPONSES,
    least: 1000.0,
    ..Workload::of_servers(
        Shown::table("fair", "Small messages beside a bulk stream", COLUMNS),
        "Small messages with and without a bulk stream beside them, --ms each",
        |spec| load::with_client(spec, Some(1), run),
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("p50 us", "response_p50_ns", 1e-3),
    ("p99 us", "response_p99_ns", 1e-3),
    ("alone 50", "alone_p50_ns", 1e-3),
    ("alone 99", "alone_p99_ns", 1e-3),
    ("slower x", "slowdown_p99", 1.0),
    ("bulk MB/s", "bulk_mb_per_second", 1.0),
];

fn run(ends: &mut Ends<'_>, outcome: &mut Outcome) -> Result<(), Trouble> {
    let Ends { spec, server, clock, .. } = *ends;
    let client = &mut *ends.client;
    let size = spec.count("bulk_size").max(1);
    client.open_bulk(size)?;
    let depth = spec.count("depth").max(1);
    let rate = spec.number("rate").max(1.0);
    let duration = spec.duration();
    let watch = Watch::begin(server.id().as_slice());
    let half = |bulk| {
        let mut open = Open::new(spec, clock, load::warm_up(duration), &[Phase { rate, duration }]);
        open.bulk = bulk;
        open
    };
    let mut alone = half(0);
    alone.run(client, depth)?;
    let mut beside = half(spec.count("bulk_depth").max(1));
    let ended = beside.run(client, depth);
    outcome.watched = Some(watch.end());
    load::judge(client, &beside, outcome);
    // Messages that the bulk stream held up are what is looked for; they went out in the end, and
    // those that did not are lost.
    outcome.flags.retain(|flag| flag.reason != Reason::Backlog);
    outcome.metric("offered", rate);
    let bytes = beside.bulk_replies as f64 * size as f64;
    outcome.metric("bulk_mb_per_second", bytes / 1e6 / duration.as_secs_f64());
    beside.recorder.tell(duration, outcome)?;
    if !alone.recorder.response.is_empty() {
        outcome.distribution("alone", &alone.recorder.response)?;
    }
    let p99 = |name: &str| outcome.metrics.get(name).copied();
    if let (Some(alone), Some(beside)) = (p99("alone_p99_ns"), p99("response_p99_ns")) {
        outcome.metric("slowdown_p99", beside / alone);
    }
    Ok(ended?)
}
