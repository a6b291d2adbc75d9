//! The cost of being connected: what a server and the kernel hold for each connection on which
//! nothing happens, and whether the server sleeps meanwhile.
//!
//! Each connection has had one echo, so everything that the first message makes is there. Then the
//! server is left alone for the length of the slice; whoever wakes up then has a clock of its own.

use std::fs::read_to_string;
use std::time::Duration;

use super::asleep::Look;
use super::checks::{Flag, Reason, flag_if};
use super::quiet::Watch;
use super::schema::Spec;
use super::work::{self, Outcome};
use crate::client::Client;
use crate::process::{self, Process};
use crate::subject::Subject;
use crate::{sys, timed};

/// How long a server may take to fall asleep after its last connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a slice of `idle` tells: bytes for each of `connections`, and wake-ups.
///
/// # Errors
///
/// In words: no such subject, or one that cannot be looked at.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    let connections = spec.count("connections").max(1);
    let subject = Subject::named(spec.program())
        .ok_or_else(|| format!("no subject is named {}", spec.subject))?;
    // Both ends on one CPU: nothing is timed, and setting up is faster so.
    let _ = sys::pin_to_cpu(spec.placement.server_cpu());
    let mut command = Process::command("idle", subject.name, connections as u64)?;
    let mut server = Process::server_to_ask(&mut command, process::Placement::Free)?;
    let watch = Watch::begin(&[server.id()]);
    sys::raise_open_files().map_err(|error| error.to_string())?;
    let mut outcome = Outcome::default();
    let before = Held::by(&mut server)?;
    let client = match Client::connect(server.port, connections) {
        Ok(client) => client,
        Err(error) => {
            outcome.flags.push(work::refused(&error));
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
    rest(
        &server,
        Duration::from_millis(spec.milliseconds),
        &mut outcome,
    )?;
    outcome.quiet = Some(watch.end());
    // The server first: that its peers go away is nothing that it need hear of.
    drop(server);
    drop(client);
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
    outcome.flags.extend(restless(wakeups, !before.asleep));
    Ok(())
}

/// A label for a server that does not let the machine rest.
fn restless(wakeups: u64, awake: bool) -> Option<Flag> {
    flag_if(wakeups > 0 || awake, Reason::Restless, || {
        if awake {
            "it never fell asleep".to_owned()
        } else {
            format!("{wakeups} wake-ups with nothing to do")
        }
    })
}

/// Memory, in bytes.
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
        Ok(Self {
            resident: timed::resident(server)?,
            heap: (heap >= 0.0).then_some(heap),
            slab: slab(&read_to_string("/proc/meminfo").unwrap_or_default()),
        })
    }
}

/// The line `Slab` of `/proc/meminfo`, in bytes; zero if there is none.
fn slab(text: &str) -> f64 {
    text.lines()
        .find_map(|line| line.strip_prefix("Slab:")?.trim().strip_suffix(" kB"))
        .and_then(|kilobytes| kilobytes.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_objects_are_told_in_kilobytes() {
        let text = "MemFree:  1 kB\nSlab:           20 kB\nSReclaimable:    7 kB\n";
        assert_eq!(slab(text) as u64, 20 * 1024);
        assert_eq!(slab("") as u64, 0);
    }

    #[test]
    fn only_the_restless_are_labelled() {
        assert!(restless(0, false).is_none());
        for flag in [restless(1, false), restless(0, true)] {
            let reason = flag.unwrap().reason;
            assert_eq!(reason, Reason::Restless);
            assert!(!reason.invalidates(), "it is a finding about the subject");
        }
    }
}
