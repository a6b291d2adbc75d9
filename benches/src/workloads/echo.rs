//! The closed loop: each connection has `depth` messages under way, and sends the next when a
//! reply comes. It shows capacity and the cost of a request; it hides stalls, which `load` shows.

use std::io;
use std::time::Duration;

use super::{Ends, WIRE, Workload, load};
use crate::method::{Meter, Outcome, Placement, Recorder, Spec, checks, outcome};
use crate::report::Shown;

pub const WORKLOAD: Workload = Workload {
    placements: &[Placement::SameCpu, Placement::Split, Placement::SplitSpin, Placement::SpinSpin],
    parameters: &[WIRE],
    costs: &[("ns_per_request", 100.0), ("server_ns_per_request", 0.0)],
    least: 100.0,
    ..Workload::of_servers(
        Shown::table("echo", "As fast as the replies come", COLUMNS),
        "Closed loop against a server: capacity and the cost of a request. It hides stalls: quote \
         latency under load from `load`",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("req/s", "rate", 1.0),
    ("p50 us", "service_p50_ns", 1e-3),
    ("p99 us", "service_p99_ns", 1e-3),
    ("srv ns", "server_ns_per_request", 1.0),
];

/// So long nothing may come before the server counts as gone.
const PATIENCE: Duration = Duration::from_secs(5);

fn measure(spec: &Spec) -> Result<Outcome, String> {
    load::with_client(spec, Some(0), |ends, outcome| {
        let measured = closed(ends, outcome);
        ends.client.drain(Duration::from_millis(200));
        let (recorder, elapsed) = measured?;
        Ok(recorder.tell(elapsed, outcome)?)
    })
}

/// Warms up, measures, and tells all but the histograms.
fn closed(ends: &mut Ends<'_>, outcome: &mut Outcome) -> io::Result<(Recorder, Duration)> {
    let Ends { spec, server, clock, .. } = *ends;
    let depth = spec.count("depth").max(1);
    let active = ends.client.active();
    let under_way = (active * depth) as f64;
    let mut number = 0;
    for index in (0..depth).flat_map(|_| 0..active) {
        number += 1;
        ends.client.send(index, number, clock.now())?;
    }
    outcome::settle(spec.duration(), |window| {
        let (recorder, elapsed, _) = run(ends, &mut number, window)?;
        Ok(recorder.response.len() as f64 / elapsed.as_secs_f64())
    })?;
    let meter = Meter::begin(server);
    let (mut recorder, elapsed, idle) = run(ends, &mut number, spec.duration())?;
    let seconds = elapsed.as_secs_f64();
    let replies = recorder.response.len() as f64;
    let (busy, mut client) = meter.end(elapsed, replies, "server_ns_per_request", outcome);
    if spec.placement.client_spins() {
        client = 1.0 - idle.as_secs_f64() / seconds;
    }
    let rate = replies / seconds;
    outcome.metric("client_cpu", client);
    outcome.metric("ns_per_request", 1e9 / rate);
    outcome.flags.extend(busy.and_then(|busy| checks::server_bound(busy, client)));
    let latency = recorder.mean_service();
    outcome.metric("little", rate * latency / under_way);
    outcome.flags.extend(checks::little(under_way, rate, latency));
    // In a closed loop nothing is intended but what is sent: one histogram tells all.
    recorder.response.reset();
    Ok((recorder, elapsed))
}

/// Runs for so long; what was recorded, and what [`turns`] tells.
fn run(
    ends: &mut Ends<'_>,
    number: &mut u64,
    duration: Duration,
) -> io::Result<(Recorder, Duration, Duration)> {
    let fault = ends.spec.fault.as_deref();
    let mut recorder = Recorder::new(u64::MAX);
    recorder.break_on_purpose(fault, 0);
    let (elapsed, idle) = turns(ends, duration, |ends, wait| {
        ends.client.receive(wait, |_, sent, now| {
            recorder.reply(sent, now);
            if fault == Some("slow-generator") {
                std::thread::sleep(Duration::from_micros(300));
            }
            *number += 1;
            Some((*number, now))
        })
    })?;
    Ok((recorder, elapsed, idle))
}

/// Looks for replies for so long, each time as long as `turn` is told; how long it really was, and how
/// much of that nothing came.
pub fn turns(
    ends: &mut Ends<'_>,
    duration: Duration,
    mut turn: impl FnMut(&mut Ends<'_>, Option<Duration>) -> io::Result<bool>,
) -> io::Result<(Duration, Duration)> {
    let wait = (!ends.spec.placement.client_spins()).then_some(PATIENCE);
    let began = ends.clock.now();
    let (mut now, mut last, mut idle) = (began, began, 0);
    while now - began < duration.as_nanos() as u64 {
        let came = turn(ends, wait)?;
        let looked = ends.clock.now();
        if came {
            last = looked;
        } else {
            idle += looked - now;
            if looked - last > PATIENCE.as_nanos() as u64 {
                return Err(io::Error::other("a reply never came"));
            }
        }
        now = looked;
    }
    Ok((Duration::from_nanos(now - began), Duration::from_nanos(idle)))
}
