//! Tokens passed round a ring: what libevent's bench measures, and everyone since. Pure dispatch, in
//! one thread.
//!
//! `active` bytes are written at equal distances; whoever receives a byte writes one to its
//! neighbour, until `writes` have been written. One iteration ends when all have been received.

use std::io;
use std::time::Duration;

use super::{TRANSPORT, Workload, some, whole};
use crate::method::{Outcome, Pair, Slice, Spec, Stopwatch, outcome, statistics};
use crate::report::{COUNT, Chart, Shown, TIME, groups};
use crate::subjects;
use crate::subjects::{Dispatcher, Kind};

pub const WORKLOAD: Workload = Workload {
    parameters: &[&[
        some("registered", "1,8,64,512,4096", "How many fds are watched"),
        some("active", "1", "How many tokens are under way; more than are registered are left out"),
        whole("writes", "0", "Writes in an iteration; 0 for 100 for each token"),
        TRANSPORT,
    ]],
    costs: &[("ns_per_event", 0.0)],
    least: 20.0,
    fix: |point| {
        let (active, writes) = (point.number("active"), point.number("writes"));
        point.set("writes", if writes == 0.0 { 100.0 * active } else { writes.max(active) });
        active <= point.number("registered")
    },
    ..Workload::new(
        Shown::table("ring", "Dispatch round a ring", COLUMNS).drawn(CAPTION, charts),
        "Pure dispatch: tokens passed round a ring, in one thread",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("ns/event", "ns_per_event", 1.0),
    ("ns/wait", "ns_per_wait", 1.0),
    ("calls/event", "calls_per_event", 1.0),
];
const CAPTION: &str = "Both ends in one thread; an event is a wait, a read and a write. A slope of one is a \
    cost that is proportional to the number of fds.";

#[derive(Clone, Copy)]
pub struct Shape {
    pub registered: usize,
    pub active: usize,
    /// How many bytes are written in an iteration, the first ones included.
    pub writes: usize,
}

impl Shape {
    pub fn of(spec: &Spec) -> Self {
        Self {
            registered: spec.count("registered").max(1),
            active: spec.count("active").max(1),
            writes: spec.count("writes").max(1),
        }
    }
}

pub struct Ring {
    shape: Shape,
    pairs: Vec<Pair>,
    dispatcher: Box<dyn Dispatcher>,
    ready: Vec<usize>,
}

/// Once round: how long it took, how many bytes were received, and the system calls: waits, reads,
/// writes, changes of interest.
pub struct Pass {
    elapsed: Duration,
    events: usize,
    calls: [u64; 4],
}

impl Ring {
    pub fn new(kind: Kind, transport: &str, shape: Shape) -> io::Result<Self> {
        let (pairs, dispatcher) = watched(kind, transport, shape.registered)?;
        Ok(Self { shape, pairs, dispatcher, ready: Vec::new() })
    }

    /// Passes the tokens once.
    pub fn iteration(&mut self) -> io::Result<Pass> {
        let Shape { registered, active, writes } = self.shape;
        let mut buffer = [0; 64];
        let begin = Stopwatch::begin();
        let (mut written, mut received) = (0, 0);
        for token in 0..active.min(writes) {
            self.pairs[token * registered / active % registered].send(&[1])?;
            written += 1;
        }
        let [mut waits, mut reads, mut changes] = [0; 3];
        while received < written {
            self.ready.clear();
            self.dispatcher.wait(&mut self.ready)?;
            waits += 1;
            for &index in &self.ready {
                let count = self.pairs[index].receive(&mut buffer)?;
                reads += 1;
                received += count;
                let next = (index + 1) % registered;
                for _ in 0..count.min(writes - written) {
                    self.pairs[next].send(&[1])?;
                    written += 1;
                }
                changes += self.dispatcher.rearm(index, &self.pairs[index].receiver)?;
            }
        }
        let calls = [waits, reads, written as u64, changes];
        Ok(Pass { elapsed: begin.elapsed(), events: received, calls })
    }
}

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let kind = selector(spec)?;
    let told = |error: io::Error| format!("ring on {}: {error}", kind.name);
    let mut ring = Ring::new(kind, spec.choice("transport"), Shape::of(spec)).map_err(told)?;
    let (passes, quiet) = outcome::repeat(spec, || ring.iteration()).map_err(told)?;
    let costs = passes.iter().map(|pass| pass.elapsed.as_nanos() as f64 / pass.events as f64);
    let events: usize = passes.iter().map(|pass| pass.events).sum();
    let sum = |call: usize| passes.iter().map(|pass| pass.calls[call]).sum::<u64>() as f64;
    let [waits, reads, writes, changes] = [0, 1, 2, 3].map(sum);
    let each = |count: f64| count / events as f64;
    let mut outcome = Outcome { watched: Some(quiet), ..Outcome::default() };
    let median = statistics::median(costs).unwrap_or_default();
    outcome.metric("ns_per_event", median);
    outcome.metric("ns_per_wait", median * events as f64 / waits);
    outcome.metric("events", events as f64);
    outcome.metric("calls_per_event", each(waits + reads + writes + changes));
    let calls = [("wait", waits), ("read", reads), ("write", writes), ("change", changes)];
    let made = calls.into_iter().filter(|(_, count)| *count > 0.0);
    outcome.system_calls = made.map(|(name, count)| (name.to_owned(), each(count))).collect();
    Ok(outcome)
}

/// So many pairs, and a selector that watches all of them.
pub fn watched(
    kind: Kind,
    transport: &str,
    count: usize,
) -> io::Result<(Vec<Pair>, Box<dyn Dispatcher>)> {
    let pairs = Pair::many(transport, count)?;
    let mut dispatcher = (kind.open)()?;
    for (index, pair) in pairs.iter().enumerate() {
        dispatcher.add(index, &pair.receiver)?;
    }
    Ok((pairs, dispatcher))
}

pub fn selector(spec: &Spec) -> Result<Kind, String> {
    let subject = spec.program();
    subjects::selector(subject).ok_or_else(|| format!("no selector is named {subject}"))
}

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let one = groups::those(slices, |slice| slice.spec.count("active") == 1);
    let x = COUNT.of("watched fds, one of them active");
    let series = groups::curves(&one, "registered", "ns_per_event");
    vec![Chart::new("", x, TIME.of("time for each event"), series)]
}
