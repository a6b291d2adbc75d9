//! Fairness: small messages at a steady rate, first alone, then beside one connection that sends
//! large ones as fast as the replies come.
//!
//! A loop that lets the busy connection have all it wants makes the small ones wait. Both halves
//! run against the same server process, so that their ratio is of one machine and one moment. The
//! bulk stream costs the server and the generator work of its own: a perfectly fair loop shows a
//! ratio above one too, and only the ratios of two subjects say something about either.

use std::io;
use std::time::Duration;

use super::checks::Reason;
use super::connections::{Clock, Connections};
use super::histogram;
use super::load;
use super::open::{Bulk, Open, Phase};
use super::quiet::Watch;
use super::schema::Spec;
use super::server::Server;
use super::work::Outcome;

/// What a slice of `fair` tells.
///
/// # Errors
///
/// In words: what could not be set up.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    load::with_client(spec, 1, |server, client, clock, outcome| {
        run(spec, server, client, clock, outcome)
    })
}

fn run(
    spec: &Spec,
    server: &Server,
    client: &mut Connections,
    clock: Clock,
    outcome: &mut Outcome,
) -> Result<io::Result<()>, String> {
    let size = spec.count("bulk_size").max(1);
    let index = match client.open_bulk(server.address, size) {
        Ok(index) => index,
        Err(error) => return Ok(Err(error)),
    };
    let depth = spec.count("depth").max(1);
    let rate = spec.number("rate").max(1.0);
    let duration = Duration::from_millis(spec.milliseconds);
    let watch = Watch::begin(server.id().as_slice());
    let half = |bulk| {
        let warm_up = load::warm_up(duration);
        let mut open = Open::new(spec, clock, warm_up, &[Phase { rate, duration }]);
        open.bulk = bulk;
        open
    };
    let mut alone = half(None);
    if let Err(error) = alone.run(client, depth) {
        return Ok(Err(error));
    }
    let depth_of_bulk = spec.count("bulk_depth").max(1);
    let mut beside = half(Some(Bulk {
        index,
        depth: depth_of_bulk,
    }));
    let ended = beside.run(client, depth);
    outcome.quiet = Some(watch.end());
    load::judge(client, &beside, outcome);
    // Messages that the bulk stream held up are what is looked for; they went out in the end, and
    // those that did not are lost.
    outcome.flags.retain(|flag| flag.reason != Reason::Backlog);
    outcome.metric("offered", rate);
    let bytes = beside.bulk_replies as f64 * size as f64;
    outcome.metric("bulk_mb_per_second", bytes / 1e6 / duration.as_secs_f64());
    let without = &alone.recorder.response;
    for (word, share) in [("p50", 50.0), ("p99", 99.0)] {
        let Some(time) = histogram::percentile(without, share) else {
            continue;
        };
        outcome.metric(&format!("alone_{word}_ns"), time);
        if let Some(with) = histogram::percentile(&beside.recorder.response, share) {
            outcome.metric(&format!("slowdown_{word}"), with / time);
        }
    }
    outcome
        .histograms
        .insert("alone".to_owned(), histogram::encode(without)?);
    beside.recorder.tell(duration, outcome)?;
    Ok(ended)
}
