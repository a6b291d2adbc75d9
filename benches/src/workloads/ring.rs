//! Tokens passed round a ring: what libevent's bench measures, and everyone since. Pure dispatch, in
//! one thread.
//!
//! `active` bytes are written at equal distances; whoever receives a byte writes one to its
//! neighbour, until `writes` have been written. One iteration ends when all have been received.

use std::fmt::Write;
use std::io;
use std::time::{Duration, Instant};

use super::{TRANSPORT, Workload, number, some};
use crate::method::{Outcome, Pair, Slice, Spec, Stopwatch, outcome, statistics};
use crate::report::{COUNT, Chart, Line, Point, Series, Shown, TIME, groups, kind, time};
use crate::subjects;
use crate::subjects::{Dispatcher, Kind};

pub const WORKLOAD: Workload = Workload {
    parameters: &[&[
        some("registered", "1,8,64,512,4096", "How many fds are watched"),
        some("active", "1", "How many tokens are under way; more than are registered are left out"),
        number("writes", "0", "Writes in an iteration; 0 for 100 for each token"),
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
        Shown { caption, charts, ..Shown::table("ring", "Dispatch round a ring", COLUMNS) },
        "Pure dispatch: tokens passed round a ring, in one thread",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("ns/event", "ns_per_event", 1.0),
    ("ns/wait", "ns_per_wait", 1.0),
    ("calls/event", "calls_per_event", 1.0),
];

#[derive(Clone, Copy)]
pub struct Shape {
    pub registered: usize,
    /// How many bytes are under way.
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
    /// System calls so far: waits, reads, writes, changes of interest.
    pub calls: [u64; 4],
}

impl Ring {
    pub fn new(kind: Kind, transport: &str, shape: Shape) -> io::Result<Self> {
        let (pairs, dispatcher) = watched(kind, transport, shape.registered)?;
        Ok(Self { shape, pairs, dispatcher, ready: Vec::new(), calls: [0; 4] })
    }

    /// Passes the tokens once; how long it took and how many bytes were received.
    pub fn iteration(&mut self) -> io::Result<(Duration, usize)> {
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
        let elapsed = begin.elapsed();
        for (sum, more) in self.calls.iter_mut().zip([waits, reads, written as u64, changes]) {
            *sum += more;
        }
        Ok((elapsed, received))
    }
}

/// What a slice of `ring` tells.
fn measure(spec: &Spec) -> Result<Outcome, String> {
    let kind = selector(spec)?;
    let told = |error: io::Error| format!("ring on {}: {error}", kind.name);
    let mut ring = Ring::new(kind, spec.choice("transport"), Shape::of(spec)).map_err(told)?;
    let watch = outcome::warm_up(spec, || ring.iteration().map(|_| ())).map_err(told)?;
    ring.calls = [0; 4];
    let mut costs = Vec::new();
    let mut events = 0;
    let begin = Instant::now();
    while costs.is_empty() || begin.elapsed() < spec.duration() {
        let (elapsed, received) = ring.iteration().map_err(told)?;
        costs.push(elapsed.as_nanos() as f64 / received as f64);
        events += received;
    }
    let [waits, reads, writes, changes] = ring.calls.map(|count| count as f64);
    let each = |count: f64| count / events as f64;
    let mut outcome = Outcome { watched: Some(watch.end()), ..Outcome::default() };
    let median = statistics::median(&costs);
    outcome.metric("ns_per_event", median);
    outcome.metric("ns_per_wait", median * events as f64 / waits);
    outcome.metric("events", events as f64);
    outcome.metric("calls_per_event", each(waits + reads + writes + changes));
    for (name, count) in [("wait", waits), ("read", reads), ("write", writes), ("change", changes)]
    {
        outcome.call(name, each(count));
    }
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

/// The lines are fitted up to so many fds: where the sockets leave the cache, the curves of the
/// scanning calls have a knee.
const FITTED: f64 = 1024.0;

/// Cost over the number of fds with one token.
fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let mut series = Vec::new();
    for (subject, points) in costs(slices) {
        if let Some((a, b)) = fit(&points).filter(|fit| fit.1 > 1e-3) {
            // Noise about a flat curve can fall, and would fall off a logarithmic axis.
            let points =
                points.iter().map(|point| Point { y: a + b * point.x, ..*point }).collect();
            let (name, line) = (format!("{subject}, fitted"), Line::Reference);
            series.push(Series { name, points, line, kind: kind(subject) });
        }
        series.push(Series::main(subject, points));
    }
    let x = COUNT.log("watched fds, one of them active");
    vec![Chart::new("", x, TIME.of("time for each event"), series)]
}

/// The curve of each subject with one token.
fn costs<'a>(slices: &[&'a Slice]) -> Vec<(&'a str, Vec<Point>)> {
    let one: Vec<&Slice> =
        slices.iter().copied().filter(|one| one.spec.count("active") == 1).collect();
    let all = groups::by_subject(&one).into_iter();
    all.map(|(subject, group)| (subject, groups::curve(&group, "registered", "ns_per_event")))
        .collect()
}

/// The line through the near points, if there are three that are to be believed.
fn fit(points: &[Point]) -> Option<(f64, f64)> {
    let near = points.iter().filter(|point| point.x <= FITTED && point.valid);
    let near: Vec<(f64, f64)> = near.map(|point| (point.x, point.y)).collect();
    statistics::fit(&near).filter(|_| near.len() >= 3)
}

/// The fitted lines in words, and where the scanning ones meet epoll.
fn caption(slices: &[&Slice]) -> String {
    let fits: Vec<(&str, f64, f64)> = costs(slices)
        .into_iter()
        .filter_map(|(subject, points)| fit(&points).map(|(a, b)| (subject, a, b)))
        .collect();
    let mut words = "Both ends in one thread; an event is a wait, a read and a write. ".to_owned();
    for (name, a, b) in &fits {
        let sign = if *b < 0.0 { '\u{2212}' } else { '+' };
        let _ = write!(words, "{name}: {} {sign} {:.1} ns \u{b7} N. ", time(a.max(0.0)), b.abs());
    }
    let of = |name: &str| fits.iter().find(|line| line.0 == name);
    if let Some(epoll) = of("ours-epoll") {
        for other in ["ours-poll", "ours-select"].into_iter().filter_map(of) {
            let meet = (epoll.1 - other.1) / (other.2 - epoll.2);
            if meet > 1.0 {
                let _ = write!(words, "{} and ours-epoll break even at N = {meet:.0}. ", other.0);
            }
        }
    }
    words + &format!("Dotted: the fitted lines, up to {FITTED} fds.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_is_written_is_received_on_every_kind() {
        let shape = Shape { registered: 7, active: 3, writes: 100 };
        for kind in subjects::selectors() {
            for transport in crate::method::sockets::TRANSPORTS {
                let mut ring = Ring::new(*kind, transport, shape).unwrap();
                for _ in 0..3 {
                    let (_, received) = ring.iteration().unwrap();
                    assert_eq!(received, 100, "{} over {transport}", kind.name);
                }
                assert_eq!(ring.calls[2], 300);
            }
        }
    }
}
