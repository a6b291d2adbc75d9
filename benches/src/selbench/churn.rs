//! Connections that come and go: accept, one echo, close, as fast as it goes.

use std::time::Duration;

use super::checks::{self, Flag, Reason};
use super::connections::Clock;
use super::dialer::{Close, Dialer, Manner};
use super::ports::{self, TimeWait};
use super::quiet::Watch;
use super::schema::Spec;
use super::server::Server;
use super::work::{self, Outcome};
use crate::sys;
use crate::work::Accepting;

/// Ports that the fault of few ports leaves.
const FEW: u16 = 32;

/// What a slice of `churn` tells: connections a second, the time from `connect` to the first byte
/// of the reply, the server's CPU for each connection, and what the kernel keeps of them.
///
/// # Errors
///
/// In words: what could not be set up.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    let name = spec.choice("close");
    let close = Close::named(name).ok_or_else(|| format!("{name} closes nothing"))?;
    let accepting = Accepting {
        listeners: spec.count("listeners").max(1),
        backlog: i32::try_from(spec.count("backlog").max(1)).unwrap_or(i32::MAX),
        batch: spec.count("accept_batch"),
    };
    let server = Server::accepting(spec, &accepting)?;
    let manner = Manner {
        address: server.address,
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
            outcome.flags.push(Flag {
                reason: Reason::Errors,
                detail: format!("{} connections had no echo", dialer.errors),
            });
        }
        // Before the connections that are under way are closed: it would take a reset ill.
        drop(server);
        ended.map(|()| dialer)
    });
    let after = TimeWait::now();
    outcome.flags.extend(after.flags(before));
    match result {
        Ok(dialer) => {
            let growth = after.count - before.count;
            outcome.metric("time_wait_growth", growth);
            outcome.distribution("first_byte", &dialer.first_byte)?;
        }
        Err(error) => outcome.flags.push(work::refused(&error)),
    }
    Ok(outcome)
}

fn run(
    spec: &Spec,
    server: &Server,
    dialer: &mut Dialer,
    outcome: &mut Outcome,
) -> std::io::Result<()> {
    warm_up(dialer, Duration::from_millis(spec.milliseconds.min(1000)))?;
    dialer.forget();
    let watch = Watch::begin(server.id().as_slice());
    let (used, own) = (server.cpu(), sys::process_cpu_time(std::process::id())?);
    let elapsed = dialer.run(Duration::from_millis(spec.milliseconds))?;
    outcome.quiet = Some(watch.end());
    let own = sys::process_cpu_time(std::process::id())?.saturating_sub(own);
    let seconds = elapsed.as_secs_f64();
    let done = dialer.done as f64;
    outcome.metric("connections_served", done);
    outcome.metric("rate", done / seconds);
    outcome.metric("ns_per_connection", 1e9 * seconds / done.max(1.0));
    outcome.metric("client_cpu", own.as_secs_f64() / seconds);
    if let (Some(before), Some(after)) = (used, server.cpu()) {
        let used = after.saturating_sub(before);
        let busy = used.as_secs_f64() / seconds;
        outcome.metric("server_cpu", busy);
        let each = used.as_nanos() as f64 / done.max(1.0);
        outcome.metric("server_ns_per_connection", each);
        let client = own.as_secs_f64() / seconds;
        outcome.flags.extend(checks::server_bound(busy, client));
    }
    Ok(())
}

/// Runs until two windows that follow each other agree within 5 %.
fn warm_up(dialer: &mut Dialer, most: Duration) -> std::io::Result<()> {
    let mut last = 0.0_f64;
    for _ in 0..10 {
        dialer.forget();
        let elapsed = dialer.run(most / 10)?;
        let rate = dialer.done as f64 / elapsed.as_secs_f64();
        if (rate - last).abs() < 0.05 * rate {
            break;
        }
        last = rate;
    }
    Ok(())
}
