//! The cost of being connected: what a server and the kernel hold for each connection on which
//! nothing happens, and whether the server sleeps meanwhile.
//!
//! Each connection has had one echo, so everything that the first message makes is there; the first
//! connection of all, which brings in the pages of the program, is nobody's. Then the server is left
//! alone for the length of the slice; whoever wakes up then has a clock of its own.

use std::fs::read_to_string;
use std::time::Duration;

use super::{Who, Workload, some};
use crate::method::asleep::Look;
use crate::method::quiet::number_after;
use crate::method::{
    Client, Nature, Outcome, Placement, Process, Reason, Slice, Spec, Watch, flag_if, refused,
};
use crate::report::{COUNT, Chart, Series, Shown, groups};
use crate::{subjects, sys};

pub const WORKLOAD: Workload = Workload {
    who: Who::Loops(|subject| subject.inside && !subject.spins),
    placements: &[Placement::SameCpu],
    parameters: &[&[some("connections", "1000,5000", "Open ones; files are the limit")]],
    costs: &[("rss_bytes_per_connection", 0.0)],
    // A page for each sixty connections: the bare loop, which has nothing for each, has no ratio.
    least: 64.0,
    nature: Nature::Counted,
    ..Workload::new(
        Shown::table("idle", "The cost of being connected", COLUMNS).drawn(CAPTION, charts),
        "The cost of being connected: memory of server and kernel, and wake-ups while nothing happens",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("RSS B", "rss_bytes_per_connection", 1.0),
    ("own B", "rss_above_buffer_bytes", 1.0),
    ("slab B", "slab_bytes_per_connection", 1.0),
    ("wake-ups", "wakeups", 1.0),
];
const CAPTION: &str = "What is resident for each connection, without the buffer of 4 KiB that the program \
    itself asks for. The kernel's part in the table (slab, both ends) is of the whole machine, so other \
    programs move it. A server with nothing to do must not wake up.";

/// How long a server may take to fall asleep after its last connection.
const PATIENCE: Duration = Duration::from_secs(10);

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let connections = spec.count("connections").max(1);
    let subject = subjects::named(spec.program())
        .ok_or_else(|| format!("no subject is named {}", spec.subject))?;
    // Both ends on one CPU: nothing is timed, and setting up is faster so.
    let _ = sys::pin_to_cpu(spec.placement.server_cpu());
    let mut command = Process::command("serve", subject.name, connections as u64 + 1)?;
    let server = Process::server(&mut command)?;
    let watch = Watch::begin(&[server.id()]);
    sys::limit_open_files(None).map_err(|error| error.to_string())?;
    let mut outcome = Outcome::default();
    let first = Client::connect(server.port, 1).map_err(|error| error.to_string())?;
    let before = held(&server)?;
    let client = match Client::connect(server.port, connections) {
        Ok(client) => client,
        Err(error) => {
            outcome.flags.push(refused(&error));
            return Ok(outcome);
        }
    };
    let after = held(&server)?;
    let [resident, slab] = [0, 1].map(|of| (after[of] - before[of]) / connections as f64);
    outcome.metric("rss_bytes_per_connection", resident);
    outcome.metric("rss_above_buffer_bytes", resident - subject.own_buffer as f64);
    outcome.metric("slab_bytes_per_connection", slab);
    rest(&server, spec.duration(), &mut outcome)?;
    outcome.watched = Some(watch.end());
    // The server first: that its peers go away is nothing that it need hear of.
    drop(server);
    drop((first, client));
    Ok(outcome)
}

/// Leaves the server alone for so long, and tells how often it woke up.
fn rest(server: &Process, duration: Duration, outcome: &mut Outcome) -> Result<(), String> {
    let before = Look::settled(server.id(), PATIENCE)?;
    std::thread::sleep(duration);
    let wakeups = Look::at(server.id())?.waits - before.waits;
    outcome.metric("wakeups", wakeups as f64);
    let awake = !before.asleep;
    outcome.flags.extend(flag_if(wakeups > 0 || awake, Reason::Restless, || match awake {
        true => "it never fell asleep".to_owned(),
        false => format!("{wakeups} wake-ups with nothing to do"),
    }));
    Ok(())
}

/// Bytes that are resident, and those of the kernel's objects, of the whole machine; once the server sleeps,
/// for what it has still to do would be missing.
fn held(server: &Process) -> Result<[f64; 2], String> {
    Look::settled(server.id(), PATIENCE)?;
    // From the exact walk of the page tables, and not the kernel's running estimate.
    let path = format!("/proc/{}/smaps_rollup", server.id());
    let rollup = read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
    let resident = number_after(&rollup, "Rss:").ok_or("it tells no Rss")?;
    Ok([1024.0 * resident, 1024.0 * number_after(&meminfo, "Slab:").unwrap_or(0.0)])
}

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let series = groups::curves(slices, "connections", "rss_above_buffer_bytes");
    let some = |one: &Series| one.points.len() > 1 && one.points.iter().all(|point| point.y > 0.0);
    let series = series.into_iter().filter(some).collect();
    let x = COUNT.of("connections");
    let y = COUNT.of("bytes for each, without its buffer");
    vec![Chart::new("", x, y, series)]
}
