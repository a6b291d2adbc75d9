//! The checks: what each runs, and how.

use std::process::{Child, Command, Stdio};

use benches::selbench::checks::{self, Flag};
use benches::selbench::placement::Placement;
use benches::selbench::schema::{Slice, Spec, Workload};
use benches::selbench::server;

use super::clock;
use super::fault::Fault;
use super::verdict::Found;
use crate::arguments::Common;
use crate::{loads, plan, slices};

/// Messages a second in the tests of the generator: far below anyone's capacity.
const RATE: f64 = 5000.0;
/// Fewer where the generator's own lateness is looked for: it must not drown in the server's.
const LAG_RATE: f64 = 500.0;
/// Attempts of a check that a busy machine can disturb.
const ATTEMPTS: usize = 3;

/// A check.
pub(super) struct Trial {
    /// At the beginning of its line.
    pub(super) name: &'static str,
    /// The faults that it must find.
    pub(super) faults: &'static [Fault],
    /// Runs it, with one of them or with none.
    pub(super) run: fn(Option<Fault>) -> Result<Found, String>,
}

/// All of them.
pub(super) const ALL: &[Trial] = &[
    Trial {
        name: "clock",
        faults: &[Fault::SteppingClock],
        run: |fault| {
            let (flags, words) = clock::check(fault.is_some());
            Ok(Found::of(&flags, words))
        },
    },
    Trial {
        name: "generator headroom",
        faults: &[Fault::SlowGenerator],
        run: headroom,
    },
    Trial {
        name: "generator lag",
        faults: &[Fault::SleepingGenerator],
        run: |fault| attempt(load(64.0, LAG_RATE, 0.0), fault),
    },
    Trial {
        name: "nothing left unsent",
        faults: &[Fault::Flood, Fault::FewFiles],
        run: |fault| attempt(load(64.0, 4.0 * RATE, 0.0), fault),
    },
    Trial {
        name: "ports for connections",
        faults: &[Fault::FewPorts],
        run: |fault| attempt(churn(), fault),
    },
    Trial {
        name: "omission canary",
        faults: &[Fault::CorrectedHistogram, Fault::CoordinatedOmission],
        run: |fault| attempt(load(8.0, RATE, 100.0), fault),
    },
    Trial {
        name: "Little's law",
        faults: &[Fault::HalvedLatency],
        run: |fault| attempt(echo(Placement::SameCpu, 8.0, 64.0), fault),
    },
    Trial {
        name: "server-bound proof",
        faults: &[Fault::SleepingServer],
        run: |fault| attempt(echo(Placement::SplitSpin, 64.0, 64.0), fault),
    },
    Trial {
        name: "payload verified",
        faults: &[Fault::DroppedReply, Fault::WrongByte, Fault::Reset],
        run: |fault| attempt(echo(Placement::SameCpu, 8.0, 1024.0), fault),
    },
    Trial {
        name: "shape of the curves",
        faults: &[Fault::SwappedSubjects],
        run: shapes,
    },
    Trial {
        name: "quiet machine",
        faults: &[Fault::NoisyNeighbour],
        run: quiet,
    },
];

fn load(connections: f64, rate: f64, stop: f64) -> Spec {
    let numbers = [
        ("connections", connections),
        ("depth", 1.0),
        ("idle", 0.0),
        ("size", 64.0),
        ("rate", rate),
        ("stop_ms", stop),
    ];
    let words = [("arrivals", "even")];
    let mut spec = plan::point(
        Workload::Load,
        Placement::SplitSpin,
        &Common::of(800),
        &numbers,
        &words,
    );
    server::NULL.clone_into(&mut spec.subject);
    spec
}

fn echo(placement: Placement, connections: f64, size: f64) -> Spec {
    let numbers = [
        ("connections", connections),
        ("depth", 1.0),
        ("idle", 0.0),
        ("size", size),
    ];
    let mut spec = plan::point(Workload::Echo, placement, &Common::of(800), &numbers, &[]);
    server::NULL.clone_into(&mut spec.subject);
    spec
}

/// A few thousand connections at most: what they leave behind must not be in the way of others.
fn churn() -> Spec {
    let mut spec = loads::churn_point(&Common::of(60), "fin", Placement::SameCpu);
    server::NULL.clone_into(&mut spec.subject);
    spec
}

