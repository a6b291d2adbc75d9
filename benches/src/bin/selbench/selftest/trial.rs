//! The checks: what each runs, and how.

use std::process::Command;

use super::fault::Fault;
use benches::method::{Flag, Process, Slice, Spec, checks, slices};
use benches::report::words::figure;
use benches::subjects::{BARE, NULL};
use benches::workloads;

/// Messages a second in the tests of the generator: far below anyone's capacity.
const RATE: f64 = 5000.0;
const ATTEMPTS: usize = 3;

pub(super) struct Found {
    /// What is wrong, and what else the machine did meanwhile.
    pub(super) flags: Vec<Flag>,
    pub(super) words: String,
    /// How much of it may have been others' work.
    pub(super) share: f64,
}

impl Found {
    /// What is wrong enough to say so: labels and noise are not.
    pub(super) fn wrong(&self) -> impl Iterator<Item = &Flag> {
        self.flags.iter().filter(|flag| !flag.reason.is_label() && !flag.reason.is_noise())
    }

    fn of(slice: Slice, words: String) -> Self {
        let (_, share) = checks::noise(&slice.quiet, &slice.spec);
        Self { flags: slice.flags, words, share }
    }
}

pub(super) struct Trial {
    pub(super) name: &'static str,
    pub(super) faults: &'static [Fault],
    run: Run,
}

