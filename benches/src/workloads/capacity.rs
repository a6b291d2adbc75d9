//! Capacity with a goal: the highest rate at which a percentile of the response stays within it.
//!
//! A flood shows what the server can do at all; below that the rates are halved in on, in ratios.
//! A search on a noisy machine finds lucky rates, so what it finds is run again three times and
//! holds only if two of them meet the goal; else the rate goes down by a step and is run again.
//! Everything happens against one server process: a slice is one search. What the machine did is asked
//! of each run: one that it paused in is run again, and the slice is as quiet as the runs that confirmed.

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{ARRIVALS, Ends, WIRE, Workload, load, number, some};
use crate::method::{Connections, Open, Outcome, Phase, Probe, Quiet, Reason, Spec, Watch, checks};
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
        "The highest rate at which p99 stays within a goal: a search of a dozen runs of --ms each, \
         confirmed by running it again",
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
/// Runs at one rate of the search, until one meets the goal.
const CHANCES: usize = 2;
/// The same where the machine paused in them.
const PATIENCE: usize = 5;
/// Runs that confirm, and how many of them must meet the goal.
const CONFIRMATIONS: (usize, usize) = (3, 2);
const STEPS_DOWN: usize = 12;

fn measure(spec: &Spec) -> Result<Outcome, String> {
    load::with_client(spec, Some(0), |ends, outcome| {
        let watch = Watch::begin(ends.server.id().as_slice());
        let mut search = Search { ends, probes: Vec::new() };
        let found = search.run();
        outcome.probes = search.probes;
        if let Some(run) = found? {
            outcome.watched = Some(run.quiet);
            return Ok(tell(run, ends.client, outcome)?);
        }
        outcome.watched = Some(watch.end());
        let goal = spec.number("goal_us");
        let words = format!("no rate kept within {goal:.0} us when it was run again");
        outcome.flag(Reason::Unconfirmed, words);
        Ok(())
    })
}

struct Run {
    open: Open,
    rate: f64,
    duration: Duration,
    server_cpu: Option<f64>,
    met: bool,
    quiet: Quiet,
}

/// Tells the capacity, and what the last confirmation saw at it.
fn tell(run: Run, client: &Connections, outcome: &mut Outcome) -> Result<(), String> {
    load::judge(client, &run.open, outcome);
    // A few that were due in the last instant are no backlog where the goal was met.
    outcome.flags.retain(|flag| flag.reason != Reason::Backlog);
    if let Some(cpu) = run.server_cpu {
        outcome.metric("server_cpu", cpu);
    }
    run.open.recorder.tell(run.duration, outcome)?;
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
    /// The last confirmation at the highest rate that holds; nothing if none does.
    fn run(&mut self) -> io::Result<Option<Run>> {
        // Without a warm-up: of so many messages the generator would never see the end of one.
        let flood = self.offer(FLOOD, Duration::ZERO, false)?;
        let warm_up = load::warm_up(flood.duration);
        let seconds = flood.duration.as_secs_f64();
        let ceiling = flood.open.recorder.response.len() as f64 / seconds;
        let Some(found) = bisect(ceiling * LOWEST, ceiling * STEP, |rate| {
            // A pause of the machine must not end the search below: a run that it was in is run
            // again. What is met by luck does not get past the confirmation.
            for chance in 0..PATIENCE {
                let run = self.offer(rate, warm_up, false)?;
                if run.met || (chance + 1 >= CHANCES && !self.paused(&run)) {
                    return Ok(run.met);
                }
            }
            Ok(false)
        })?
        else {
            return Ok(None);
        };
        confirm(found, |rate| self.offer(rate, warm_up, true), |run| run.met)
    }

    fn quantile(&self) -> f64 {
        (self.ends.spec.number("percentile") / 100.0).clamp(0.5, 0.9999)
    }

    /// Whether the machine's pauses in a run may be what its percentile shows.
    fn paused(&self, run: &Run) -> bool {
        let (_, share) = checks::noise(&run.quiet, self.ends.spec);
        checks::told_up_to(share) < 100.0 * self.quantile()
    }

    fn offer(&mut self, rate: f64, warm_up: Duration, confirmation: bool) -> io::Result<Run> {
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
        let reached = response_with(response, self.quantile(), open.unsent);
        let met = reached <= goal && !response.is_empty();
        // JSON knows no infinity: a minute is the histogram's own end.
        self.probes.push(Probe { rate, response_ns: reached.min(60e9), met, confirmation });
        Ok(Run { open, rate, duration, server_cpu: used, met, quiet: watch.end() })
    }
}

/// A percentile of the responses, as if each of the `unsent` had taken for ever.
fn response_with(response: &Histogram<u64>, quantile: f64, unsent: u64) -> f64 {
    let all = (response.len() + unsent) as f64;
    let share = quantile * all / response.len().max(1) as f64;
    if share > 1.0 { f64::INFINITY } else { response.value_at_quantile(share) as f64 }
}

/// The highest rate that meets the goal, between `low`, which must meet it, and `high`, to one
/// [`STEP`].
fn bisect(
    mut low: f64,
    mut high: f64,
    mut met: impl FnMut(f64) -> io::Result<bool>,
) -> io::Result<Option<f64>> {
    if low <= 0.0 || !met(low)? {
        return Ok(None);
    }
    while high / low > STEP {
        // In ratios: a tenth more is as much at a thousand as at a million.
        let middle = (low * high).sqrt();
        if met(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(Some(low))
}

/// Runs `rate` again, and lower ones until one holds; the last run that met the goal there.
fn confirm<R>(
    mut rate: f64,
    mut offer: impl FnMut(f64) -> io::Result<R>,
    met: impl Fn(&R) -> bool,
) -> io::Result<Option<R>> {
    let (times, needed) = CONFIRMATIONS;
    for _ in 0..=STEPS_DOWN {
        let mut good = Vec::new();
        for _ in 0..times {
            let run = offer(rate)?;
            if met(&run) {
                good.push(run);
            }
        }
        if good.len() >= needed {
            return Ok(good.pop());
        }
        rate /= STEP;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::histogram;

    #[test]
    fn the_search_ends_a_step_below_the_limit() {
        let limit = 87_000.0;
        let met = |rate: f64| Ok(rate <= limit);
        let found = bisect(2_000.0, 130_000.0, met).unwrap().unwrap();
        assert!(found <= limit && found * STEP >= limit, "{found}");
    }

    #[test]
    fn a_lucky_rate_is_not_confirmed() {
        // One of three runs at the rate itself, two of three a step below.
        let mut runs = 0;
        let offer = |rate: f64| {
            runs += 1;
            let lucky = if rate > 990.0 { runs % 3 == 1 } else { runs % 3 != 1 };
            Ok((rate, lucky))
        };
        let (rate, _) = confirm(1000.0, offer, |run| run.1).unwrap().unwrap();
        assert!((rate - 1000.0 / STEP).abs() < 1e-9, "{rate}");
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
