//! Connections that come and go: accept, one echo, close, as fast as it goes.

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::echo::turns;
use super::load::{self, Ends, Trouble};
use super::{Workload, some, word};
use crate::method::ports::TimeWait;
use crate::method::{Meter, Outcome, Placement, Spec, checks, histogram, outcome};
use crate::report::{Shown, groups};
use crate::subjects::BARE;

pub const WORKLOAD: Workload = Workload {
    placements: &[Placement::SameCpu, Placement::Split, Placement::SplitSpin],
    parameters: &[&[
        some("connections", "16", "Connections under way at a time"),
        word("close", "fin,rst", &["fin", "rst"], "How one ends: fin stays in TIME_WAIT"),
        some("size", "64", "Bytes that are echoed on each; at most what a new socket holds"),
    ]],
    costs: &[("ns_per_connection", 100.0), ("server_ns_per_connection", 0.0)],
    least: 1000.0,
    fix: |point| point.number("size") <= 16384.0,
    null: |spec| {
        // A connection to itself is never accepted: the tightest loop stands for the null server.
        let (subject, milliseconds) = (BARE.to_owned(), spec.milliseconds.min(300));
        let null = Spec { subject, server: None, milliseconds, ..spec.clone() };
        (spec.placement != Placement::SameCpu).then_some(null)
    },
    ..Workload::of_servers(
        Shown::table("churn", "Connections that come and go", COLUMNS).drawn(CAPTION, |slices| {
            groups::distribution_charts(slices, "exchange", "from connect to the reply")
        }),
        "Connections that come and go: how many a second, and how soon each has its reply",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("conn/s", "rate", 1.0),
    ("p50 us", "exchange_p50_ns", 1e-3),
    ("p99 us", "exchange_p99_ns", 1e-3),
    ("srv ns", "server_ns_per_connection", 1.0),
    ("TIME_WAIT", "time_wait_growth", 1.0),
];
const CAPTION: &str = "From connect to the reply, over all percentiles; a closed loop, \
    which hides stalls.";

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let before = TimeWait::now();
    let mut outcome = load::with_client(spec, None, run)?;
    let after = TimeWait::now();
    outcome.metric("time_wait_growth", after.count - before.count);
    outcome.flags.extend(after.flags(before));
    Ok(outcome)
}

fn run(ends: &mut Ends<'_>, outcome: &mut Outcome) -> Result<(), Trouble> {
    let duration = ends.spec.duration();
    for index in 0..ends.client.active() {
        ends.client.send(index, index as u64, ends.clock.now())?;
    }
    outcome::settle(duration, |window| {
        let (elapsed, exchange) = come_and_go(ends, window)?;
        Ok(exchange.len() as f64 / elapsed.as_secs_f64())
    })?;
    let meter = Meter::begin(ends.server);
    let (elapsed, exchange) = come_and_go(ends, duration)?;
    let (seconds, done) = (elapsed.as_secs_f64(), exchange.len() as f64);
    outcome.metric("connections_served", done);
    outcome.metric("rate", done / seconds);
    outcome.metric("ns_per_connection", 1e9 * seconds / done.max(1.0));
    let (busy, client) = meter.end(elapsed, done, "server_ns_per_connection", outcome);
    outcome.metric("client_cpu", client);
    outcome.flags.extend(busy.and_then(|busy| checks::server_bound(busy, client)));
    Ok(outcome.distribution("exchange", &exchange)?)
}

/// For so long: each connection that has its reply is closed, and followed by the next at once. How long
/// it really was, and from the call of `connect` to the reply of each.
fn come_and_go(ends: &mut Ends<'_>, duration: Duration) -> io::Result<(Duration, Histogram<u64>)> {
    let (mut exchange, mut over) = (histogram::new(), Vec::new());
    let (elapsed, _) = turns(ends, duration, |ends, wait| {
        ends.client.receive(wait, |index, sent, now| {
            histogram::record(&mut exchange, now - sent.intended);
            over.push(index);
            None
        })?;
        let came = !over.is_empty();
        for index in over.drain(..) {
            let began = ends.clock.now();
            ends.client.redial(index)?;
            ends.client.send(index, began, began)?;
        }
        Ok(came)
    })?;
    Ok((elapsed, exchange))
}
