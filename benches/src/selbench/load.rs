//! The open loop: messages are due at given times, whatever the replies do, and a response is
//! measured from the moment its message was due.
//!
//! Each connection has at most `depth` messages under way. A message that is due while all are
//! busy waits in the generator, as a user would in front of a busy service: that wait is part of
//! its response time and not of its service time. The generator's own lateness is counted from
//! the moment a message was due *and* could be sent.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use super::checks::{self, Flag, Reason};
use super::connections::{Clock, Connections};
use super::histogram;
use super::quiet::Watch;
use super::recorder::Recorder;
use super::schema::Spec;
use super::server::{self, Server};
use super::statistics::Random;
use super::work::{self, Outcome};

/// So long after the end what is late is still sent; what is then under way has as long again to
/// be answered, and is lost after that.
const DRAIN: Duration = Duration::from_secs(2);

/// What a slice of `load` tells.
///
/// # Errors
///
/// In words: what could not be set up.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    let (connections, idle) = (spec.count("connections").max(1), spec.count("idle"));
    let server = Server::start(spec, connections + idle)?;
    // Only matters to a generator that sleeps: it then wakes as soon as the kernel can.
    let _ = crate::sys::load::set_timer_slack(1);
    let clock = Clock::new();
    let size = spec.count("size");
    let mut outcome = Outcome::default();
    let opened = Connections::open(server.address, connections, idle, size, clock);
    let mut client = match opened {
        Ok(client) => client,
        Err(error) => {
            outcome.flags.push(work::refused(&error));
            return Ok(outcome);
        }
    };
    if let Err(error) = run(spec, &server, &mut client, clock, &mut outcome)? {
        outcome.flags.push(work::refused(&error));
    }
    if client.errors > 0 {
        outcome.flags.push(Flag {
            reason: Reason::Errors,
            detail: format!("{} replies were not what was sent", client.errors),
        });
    }
    // Before the connections close: it would take a reset ill.
    drop(server);
    Ok(outcome)
}

/// Runs the loop and judges it; the inner result is the kernel's.
fn run(
    spec: &Spec,
    server: &Server,
    client: &mut Connections,
    clock: Clock,
    outcome: &mut Outcome,
) -> Result<io::Result<()>, String> {
    let duration = Duration::from_millis(spec.milliseconds);
    let warm_up = (duration / 4).min(Duration::from_secs(1));
    let rate = spec.number("rate").max(1.0);
    let depth = spec.count("depth").max(1);
    let watch = Watch::begin(server.id().as_slice());
    let cpu = server.cpu();
    let stopping = match (spec.number("stop_ms"), server.id()) {
        (pause, Some(pid)) if pause > 0.0 => Some(server::stop_once(
            pid,
            spec.placement.server_cpu(),
            warm_up + duration / 4,
            Duration::from_secs_f64(pause / 1e3),
        )),
        _ => None,
    };
    let mut open = Open::new(spec, clock, warm_up, duration);
    if spec.fault.as_deref() == Some("corrected-histogram") {
        open.recorder.correct = Some((1e9 / rate * connections(client)) as u64);
    }
    let ended = open.run(client, depth);
    outcome.quiet = Some(watch.end());
    outcome.metric("offered", rate);
    let seconds = (duration + warm_up).as_secs_f64();
    if let (Some(before), Some(after)) = (cpu, server.cpu()) {
        outcome.metric(
            "server_cpu",
            (after.saturating_sub(before)).as_secs_f64() / seconds,
        );
    }
    let unsent = open.unsent;
    outcome.metric("unsent", unsent as f64);
    outcome.metric("client_cpu", 1.0 - open.idle_ns as f64 / 1e9 / seconds);
    judge(client, &open, unsent, outcome);
    if let Some(stopping) = stopping {
        let stopped = stopping
            .join()
            .map_err(|_| "the thread that stops the server panicked".to_owned())?
            .map_err(|error| format!("the server cannot be stopped: {error}"))?;
        outcome.metric("stopped_ms", stopped.as_secs_f64() * 1e3);
        let longer = |histogram: &hdrhistogram::Histogram<u64>, seconds: f64| {
            let bound = (seconds * 1e9) as u64;
            histogram.count_between(bound, u64::MAX) as f64
        };
        let under_way = connections(client) * depth as f64;
        outcome.flags.extend(checks::canary(
            rate,
            stopped.as_secs_f64(),
            under_way,
            |seconds| longer(&open.recorder.response, seconds),
            |seconds| longer(&open.recorder.service, seconds),
        ));
    }
    open.recorder.tell(duration, outcome)?;
    Ok(ended)
}

fn connections(client: &Connections) -> f64 {
    client.active() as f64
}