/// Runs a slice, up to three times: a busy machine can make the generator late, or so late that a
/// fault drowns in it. Only what fails each time has failed, and a fault may be found at any time.
fn attempt(spec: Spec, fault: Option<Fault>) -> Result<Found, String> {
    let spec = match fault {
        Some(fault) => fault.breaks(spec),
        None => spec,
    };
    let mut left = ATTEMPTS;
    loop {
        let slice = slices::measure(&spec)?;
        let found = Found::of(&slice.flags, summary(&slice));
        left -= 1;
        let done = match fault {
            Some(fault) => fault.is_in(&found),
            None => found.wrong().next().is_none(),
        };
        if done || left == 0 {
            return Ok(found);
        }
    }
}

impl Fault {
    /// Whether a check has found it.
    pub(super) fn is_in(self, found: &Found) -> bool {
        let mut all = found.flags.iter().chain(&found.noise);
        all.any(|flag| self.codes().contains(&flag.reason))
    }
}

fn summary(slice: &Slice) -> String {
    let figure = |name: &str| slice.metrics.get(name).copied().unwrap_or(0.0);
    match slice.spec.workload {
        Workload::Load if slice.metrics.contains_key("stopped_ms") => format!(
            "stopped {:.1} ms: response p90 {:.1} ms, service p90 {:.3} ms",
            figure("stopped_ms"),
            figure("response_p90_ns") / 1e6,
            figure("service_p90_ns") / 1e6
        ),
        Workload::Load => format!(
            "lag at most {:.1} us, response at most {:.1} us at {:.0}/s",
            figure("lag_max_ns") / 1e3,
            figure("response_max_ns") / 1e3,
            figure("rate")
        ),
        Workload::Churn => format!(
            "{:.0} connections came and went, {:.0} more are in TIME_WAIT",
            figure("connections_served"),
            figure("time_wait_growth")
        ),
        _ => format!(
            "{:.0} replies, rate x latency / under way = {:.3}, server {:.0} % busy",
            figure("replies"),
            figure("little"),
            100.0 * figure("server_cpu")
        ),
    }
}

/// The null server must take 1.5 times the rate that the other checks use, and by far more.
fn headroom(fault: Option<Fault>) -> Result<Found, String> {
    let mut spec = echo(Placement::SplitSpin, 64.0, 64.0);
    spec.parameters.insert("depth".to_owned(), 4.0);
    if let Some(fault) = fault {
        spec = fault.breaks(spec);
    }
    let slice = slices::measure(&spec)?;
    let rate = slice.metrics.get("rate").copied().unwrap_or(0.0);
    let mut flags: Vec<Flag> = slice.flags;
    flags.extend(checks::headroom(rate, 4.0 * RATE));
    let words = format!(
        "{rate:.0}/s against the null server: loads up to {:.0}/s",
        rate / 1.5
    );
    Ok(Found::of(&flags, words))
}

/// The rings of poll and epoll; swapped, each has the other's shape.
fn shapes(fault: Option<Fault>) -> Result<Found, String> {
    let (mut flags, mut words) = (Vec::new(), Vec::new());
    for (name, other) in [("ours-poll", "ours-epoll"), ("ours-epoll", "ours-poll")] {
        let mut costs = Vec::new();
        for registered in [1, 64, 1024] {
            let mut spec = plan::ring_point(&Common::of(60), registered, 1, None, "socketpair");
            let subject = if fault.is_some() { other } else { name };
            subject.clone_into(&mut spec.subject);
            let slice = slices::measure(&spec)?;
            costs.extend(slice.cost().map(|cost| (registered, cost)));
            flags.extend(slice.flags);
        }
        flags.extend(checks::shape(name, &costs));
        let times: Vec<String> = costs.iter().map(|(_, cost)| format!("{cost:.0}")).collect();
        words.push(format!(
            "{} {}",
            name.trim_start_matches("ours-"),
            times.join(" ")
        ));
    }
    let words = format!("ns at 1, 64, 1024 fds: {}", words.join("; "));
    Ok(Found::of(&flags, words))
}

/// Half a second in which nothing but a closed loop should run.
fn quiet(fault: Option<Fault>) -> Result<Found, String> {
    let neighbour = fault.map(|_| Neighbour::start()).transpose()?;
    let slice = slices::measure(&echo(Placement::SameCpu, 8.0, 64.0))?;
    drop(neighbour);
    let quiet = slice.quiet;
    let words = format!(
        "stolen {:.1} %, foreign {:.1} %",
        quiet.steal_percent, quiet.foreign_percent
    );
    Ok(Found::of(&slice.flags, words))
}

/// A process that computes and is none of ours.
struct Neighbour(Child);

impl Neighbour {
    fn start() -> Result<Self, String> {
        Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .stdin(Stdio::null())
            .spawn()
            .map(Self)
            .map_err(|error| format!("sh cannot be started: {error}"))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
