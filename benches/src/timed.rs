//! Runs under nothing: CPU time, memory and round trips of a subject as it really is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::Client;
use crate::process::{Placement, Process};
use crate::sys;

/// How long a slice of echoes is.
#[derive(Clone, Copy)]
pub struct Slice {
    /// Connections that are open.
    pub connections: usize,
    /// How many of them each round uses.
    pub active: usize,
    /// Echoes that are measured, about; a quarter as many come before, as warm-up.
    pub echoes: usize,
}

/// Server CPU per echo, in nanoseconds, by the scheduler's account of a fresh process.
///
/// # Errors
///
/// A run that failed, in words.
pub fn cpu_per_echo(subject: &str, slice: Slice) -> Result<f64, String> {
    Placement::OneCpu.run(|| {
        let (server, mut client) = connected(subject, slice.connections, Placement::OneCpu)?;
        let rounds = slice.echoes.div_ceil(slice.active);
        let mut run = |rounds: usize| (0..rounds).try_for_each(|_| client.round_of(slice.active));
        run(rounds.div_ceil(4)).map_err(|error| error.to_string())?;
        let before = cpu(&server)?;
        run(rounds).map_err(|error| error.to_string())?;
        let used = cpu(&server)? - before;
        drop(client);
        server.facts()?;
        Ok(used.as_nanos() as f64 / (rounds * slice.active) as f64)
    })
}

/// Resident memory of the server for each of `connections`, in bytes, above the server with one
/// and above `own_buffer`. Each has had one echo; the one that came first has paid for the pages of
/// the program.
///
/// # Errors
///
/// A run that failed, in words.
pub fn memory_per_connection(
    subject: &str,
    connections: usize,
    own_buffer: usize,
) -> Result<f64, String> {
    Placement::OneCpu.run(|| {
        let mut command = Process::command("serve", subject, connections as u64 + 1)?;
        let server = Process::server(&mut command, Placement::OneCpu)?;
        let connect = |many| Client::connect(server.port, many).map_err(|e| e.to_string());
        let first = connect(1)?;
        let before = resident(&server)?;
        let others = connect(connections)?;
        let after = resident(&server)?;
        drop((first, others));
        server.facts()?;
        Ok((after - before) / connections as f64 - own_buffer as f64)
    })
}

/// The median round trip of one connection between two CPUs, in microseconds.
///
/// # Errors
///
/// A run that failed, in words.
pub fn round_trip(subject: &str, rounds: usize) -> Result<f64, String> {
    Placement::Split.run(|| {
        let (server, mut client) = connected(subject, 1, Placement::Split)?;
        client
            .round_trips(rounds / 4)
            .map_err(|error| error.to_string())?;
        let mut trips = client
            .round_trips(rounds)
            .map_err(|error| error.to_string())?;
        trips.sort_unstable();
        drop(client);
        server.facts()?;
        Ok(trips[trips.len() / 2].as_nanos() as f64 / 1000.0)
    })
}

/// One fact of a work without sockets, run plainly and unpinned.
///
/// # Errors
///
/// A run that failed, in words.
pub fn fact(subject: &str, work: &str, count: u64, name: &str) -> Result<f64, String> {
    let facts = facts(subject, work, count)?;
    facts
        .get(name)
        .copied()
        .ok_or_else(|| format!("{work} tells no {name}"))
}

/// All facts of a work without sockets, run plainly and unpinned.
///
/// # Errors
///
/// A run that failed, in words.
pub fn facts(subject: &str, work: &str, count: u64) -> Result<BTreeMap<String, f64>, String> {
    Process::start(&mut Process::command(work, subject, count)?)?.facts()
}

fn connected(
    subject: &str,
    connections: usize,
    placement: Placement,
) -> Result<(Process, Client), String> {
    let mut command = Process::command("serve", subject, connections as u64)?;
    let server = Process::server(&mut command, placement)?;
    let client = Client::connect(server.port, connections).map_err(|error| error.to_string())?;
    Ok((server, client))
}

fn cpu(server: &Process) -> Result<Duration, String> {
    sys::process_cpu_time(server.id()).map_err(|error| format!("the server's clock: {error}"))
}

/// Resident bytes, from the exact walk of the page tables and not the kernel's running estimate.
pub(crate) fn resident(server: &Process) -> Result<f64, String> {
    let path = format!("/proc/{}/smaps_rollup", server.id());
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("Rss:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        })
        .map(|kilobytes: f64| kilobytes * 1024.0)
        .ok_or_else(|| format!("{path} tells no Rss"))
}