/// What is run, with a fault or with none.
enum Run {
    /// The one point of a command line.
    Point(&'static str),
    /// An open loop of so many connections and messages a second, whose server stands still for so many
    /// milliseconds.
    Load(usize, f64, f64),
    Own(fn(Option<Fault>) -> Result<Found, String>),
}

const fn trial(name: &'static str, faults: &'static [Fault], run: Run) -> Trial {
    Trial { name, faults, run }
}

pub(super) const ALL: &[Trial] = &[
    trial("clock", &[Fault::SteppingClock], Run::Own(clock)),
    trial("generator headroom", &[Fault::SlowGenerator], Run::Own(headroom)),
    // Few, for the generator's own lateness must not drown in the server's.
    trial("generator lag", &[Fault::SleepingGenerator], Run::Load(64, RATE / 10.0, 0.0)),
    trial("nothing left unsent", &[Fault::Flood, Fault::FewFiles], Run::Load(64, 4.0 * RATE, 0.0)),
    // A few thousand connections at most: what they leave behind must not be in the way of others.
    trial("ports for connections", &[Fault::FewPorts], Run::Point("churn --close fin --ms 60")),
    trial(
        "omission canary",
        &[Fault::CorrectedHistogram, Fault::CoordinatedOmission],
        Run::Load(8, RATE, 100.0),
    ),
    trial("Little's law", &[Fault::HalvedLatency], Run::Point("echo --connections 8 --ms 800")),
    trial(
        "server-bound proof",
        &[Fault::SleepingServer],
        Run::Point("echo --connections 64 --ms 800 --placement split-spin"),
    ),
    trial(
        "payload verified",
        &[Fault::DroppedReply, Fault::WrongByte, Fault::Reset],
        Run::Point("echo --connections 8 --size 1024 --ms 800"),
    ),
    trial("shape of the curves", &[Fault::SwappedSubjects], Run::Own(shapes)),
    trial("quiet machine", &[Fault::NoisyNeighbour], Run::Own(quiet)),
];

impl Trial {
    pub(super) fn run(&self, fault: Option<Fault>) -> Result<Found, String> {
        let spec = match self.run {
            Run::Own(run) => return run(fault),
            Run::Point(words) => point(words)?,
            Run::Load(connections, rate, stop) => {
                let mut point = point(&format!("load --connections {connections} --ms 800"))?;
                point.set("rate", rate);
                point.set("stop_ms", stop);
                point
            }
        };
        attempt(spec, fault)
    }
}

fn clock(fault: Option<Fault>) -> Result<Found, String> {
    let (flags, words) = super::clock::check(fault.is_some());
    Ok(Found { flags, words, share: 0.0 })
}

/// The one point of a command line, on the bare loop.
fn point(words: &str) -> Result<Spec, String> {
    let mut point = crate::asked(words)?.points.into_iter().next().ok_or("a point")?;
    BARE.clone_into(&mut point.subject);
    Ok(point)
}

/// Runs a slice, up to three times: a busy machine can make the generator late, or so late that a
/// fault drowns in it. Only what fails each time has failed, and a fault may be found at any time.
fn attempt(spec: Spec, fault: Option<Fault>) -> Result<Found, String> {
    let spec = match fault {
        Some(fault) => fault.breaks(spec),
        None => spec,
    };
    let mut attempt = 0;
    loop {
        attempt += 1;
        let slice = slices::measure(&spec)?;
        let words = summary(&slice);
        let found = Found::of(slice, words);
        let done = match fault {
            Some(fault) => fault.is_in(&found),
            None => found.wrong().next().is_none(),
        };
        if done || attempt == ATTEMPTS {
            return Ok(found);
        }
    }
}

impl Fault {
    pub(super) fn is_in(self, found: &Found) -> bool {
        found.flags.iter().any(|flag| self.codes().contains(&flag.reason))
    }
}

/// The figures of its table.
fn summary(slice: &Slice) -> String {
    let columns = workloads::named(&slice.spec.workload).map_or(&[][..], |one| one.shown.columns);
    let told = columns.iter().filter_map(|(words, metric, scale)| {
        Some(format!("{words} {}", figure(slice.metrics.get(*metric)? * scale)))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Where everything is answered at once the generator must reach by far more than the rates that the
/// other checks use.
fn headroom(fault: Option<Fault>) -> Result<Found, String> {
    let mut spec = point("echo --connections 64 --depth 4 --ms 800 --placement split-spin")?;
    NULL.clone_into(&mut spec.subject);
    if let Some(fault) = fault {
        spec = fault.breaks(spec);
    }
    let mut slice = slices::measure(&spec)?;
    let rate = slice.metrics.get("rate").copied().unwrap_or(0.0);
    slice.flags.extend(checks::headroom(rate, 4.0 * RATE));
    let most = checks::MOST_OF_THE_GENERATOR * rate;
    let words = format!("{rate:.0}/s where all is answered at once: loads up to {most:.0}/s");
    Ok(Found::of(slice, words))
}

/// The rings of poll and epoll; swapped, each has the other's shape.
fn shapes(fault: Option<Fault>) -> Result<Found, String> {
    let mut found =
        Found { flags: Vec::new(), words: "ns at 1, 64, 1024 fds:".to_owned(), share: 0.0 };
    for (name, other) in [("ours-poll", "ours-epoll"), ("ours-epoll", "ours-poll")] {
        let mut costs = Vec::new();
        for registered in [1, 64, 1024] {
            let mut spec = point(&format!("ring --registered {registered} --ms 60"))?;
            let subject = if fault.is_some() { other } else { name };
            subject.clone_into(&mut spec.subject);
            let slice = slices::measure(&spec)?;
            costs.extend(slice.cost("ns_per_event").map(|cost| (registered, cost)));
            found.flags.extend(slice.flags);
        }
        found.flags.extend(checks::shape(name, &costs));
        let times: Vec<String> = costs.iter().map(|(_, cost)| format!("{cost:.0}")).collect();
        found.words += &format!(" {} {};", name.trim_start_matches("ours-"), times.join(" "));
    }
    Ok(found)
}

/// Half a second in which nothing but a closed loop should run.
fn quiet(fault: Option<Fault>) -> Result<Found, String> {
    // A process that computes and is none of ours.
    let mut computing = Command::new("sh");
    computing.args(["-c", "while :; do :; done"]);
    let neighbour = fault.map(|_| Process::start(&mut computing)).transpose()?;
    let slice = slices::measure(&point("echo --connections 8 --ms 800")?)?;
    drop(neighbour);
    let (stolen, foreign) = (slice.quiet.steal_percent, slice.quiet.foreign_percent);
    Ok(Found::of(slice, format!("stolen {stolen:.1} %, foreign {foreign:.1} %")))
}
