//! Capacity with a goal: the highest rate at which a percentile of the response stays within it.
//!
//! A flood shows what the server can do at all; below that the rates are halved in on, in ratios.
//! A search on a noisy machine finds lucky rates, and a pause of the machine ends it too low, so each
//! rate is run until two runs of three say the same. Everything happens against one server process: a
//! slice is one search, and as quiet as the last run that met the goal.

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{ARRIVALS, Ends, WIRE, Workload, load, number, some};
use crate::method::{Connections, Open, Outcome, Phase, Probe, Quiet, Reason, Spec, Watch};
use crate::report::Shown;

pub const WORKLOAD: Workload = Workload {
    parameters: &[
        WIRE,
        &[
            some("goal_us", "1000", "The goal for the response, in microseconds"),
            number("percentile", "99", "Which percentile of the response must meet it"),
            ARRIVALS,
        ],
    ],
    costs: &[("ns_per_message", 100.0)],
    least: 100.0,
    ..Workload::of_servers(
        Shown::table("capacity", "The highest rate that meets the goal", COLUMNS),
        "The highest rate at which p99 stays within a goal: a search of some twenty runs of --ms each, \
         by two of three at each rate",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("rate/s", "rate", 1.0),
    ("p50 us", "response_p50_ns", 1e-3),
    ("p99 us", "response_p99_ns", 1e-3),
    ("srv cpu %", "server_cpu", 100.0),
];

/// More than any server can do: the flood.
const FLOOD: f64 = 5e6;
/// The search ends when what is met and what is not are this near.
const STEP: f64 = 1.03;
/// The search does not look below this share of the flood's rate.
const LOWEST: f64 = 1.0 / 64.0;

fn measure(spec: &Spec) -> Result<Outcome, String> {
    load::with_client(spec, Some(0), |ends, outcome| {
        let watch = Watch::begin(ends.server.id().as_slice());
        let mut search = Search { ends, probes: Vec::new() };
        let found = search.run();
        outcome.probes = search.probes;
        if let Some(run) = found? {
            outcome.watched = Some(run.quiet);
            return Ok(tell(run, spec, ends.client, outcome)?);
        }
        outcome.watched = Some(watch.end());
        let goal = spec.number("goal_us");
        let words = format!("no rate kept within {goal:.0} us twice");
        outcome.flag(Reason::Unconfirmed, words);
        Ok(())
    })
}

struct Run {
    open: Open,
    rate: f64,
    server_cpu: Option<f64>,
    met: bool,
    quiet: Quiet,
}

/// Tells the capacity, and what the last run saw at it.
fn tell(run: Run, spec: &Spec, client: &Connections, outcome: &mut Outcome) -> Result<(), String> {
    load::judge(client, &run.open, outcome);
    // A few that were due in the last instant are no backlog where the goal was met.
    outcome.flags.retain(|flag| flag.reason != Reason::Backlog);
    if let Some(cpu) = run.server_cpu {
        outcome.metric("server_cpu", cpu);
    }
    run.open.recorder.tell(spec.duration(), outcome)?;
    outcome.metric("probes", outcome.probes.len() as f64);
    outcome.metric("rate", run.rate);
    outcome.metric("ns_per_message", 1e9 / run.rate);
    Ok(())
}

struct Search<'a, 'b> {
    ends: &'a mut Ends<'b>,
    probes: Vec<Probe>,
}

impl Search<'_, '_> {
    /// The last run at the highest rate that holds; nothing if none does.
    fn run(&mut self) -> io::Result<Option<Run>> {
        // Without a warm-up: of so many messages the generator would never see the end of one.
        let flood = self.offer(FLOOD, Duration::ZERO)?;
        let duration = self.ends.spec.duration();
        let (warm_up, seconds) = (load::warm_up(duration), duration.as_secs_f64());
        let ceiling = flood.open.recorder.response.len() as f64 / seconds;
        bisect(ceiling * LOWEST, ceiling * STEP, |rate| {
            twice(|| self.offer(rate, warm_up), |run| run.met)
        })
    }

    fn offer(&mut self, rate: f64, warm_up: Duration) -> io::Result<Run> {
        let Ends { spec, server, clock, .. } = *self.ends;
        let duration = spec.duration();
        let watch = Watch::begin(server.id().as_slice());
        let mut open = Open::new(spec, clock, warm_up, &[Phase { rate, duration }]);
        // What is late then has failed already.
        open.drain = Duration::ZERO;
        let before = server.cpu();
        open.run(self.ends.client, spec.count("depth").max(1))?;
        let used = server.cpu().zip(before).map(|(after, before)| {
            after.saturating_sub(before).as_secs_f64() / (warm_up + duration).as_secs_f64()
        });
        let response = &open.recorder.response;
        let goal = spec.number("goal_us") * 1e3;
        let quantile = (spec.number("percentile") / 100.0).clamp(0.5, 0.9999);
        let reached = response_with(response, quantile, open.unsent);
        let met = reached <= goal && !response.is_empty();
        // JSON knows no infinity: a minute is the histogram's own end.
        self.probes.push(Probe { rate, response_ns: reached.min(60e9), met });
        Ok(Run { open, rate, server_cpu: used, met, quiet: watch.end() })
    }
}

/// A percentile of the responses, as if each of the `unsent` had taken for ever.
fn response_with(response: &Histogram<u64>, quantile: f64, unsent: u64) -> f64 {
    let all = (response.len() + unsent) as f64;
    let share = quantile * all / response.len().max(1) as f64;
    if share > 1.0 { f64::INFINITY } else { response.value_at_quantile(share) as f64 }
}

/// What came of the highest rate that holds between `low`, which must, and `high`, to one [`STEP`].
fn bisect<R>(
    mut low: f64,
    mut high: f64,
    mut holds: impl FnMut(f64) -> io::Result<Option<R>>,
) -> io::Result<Option<R>> {
    let mut best = if low > 0.0 { holds(low)? } else { None };
    while best.is_some() && high / low > STEP {
        // In ratios: a tenth more is as much at a thousand as at a million.
        let middle = (low * high).sqrt();
        match holds(middle)? {
            None => high = middle,
            better => (low, best) = (middle, better),
        }
    }
    Ok(best)
}

/// Runs until two of three have met the goal, or two have not; the second that has.
fn twice<R>(
    mut run: impl FnMut() -> io::Result<R>,
    met: impl Fn(&R) -> bool,
) -> io::Result<Option<R>> {
    let (mut good, mut bad) = (0, 0);
    while bad < 2 {
        let one = run()?;
        match (met(&one), good) {
            (true, 1) => return Ok(Some(one)),
            (true, _) => good += 1,
            (false, _) => bad += 1,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::histogram;

    #[test]
    fn the_search_ends_a_step_below_the_limit_and_is_misled_by_no_luck() {
        let limit = 87_000.0;
        // Each third run is lucky, or a pause of the machine's.
        let mut runs = 0;
        let met = |rate: f64| {
            runs += 1;
            if runs % 3 == 0 { rate > limit } else { rate <= limit }
        };
        let met = std::cell::RefCell::new(met);
        let holds = |rate| twice(|| Ok((rate, met.borrow_mut()(rate))), |run| run.1);
        let (found, _) = bisect(2_000.0, 130_000.0, holds).unwrap().unwrap();
        assert!(found <= limit && found * STEP >= limit, "{found}");
        assert!(bisect(90_000.0, 130_000.0, |_| Ok(None::<f64>)).unwrap().is_none());
    }

    #[test]
    fn what_was_not_sent_counts_against_the_goal() {
        let mut response = histogram::new();
        for _ in 0..1000 {
            histogram::record(&mut response, 50_000);
        }
        assert!(response_with(&response, 0.99, 0) < 51_000.0);
        assert!(response_with(&response, 0.99, 5) < 51_000.0);
        assert!(response_with(&response, 0.99, 20).is_infinite());
    }
}
