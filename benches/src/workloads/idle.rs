//! The cost of being connected: what a server and the kernel hold for each connection on which
//! nothing happens, and whether the server sleeps meanwhile.
//!
//! Each connection has had one echo, so everything that the first message makes is there; the first
//! connection of all, which brings in the pages of the program, is nobody's. Then the server is left
//! alone for the length of the slice; whoever wakes up then has a clock of its own.

use std::fs::read_to_string;
use std::io::{BufRead, Write, stdin, stdout};
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
    parameters: &[&[some(
        "connections",
        "1000,5000",
        "Connections that are open; files are the limit",
    )]],
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
    ("heap B", "heap_bytes_per_connection", 1.0),
    ("task B", "task_bytes_per_connection", 1.0),
    ("slab B", "slab_bytes_per_connection", 1.0),
    ("wake-ups", "wakeups", 1.0),
];
const CAPTION: &str = "What each connection has of the heap, without the buffer of 4 KiB that the program \
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
    let mut command = Process::command("idle", subject.name, connections as u64 + 1)?;
    let mut server = Process::server(&mut command)?;
    let watch = Watch::begin(&[server.id()]);
    sys::limit_open_files(None).map_err(|error| error.to_string())?;
    let mut outcome = Outcome::default();
    let connect = |server: &Process, many| Client::connect(server.port, many);
    let first = connect(&server, 1).map_err(|error| error.to_string())?;
    let before = Held::by(&mut server)?;
    let client = match connect(&server, connections) {
        Ok(client) => client,
        Err(error) => {
            outcome.flags.push(refused(&error));
            return Ok(outcome);
        }
    };
    let after = Held::by(&mut server)?;
    let each = |before: f64, after: f64| (after - before) / connections as f64;
    let own = subject.own_buffer as f64;
    let resident = each(before.resident, after.resident);
    outcome.metric("rss_bytes_per_connection", resident);
    outcome.metric("rss_above_buffer_bytes", resident - own);
    outcome.metric("slab_bytes_per_connection", each(before.slab, after.slab));
    if let (Some(before), Some(after)) = (before.heap, after.heap) {
        let heap = each(before, after);
        outcome.metric("heap_bytes_per_connection", heap);
        outcome.metric("task_bytes_per_connection", heap - own);
    }
    rest(&server, spec.duration(), &mut outcome)?;
    outcome.watched = Some(watch.end());
    // The server first: that its peers go away is nothing that it need hear of.
    drop(server);
    drop((first, client));
    Ok(outcome)
}

/// Leaves the server alone for so long, and tells how often it woke up.
fn rest(server: &Process, duration: Duration, outcome: &mut Outcome) -> Result<(), String> {
    let cpu = || sys::process_cpu_time(server.id()).map_err(|error| error.to_string());
    let before = Look::settled(server.id(), PATIENCE)?;
    let used = cpu()?;
    std::thread::sleep(duration);
    let wakeups = Look::at(server.id())?.waits - before.waits;
    let used = cpu()?.saturating_sub(used);
    outcome.metric("wakeups", wakeups as f64);
    outcome.metric("idle_cpu_us", used.as_nanos() as f64 / 1e3);
    let awake = !before.asleep;
    outcome.flags.extend(flag_if(wakeups > 0 || awake, Reason::Restless, || match awake {
        true => "it never fell asleep".to_owned(),
        false => format!("{wakeups} wake-ups with nothing to do"),
    }));
    Ok(())
}

struct Held {
    /// Of the server, in all its mappings.
    resident: f64,
    /// What the server has from its allocator, if that tells.
    heap: Option<f64>,
    /// The kernel's objects, of the whole machine.
    slab: f64,
}

impl Held {
    /// What is held once the server sleeps: what it has still to do would be missing.
    fn by(server: &mut Process) -> Result<Self, String> {
        // Asked first, so that what answering takes is there before and after.
        let _ = server.ask()?;
        Look::settled(server.id(), PATIENCE)?;
        let (_, heap) = server.ask()?;
        // From the exact walk of the page tables, and not the kernel's running estimate.
        let path = format!("/proc/{}/smaps_rollup", server.id());
        let rollup = read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
        Ok(Self {
            resident: 1024.0 * number_after(&rollup, "Rss:").ok_or("it tells no Rss")?,
            heap: (heap >= 0.0).then_some(heap),
            slab: 1024.0 * number_after(&meminfo, "Slab:").unwrap_or(0.0),
        })
    }
}

/// Answers each line of the standard input with `heap BYTES`: what this process has from its allocator
/// at that moment, or -1 where the C library does not tell.
///
/// On a thread of its own, which sleeps until it is asked: the loop that is looked at need not know
/// of it, and its sleep is not disturbed.
pub fn answer_questions() {
    std::thread::spawn(|| {
        for question in stdin().lock().lines() {
            let bytes = sys::heap_in_use().map_or(-1.0, |bytes| bytes as f64);
            // Whoever no longer asks or listens has ended.
            let mut out = stdout().lock();
            if question.is_err()
                || writeln!(out, "heap {bytes}").and_then(|()| out.flush()).is_err()
            {
                return;
            }
        }
    });
}

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let series = groups::curves(slices, "connections", "task_bytes_per_connection");
    let some = |one: &Series| one.points.len() > 1 && one.points.iter().all(|point| point.y > 0.0);
    let series = series.into_iter().filter(some).collect();
    let x = COUNT.of("connections");
    let y = COUNT.of("bytes of heap for each, without its buffer");
    vec![Chart::new("", x, y, series)]
}
