//! Server CPU for an echo against the number of connections: all in lockstep, both ends on one CPU in
//! turns, so that what is measured is the server's own cost and not its waiting. With some of the
//! connections active it shows what looking at the others costs.

use std::time::{Duration, Instant};

use super::{Who, Workload, number, some};
use crate::method::{Client, Outcome, Placement, Process, Slice, Spec, Watch, process, refused};
use crate::report::{COUNT, Chart, Shown, TIME, groups};
use crate::sys;

pub const WORKLOAD: Workload = Workload {
    who: Who::Loops(|subject| !subject.spins),
    placements: &[Placement::SameCpu],
    parameters: &[&[
        some("connections", "1,100,1000", "Connections that are open"),
        number("active_percent", "1,100", "How many of them are active in a round; one at least"),
    ]],
    costs: &[("server_ns_per_echo", 0.0)],
    least: 100.0,
    ..Workload::new(
        Shown::table("scaling", "Server CPU for an echo", COLUMNS).drawn(CAPTION, charts),
        "Server CPU for an echo against the number of connections and how many are active, in lockstep",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] =
    &[("srv ns", "server_ns_per_echo", 1.0), ("echoes", "echoes", 1.0)];
const CAPTION: &str = "User and kernel, from the scheduler's account. With every connection active all \
    backends cost about the same: each report is paid for by an echo. With few active each echo also pays \
    for the sockets that select and poll look at; epoll does not see them.";

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let shares = groups::values(slices.iter().map(|one| one.spec.number("active_percent")));
    let x = COUNT.of("connections");
    let y = TIME.of("CPU time for an echo");
    let chart = |share: f64| {
        let here = groups::those(slices, |one| one.spec.number("active_percent") == share);
        let series = groups::curves(&here, "connections", "server_ns_per_echo");
        Chart::new(format!("{share} % active"), x, y, series)
    };
    shares.into_iter().map(chart).collect()
}

fn measure(spec: &Spec) -> Result<Outcome, String> {
    process::in_turns(|| {
        let connections = spec.count("connections").max(1);
        let active = (connections as f64 * spec.number("active_percent") / 100.0).round() as usize;
        let active = active.clamp(1, connections);
        let _ = sys::limit_open_files(None);
        let server =
            Process::server(&mut Process::command("serve", spec.program(), connections as u64)?)?;
        let mut outcome = Outcome::default();
        let run = || -> std::io::Result<(Duration, usize, Watch)> {
            let mut client = Client::connect(server.port, connections)?;
            let mut rounds = |time: Duration| -> std::io::Result<usize> {
                let (mut count, begin) = (0, Instant::now());
                while count < 3 || begin.elapsed() < time {
                    client.round_of(active)?;
                    count += 1;
                }
                Ok(count)
            };
            rounds(spec.duration() / 4)?;
            let watch = Watch::begin(&[server.id()]);
            let before = sys::process_cpu_time(server.id())?;
            let rounds = rounds(spec.duration())?;
            let used = sys::process_cpu_time(server.id())?.saturating_sub(before);
            Ok((used, rounds * active, watch))
        };
        match run() {
            Ok((used, echoes, watch)) => {
                outcome.watched = Some(watch.end());
                outcome.metric("echoes", echoes as f64);
                outcome.metric("server_ns_per_echo", used.as_nanos() as f64 / echoes as f64);
            }
            Err(error) => outcome.flags.push(refused(&error)),
        }
        Ok(outcome)
    })
}
