//! Capacity with a goal: the highest rate at which p99 of the response stays within it.
//!
//! A flood shows what the server can do at all; below that the rates are halved in on, in ratios.
//! A search on a noisy machine finds lucky rates, so what it finds is run again three times and
//! holds only if two of them meet the goal; else the rate goes down by a step and is run again.
//! Everything happens against one server process: a slice is one search.

use std::io;
use std::time::Duration;

use super::checks::{Flag, Reason};
use super::connections::{Clock, Connections};
use super::load;
use super::open::{Open, Phase};
use super::quiet::Watch;
use super::schema::{Probe, Spec};
use super::server::Server;
use super::work::Outcome;

/// More than any server can do: the flood.
const FLOOD: f64 = 5e6;
/// The search ends when what is met and what is not are this near.
const STEP: f64 = 1.03;
/// The search does not look below this share of the flood's rate.
const LOWEST: f64 = 1.0 / 64.0;
/// Runs at one rate of the search, until one meets the goal.
const CHANCES: usize = 2;
/// Runs that confirm, and how many of them must meet the goal.
const CONFIRMATIONS: (usize, usize) = (3, 2);
/// Steps downwards before nothing is confirmed.
const STEPS_DOWN: usize = 12;

/// What a slice of `capacity` tells.
///
/// # Errors
///
/// In words: what could not be set up.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    load::with_client(spec, 0, |server, client, clock, outcome| {
        let watch = Watch::begin(server.id().as_slice());
        let mut search = Search {
            spec,
            server,
            client,
            clock,
            probes: Vec::new(),
        };
        let found = search.run();
        outcome.probes = search.probes;
        outcome.quiet = Some(watch.end());
        match found {
            Err(error) => Ok(Err(error)),
            Ok(Some(run)) => tell(run, client, outcome).map(Ok),
            Ok(None) => {
                outcome.flags.push(Flag {
                    reason: Reason::Unconfirmed,
                    detail: format!(
                        "no rate kept p99 within {:.0} us when it was run again",
                        spec.number("goal_us")
                    ),
                });
                Ok(Ok(()))
            }
        }
    })
}

/// One rate that was tried.
struct Run {
    open: Open,
    rate: f64,
    duration: Duration,
    server_cpu: Option<f64>,
    met: bool,
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

struct Search<'a> {
    spec: &'a Spec,
    server: &'a Server,
    client: &'a mut Connections,
    clock: Clock,
    probes: Vec<Probe>,
}

impl Search<'_> {
    /// The last confirmation at the highest rate that holds; nothing if none does.
    fn run(&mut self) -> io::Result<Option<Run>> {
        // Without a warm-up: of so many messages the generator would never see the end of one.
        let flood = self.offer(FLOOD, Duration::ZERO, false)?;
        let warm_up = load::warm_up(flood.duration);
        let seconds = flood.duration.as_secs_f64();
        let ceiling = flood.open.recorder.response.len() as f64 / seconds;
        let Some(found) = bisect(ceiling * LOWEST, ceiling * STEP, |rate| {
            // A stall of the machine must not end the search below: what is met by luck does not
            // get past the confirmation.
            for _ in 0..CHANCES {
                if self.offer(rate, warm_up, false)?.met {
                    return Ok::<_, io::Error>(true);
                }
            }
            Ok(false)
        })?
        else {
            return Ok(None);
        };
        confirm(found, |rate| self.offer(rate, warm_up, true), |run| run.met)
    }

    fn duration(&self) -> Duration {
        Duration::from_millis(self.spec.milliseconds)
    }

    /// Offers one rate, and judges it.
    fn offer(&mut self, rate: f64, warm_up: Duration, confirmation: bool) -> io::Result<Run> {
        let duration = self.duration();
        let mut open = Open::new(self.spec, self.clock, warm_up, &[Phase { rate, duration }]);
        // What is late then has failed already.
        open.drain = Duration::ZERO;
        let before = self.server.cpu();
        open.run(self.client, self.spec.count("depth").max(1))?;
        let used = self.server.cpu().zip(before).map(|(after, before)| {
            after.saturating_sub(before).as_secs_f64() / (warm_up + duration).as_secs_f64()
        });
        let response = &open.recorder.response;
        let goal = self.spec.number("goal_us") * 1e3;
        let p99 = p99_with(response, open.unsent);
        let met = p99 <= goal && !response.is_empty();
        self.probes.push(Probe {
            rate,
            // JSON knows no infinity: a minute is the histogram's own end.
            p99_ns: p99.min(60e9),
            met,
            confirmation,
        });
        Ok(Run {
            open,
            rate,
            duration,
            server_cpu: used,
            met,
        })
    }
}

/// p99 of the responses, as if each of the `unsent` had taken for ever.
fn p99_with(response: &hdrhistogram::Histogram<u64>, unsent: u64) -> f64 {
    let all = (response.len() + unsent) as f64;
    let share = 0.99 * all / response.len().max(1) as f64;
    if share > 1.0 {
        f64::INFINITY
    } else {
        response.value_at_quantile(share) as f64
    }
}

/// The highest rate that meets the goal, between `low`, which must meet it, and `high`, to one
/// [`STEP`].
fn bisect<E>(
    mut low: f64,
    mut high: f64,
    mut met: impl FnMut(f64) -> Result<bool, E>,
) -> Result<Option<f64>, E> {
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
fn confirm<R, E>(
    mut rate: f64,
    mut offer: impl FnMut(f64) -> Result<R, E>,
    met: impl Fn(&R) -> bool,
) -> Result<Option<R>, E> {
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
    use std::convert::Infallible;

    use super::*;
    use crate::selbench::histogram;

    #[test]
    fn the_search_ends_a_step_below_the_limit() {
        let limit = 87_000.0;
        let met = |rate: f64| Ok::<_, Infallible>(rate <= limit);
        let found = bisect(2_000.0, 130_000.0, met).unwrap().unwrap();
        assert!(found <= limit && found * STEP >= limit, "{found}");
    }

    #[test]
    fn nothing_is_found_where_nothing_meets_the_goal() {
        let never = |_| Ok::<_, Infallible>(false);
        assert_eq!(bisect(2_000.0, 130_000.0, never).unwrap(), None);
        assert_eq!(
            bisect(0.0, 0.0, |_| Ok::<_, Infallible>(true)).unwrap(),
            None
        );
        let confirmed = confirm(1000.0, |_| Ok::<_, Infallible>(()), |()| false).unwrap();
        assert!(confirmed.is_none());
    }

    #[test]
    fn a_lucky_rate_is_not_confirmed() {
        // One of three runs at the rate itself, two of three a step below.
        let mut runs = 0;
        let offer = |rate: f64| {
            runs += 1;
            let lucky = if rate > 990.0 {
                runs % 3 == 1
            } else {
                runs % 3 != 1
            };
            Ok::<_, Infallible>((rate, lucky))
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
        assert!(p99_with(&response, 0) < 51_000.0);
        assert!(p99_with(&response, 5) < 51_000.0);
        assert!(p99_with(&response, 20).is_infinite());
    }
}
