//! The open loop: latency at a given rate, measured from the moment each message was due.

use std::io;
use std::time::Duration;

use super::checks::{self, Flag, Reason};
use super::connections::{Clock, Connections};
use super::histogram;
use super::open::{Open, Phase};
use super::quiet::Watch;
use super::schema::Spec;
use super::server::{self, Server};
use super::work::{self, Outcome};
use crate::sys;

/// What a slice of `load` tells.
///
/// # Errors
///
/// In words: what could not be set up.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    with_client(spec, 0, |server, client, clock, outcome| {
        run(spec, server, client, clock, outcome)
    })
}

/// Starts the server, opens the connections that `spec` asks for, of which the server must accept
/// `more` than it says, and lets `run` measure; the inner result is the kernel's.
///
/// # Errors
///
/// In words: what could not be set up, and those of `run`.
pub(super) fn with_client(
    spec: &Spec,
    more: usize,
    run: impl FnOnce(&Server, &mut Connections, Clock, &mut Outcome) -> Result<io::Result<()>, String>,
) -> Result<Outcome, String> {
    let (connections, idle) = (spec.count("connections").max(1), spec.count("idle"));
    let server = Server::start(spec, connections + idle + more)?;
    // Only matters to a generator that sleeps: it then wakes as soon as the kernel can.
    let _ = sys::load::set_timer_slack(1);
    if spec.fault.as_deref() == Some("few-files") {
        sys::load::limit_open_files(32).map_err(|error| error.to_string())?;
    }
    let clock = Clock::new();
    let mut outcome = Outcome::default();
    let opened = Connections::open(server.address, connections, idle, spec.count("size"), clock);
    let mut client = match opened {
        Ok(client) => client,
        Err(error) => {
            outcome.flags.push(work::refused(&error));
            return Ok(outcome);
        }
    };
    if let Err(error) = run(&server, &mut client, clock, &mut outcome)? {
        outcome.flags.push(work::refused(&error));
    }
    if client.errors > 0 {
        outcome.flags.push(Flag {
            reason: Reason::Errors,
            detail: format!("{} replies were not what was sent", client.errors),
        });
    }
    // Before the connections close: it would take a reset ill.
    drop(server);
    Ok(outcome)
}

/// How long a run of so long warms up.
pub(super) fn warm_up(duration: Duration) -> Duration {
    (duration / 4).min(Duration::from_secs(1))
}

fn run(
    spec: &Spec,
    server: &Server,
    client: &mut Connections,
    clock: Clock,
    outcome: &mut Outcome,
) -> Result<io::Result<()>, String> {
    let duration = Duration::from_millis(spec.milliseconds);
    let warm_up = warm_up(duration);
    let rate = spec.number("rate").max(1.0);
    let depth = spec.count("depth").max(1);
    let under_way = (client.active() * depth) as f64;
    let watch = Watch::begin(server.id().as_slice());
    let cpu = server.cpu();
    let stopping = match (spec.number("stop_ms"), server.id()) {
        (pause, Some(pid)) if pause > 0.0 => Some(server::stop_once(
            pid,
            spec.placement.server_cpu(),
            warm_up + duration / 4,
            Duration::from_secs_f64(pause / 1e3),
        )),
        _ => None,
    };
    let mut open = Open::new(spec, clock, warm_up, &[Phase { rate, duration }]);
    open.recorder.break_on_purpose(
        spec.fault.as_deref(),
        (1e9 / rate * client.active() as f64) as u64,
    );
    let ended = open.run(client, depth);
    outcome.quiet = Some(watch.end());
    outcome.metric("offered", rate);
    let seconds = (duration + warm_up).as_secs_f64();
    if let (Some(before), Some(after)) = (cpu, server.cpu()) {
        outcome.metric(
            "server_cpu",
            (after.saturating_sub(before)).as_secs_f64() / seconds,
        );
    }
    outcome.metric("client_cpu", 1.0 - open.idle_ns as f64 / 1e9 / seconds);
    judge(client, &open, outcome);
    if let Some(stopping) = stopping {
        let stopped = stopping
            .join()
            .map_err(|_| "the thread that stops the server panicked".to_owned())?
            .map_err(|error| format!("the server cannot be stopped: {error}"))?;
        sing(&open, rate, stopped, under_way, outcome);
    }
    open.recorder.tell(duration, outcome)?;
    Ok(ended)
}

/// The canary: what a stop of the server must look like.
fn sing(open: &Open, rate: f64, stopped: Duration, under_way: f64, outcome: &mut Outcome) {
    outcome.metric("stopped_ms", stopped.as_secs_f64() * 1e3);
    let longer = |histogram: &hdrhistogram::Histogram<u64>, seconds: f64| {
        let bound = (seconds * 1e9) as u64;
        histogram.count_between(bound, u64::MAX) as f64
    };
    outcome.flags.extend(checks::canary(
        rate,
        stopped.as_secs_f64(),
        under_way,
        |seconds| longer(&open.recorder.response, seconds),
        |seconds| longer(&open.recorder.service, seconds),
    ));
}

/// Few samples, lag, backlog, replies that never came.
pub(super) fn judge(client: &Connections, open: &Open, outcome: &mut Outcome) {
    let recorder = &open.recorder;
    let p99 = |histogram: &hdrhistogram::Histogram<u64>| histogram.value_at_percentile(99.0) as f64;
    if histogram::percentile(&recorder.response, 99.0).is_none() {
        outcome.flags.push(Flag {
            reason: Reason::FewSamples,
            detail: format!("{} replies are too few for p99", recorder.response.len()),
        });
    }
    outcome.flags.extend(checks::generator_lag(
        p99(&recorder.lag),
        p99(&recorder.response),
    ));
    let unsent = open.unsent;
    outcome.metric("unsent", unsent as f64);
    outcome
        .flags
        .extend(checks::flag_if(unsent > 0, Reason::Backlog, || {
            format!("{unsent} messages were due and not sent when the time was over")
        }));
    let lost = client.under_way();
    outcome
        .flags
        .extend(checks::flag_if(lost > 0, Reason::Lost, || {
            format!("{lost} replies never came")
        }));
}
