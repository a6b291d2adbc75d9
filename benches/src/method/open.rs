//! The generator of the open loop: messages are due at given times, whatever the replies do.
//!
//! Each connection has at most `depth` messages under way. A message that is due while all are
//! busy waits in the generator, as a user would in front of a busy service: that wait is part of
//! its response time and not of its service time. The generator's own lateness is counted from
//! the moment a message was due *and* could be sent.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use fastrand::Rng;

use super::{Clock, Connections, Recorder, Spec, histogram};

#[derive(Clone, Copy, Debug)]
pub struct Phase {
    pub rate: f64,
    pub duration: Duration,
}

/// A message and its reply, both on the clock of the run.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub due: u64,
    pub came: u64,
}

pub struct Open {
    clock: Clock,
    spinning: bool,
    sleepy: bool,
    poisson: bool,
    random: Rng,
    /// End of each phase and the time between its messages, in nanoseconds; the first begins with
    /// the warm-up.
    phases: Vec<(u64, f64)>,
    /// When the next message is due, in nanoseconds; fractions add up.
    due: f64,
    pub measured_from: u64,
    ends: u64,
    /// Messages that were sent, those of the warm-up too.
    pub number: u64,
    pub recorder: Recorder,
    pub unsent: u64,
    /// Spent in looks that found nothing, in nanoseconds.
    pub idle_ns: u64,
    /// So long after the end what is late is still sent; what is then under way has as long again
    /// to be answered, and two seconds at least, and is lost after that.
    pub drain: Duration,
    /// Messages under way in a stream of large ones beside the small ones, on the connection of
    /// [`Connections::open_bulk`]; as fast as their replies come.
    pub bulk: usize,
    /// Replies of the bulk stream that came while it counted.
    pub bulk_replies: u64,
    /// Every answer, if somebody wants to know their course.
    pub answers: Option<Vec<Answer>>,
}

impl Open {
    /// Offers the phases one after the other; the warm-up goes before, at the rate of the first.
    pub fn new(spec: &Spec, clock: Clock, warm_up: Duration, phases: &[Phase]) -> Self {
        // A millisecond to get going: the first message must not be late.
        let start = clock.now() + 1_000_000;
        let measured_from = start + warm_up.as_nanos() as u64;
        let mut ends = measured_from;
        let phases = phases
            .iter()
            .map(|phase| {
                ends += phase.duration.as_nanos() as u64;
                (ends, 1e9 / phase.rate.max(1.0))
            })
            .collect();
        Self {
            clock,
            spinning: spec.placement.client_spins(),
            sleepy: spec.fault.as_deref() == Some("sleeping-generator"),
            poisson: spec.choice("arrivals") == "poisson",
            random: Rng::with_seed(spec.seed),
            phases,
            due: start as f64,
            measured_from,
            ends,
            number: 0,
            recorder: Recorder::new(ends),
            unsent: 0,
            idle_ns: 0,
            drain: Duration::from_secs(2),
            bulk: 0,
            bulk_replies: 0,
            answers: None,
        }
    }

    #[inline]
    fn advance(&mut self) {
        let phase = self.phases.iter().find(|phase| self.due < phase.0 as f64);
        let interval = phase.or(self.phases.last()).map_or(1e9, |phase| phase.1);
        self.due +=
            if self.poisson { -(1.0 - self.random.f64()).ln() * interval } else { interval };
    }

    /// How many messages are still to be sent, from the next one to the end.
    fn left(&self) -> u64 {
        let mut from = self.due;
        let mut left = 0.0;
        for &(ends, interval) in &self.phases {
            left += (ends as f64 - from).max(0.0) / interval;
            from = from.max(ends as f64);
        }
        left as u64
    }

    pub fn run(&mut self, client: &mut Connections, depth: usize) -> io::Result<()> {
        // Free places, and since when: first free, first used, so that all connections work.
        let mut free: VecDeque<(usize, u64)> =
            (0..depth).flat_map(|_| (0..client.active()).map(|index| (index, 0))).collect();
        let mut counted = false;
        let mut last_sleep = 0;
        let mut came = true;
        let sends_until = self.ends + self.drain.as_nanos() as u64;
        let gives_up = sends_until + self.drain.max(Duration::from_secs(2)).as_nanos() as u64;
        for _ in 0..self.bulk {
            self.number += 1;
            client.send(client.active(), self.number, self.clock.now())?;
        }
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
                self.unsent = self.left();
            }
            let all_sent = self.due as u64 >= self.ends || now > sends_until;
            // We may have slept past the end: lost is only what did not come although we looked.
            let given_up = now > gives_up && !came;
            if all_sent && client.under_way() == 0 || given_up {
                return Ok(());
            }
            if self.sleepy && now - last_sleep > 100_000_000 {
                std::thread::sleep(Duration::from_millis(100));
                last_sleep = self.clock.now();
            }
            let wait = self.wait(now, free.is_empty() || all_sent);
            came = self.receive(client, wait, &mut free)?;
            let looked = self.clock.now();
            if !came {
                self.idle_ns += looked - now;
            }
            now = looked;
        }
    }

    /// Takes in what has come; a place that is free again goes to the end of `free`.
    #[inline]
    fn receive(
        &mut self,
        client: &mut Connections,
        wait: Option<Duration>,
        free: &mut VecDeque<(usize, u64)>,
    ) -> io::Result<bool> {
        let Self { recorder, measured_from, ends, number, bulk_replies, answers, .. } = self;
        let bulk = client.active();
        client.receive(wait, |index, sent, now| {
            if index == bulk {
                if now >= *ends {
                    return None;
                }
                *bulk_replies += u64::from(now >= *measured_from);
                *number += 1;
                return Some((*number, now));
            }
            free.push_back((index, now));
            if sent.intended >= *measured_from {
                recorder.reply(sent, now);
                if let Some(answers) = answers {
                    answers.push(Answer { due: sent.intended, came: now });
                }
            }
            None
        })
    }

    /// How long to sleep for a reply; not at all when spinning.
    fn wait(&self, now: u64, only_replies: bool) -> Option<Duration> {
        let until_due = Duration::from_nanos((self.due as u64).saturating_sub(now));
        let wait = if only_replies { Duration::from_millis(100) } else { until_due };
        (!self.spinning).then_some(wait)
    }
}