/// Lag, backlog, replies that never came.
fn judge(client: &Connections, open: &Open, unsent: u64, outcome: &mut Outcome) {
    let recorder = &open.recorder;
    let p99 = |histogram: &hdrhistogram::Histogram<u64>| histogram.value_at_percentile(99.0) as f64;
    if histogram::percentile(&recorder.response, 99.0).is_none() {
        outcome.flags.push(Flag {
            reason: Reason::FewSamples,
            detail: format!("{} replies are too few for p99", recorder.response.len()),
        });
    }
    outcome.flags.extend(checks::generator_lag(
        p99(&recorder.lag),
        p99(&recorder.response),
    ));
    outcome
        .flags
        .extend(checks::flag_if(unsent > 0, Reason::Backlog, || {
            format!("{unsent} messages were due and not sent when the time was over")
        }));
    let lost = client.under_way();
    outcome
        .flags
        .extend(checks::flag_if(lost > 0, Reason::Lost, || {
            format!("{lost} replies never came")
        }));
}

/// The generator.
struct Open {
    clock: Clock,
    spinning: bool,
    sleepy: bool,
    poisson: bool,
    random: Random,
    interval: f64,
    /// When the next message is due, in nanoseconds; fractions add up.
    due: f64,
    measured_from: u64,
    ends: u64,
    number: u64,
    recorder: Recorder,
    /// Due and not sent when the time was over.
    unsent: u64,
    idle_ns: u64,
}

impl Open {
    fn new(spec: &Spec, clock: Clock, warm_up: Duration, duration: Duration) -> Self {
        // A millisecond to get going: the first message must not be late.
        let start = clock.now() + 1_000_000;
        let measured_from = start + warm_up.as_nanos() as u64;
        Self {
            clock,
            spinning: spec.placement.client_spins(),
            sleepy: spec.fault.as_deref() == Some("sleeping-generator"),
            poisson: spec.choice("arrivals") == "poisson",
            random: Random::new(spec.seed),
            interval: 1e9 / spec.number("rate").max(1.0),
            due: start as f64,
            measured_from,
            ends: measured_from + duration.as_nanos() as u64,
            number: 0,
            recorder: Recorder::new(measured_from),
            unsent: 0,
            idle_ns: 0,
        }
    }

    /// Moves on to the next message.
    #[inline]
    fn advance(&mut self) {
        self.due += if self.poisson {
            -self.random.unit().ln() * self.interval
        } else {
            self.interval
        };
    }

    fn run(&mut self, client: &mut Connections, depth: usize) -> io::Result<()> {
        // Free places, and since when: first free, first used, so that all connections work.
        let mut free: VecDeque<(usize, u64)> = (0..depth)
            .flat_map(|_| (0..client.active()).map(|index| (index, 0)))
            .collect();
        let mut counted = false;
        let mut last_sleep = 0;
        let mut came = true;
        let sends_until = self.ends + DRAIN.as_nanos() as u64;
        let mut now = self.clock.now();
        loop {
            while self.due as u64 <= now && (self.due as u64) < self.ends && now <= sends_until {
                let Some((index, since)) = free.pop_front() else {
                    break;
                };
                let intended = self.due as u64;
                self.number += 1;
                let actual = client.send(index, self.number, intended)?;
                if intended >= self.measured_from {
                    histogram::record(&mut self.recorder.lag, actual - intended.max(since));
                }
                self.advance();
            }
            if now >= self.ends && !counted {
                counted = true;
                self.unsent = ((self.ends as f64 - self.due) / self.interval).max(0.0) as u64;
            }
            let all_sent = self.due as u64 >= self.ends || now > sends_until;
            // We may have slept past the end: lost is only what did not come although we looked.
            let given_up = now > self.ends + 2 * DRAIN.as_nanos() as u64 && !came;
            if all_sent && client.under_way() == 0 || given_up {
                return Ok(());
            }
            if self.sleepy && now - last_sleep > 100_000_000 {
                std::thread::sleep(Duration::from_millis(100));
                last_sleep = self.clock.now();
            }
            let wait = self.wait(now, free.is_empty() || all_sent);
            let (recorder, measured_from) = (&mut self.recorder, self.measured_from);
            came = client.receive(wait, |index, sent, now| {
                free.push_back((index, now));
                if sent.intended >= measured_from {
                    recorder.reply(sent, now);
                }
                None
            })?;
            let looked = self.clock.now();
            if !came {
                self.idle_ns += looked - now;
            }
            now = looked;
        }
    }

    /// How long to sleep for a reply; not at all when spinning.
    fn wait(&self, now: u64, only_replies: bool) -> Option<Duration> {
        if self.spinning {
            return None;
        }
        let until_due = (self.due as u64).saturating_sub(now);
        Some(if only_replies {
            Duration::from_millis(100)
        } else {
            Duration::from_nanos(until_due)
        })
    }
}
