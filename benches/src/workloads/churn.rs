//! Connections that come and go: accept, one echo, close, as fast as it goes.

use super::{Who, Workload, some, word};
use crate::method::dialer::{Close, Dialer, Manner};
use crate::method::ports::TimeWait;
use crate::method::{
    Clock, Meter, Nature, Outcome, Placement, Reason, Server, Slice, Spec, checks, outcome, ports,
    refused,
};
use crate::report::{Chart, Shown, TIME, groups};
use crate::subjects::BARE;

pub const WORKLOAD: Workload = Workload {
    who: Who::Loops(|_| true),
    placements: &[Placement::SameCpu, Placement::Split, Placement::SplitSpin],
    parameters: &[&[
        some("connections", "16", "Connections under way at a time"),
        word("close", "fin,rst", &Close::NAMES, "How the client ends one: fin stays in TIME_WAIT"),
        some("size", "64", "Bytes that are echoed on each; at most what a new socket holds"),
    ]],
    costs: &[("ns_per_connection", 100.0), ("server_ns_per_connection", 0.0)],
    least: 1000.0,
    nature: Nature::Timed,
    fix: |point| point.number("size") <= 16384.0,
    null: |spec| {
        // A connection to itself is never accepted: the tightest loop stands for the null server.
        let mut null = spec.clone();
        BARE.clone_into(&mut null.subject);
        null.server = None;
        null.milliseconds = spec.milliseconds.min(300);
        (spec.placement != Placement::SameCpu).then_some(null)
    },
    ..Workload::new(
        Shown {
            caption: |_| CAPTION.to_owned(),
            charts,
            ..Shown::table("churn", "Connections that come and go", COLUMNS)
        },
        "Connections that come and go: how many a second, and how soon each has its first byte",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("conn/s", "rate", 1.0),
    ("p50 us", "first_byte_p50_ns", 1e-3),
    ("p99 us", "first_byte_p99_ns", 1e-3),
    ("srv ns", "server_ns_per_connection", 1.0),
    ("TIME_WAIT", "time_wait_growth", 1.0),
];
const CAPTION: &str = "From connect to the first byte of the reply, over all percentiles; a closed loop, \
    which hides stalls.";

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let y = TIME.of("from connect to first byte");
    let points = crate::method::compared::points(slices.iter().copied()).into_iter();
    let chart = |(name, here): (String, Vec<&Slice>)| {
        Chart::new(name, super::load::BEYOND, y, groups::distributions(&here, "first_byte"))
    };
    points.map(chart).collect()
}

/// Ports that the fault of few ports leaves.
const FEW: u16 = 32;

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let name = spec.choice("close");
    let close = Close::named(name).ok_or_else(|| format!("{name} closes nothing"))?;
    let server = Server::start(spec, 0)?;
    let manner = Manner {
        address: server.address.ok_or("the null server accepts nothing")?,
        close,
        size: spec.count("size").max(1),
        spinning: spec.placement.client_spins(),
        ports: (spec.fault.as_deref() == Some("few-ports")).then(|| {
            let (first, last) = ports::range();
            (first, first.saturating_add(FEW - 1).min(last))
        }),
    };
    let mut outcome = Outcome::default();
    let before = TimeWait::now();
    let opened = Dialer::open(manner, spec.count("connections").max(1), Clock::new());
    let result = opened.and_then(|mut dialer| {
        let ended = run(spec, &server, &mut dialer, &mut outcome);
        if dialer.errors > 0 {
            outcome.flag(Reason::Errors, format!("{} connections had no echo", dialer.errors));
        }
        // Before the connections that are under way are closed: it would take a reset ill.
        drop(server);
        ended.map(|()| dialer)
    });
    let after = TimeWait::now();
    outcome.flags.extend(after.flags(before));
    match result {
        Ok(dialer) => {
            outcome.metric("time_wait_growth", after.count - before.count);
            outcome.distribution("first_byte", &dialer.first_byte)?;
        }
        Err(error) => outcome.flags.push(refused(&error)),
    }
    Ok(outcome)
}

fn run(
    spec: &Spec,
    server: &Server,
    dialer: &mut Dialer,
    outcome: &mut Outcome,
) -> std::io::Result<()> {
    outcome::settle(spec.duration(), |window| {
        dialer.forget();
        let elapsed = dialer.run(window)?;
        Ok(dialer.done as f64 / elapsed.as_secs_f64())
    })?;
    dialer.forget();
    let meter = Meter::begin(server);
    let elapsed = dialer.run(spec.duration())?;
    let (seconds, done) = (elapsed.as_secs_f64(), dialer.done as f64);
    outcome.metric("connections_served", done);
    outcome.metric("rate", done / seconds);
    outcome.metric("ns_per_connection", 1e9 * seconds / done.max(1.0));
    let (busy, client) = meter.end(elapsed, done, "server_ns_per_connection", outcome);
    outcome.metric("client_cpu", client);
    outcome.flags.extend(busy.and_then(|busy| checks::server_bound(busy, client)));
    Ok(())
}
