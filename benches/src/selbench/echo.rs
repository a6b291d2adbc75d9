//! The closed loop: each connection has `depth` messages under way, and sends the next when a
//! reply comes. It shows capacity and the cost of a request; it hides stalls, which `load` shows.

use std::io;
use std::time::Duration;

use super::checks::{self, Flag, Reason};
use super::connections::{Clock, Connections};
use super::quiet::Watch;
use super::recorder::Recorder;
use super::schema::Spec;
use super::server::Server;
use super::work::{self, Outcome};
use crate::sys;

/// So long nothing may come before the server counts as gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a slice of `echo` tells.
///
/// # Errors
///
/// In words: what could not be set up.
pub fn measure(spec: &Spec) -> Result<Outcome, String> {
    let (connections, idle) = (spec.count("connections").max(1), spec.count("idle"));
    let depth = spec.count("depth").max(1);
    let server = Server::start(spec, connections + idle)?;
    let clock = Clock::new();
    let size = spec.count("size");
    let opened = Connections::open(server.address, connections, idle, size, clock);
    let mut outcome = Outcome::default();
    let mut client = match opened {
        Ok(client) => client,
        Err(error) => {
            outcome.flags.push(work::refused(&error));
            return Ok(outcome);
        }
    };
    let mut loop_ = Closed {
        client: &mut client,
        clock,
        spinning: spec.placement.client_spins(),
        number: 0,
        idle_ns: 0,
        fault: spec.fault.as_deref(),
    };
    let run = |loop_: &mut Closed<'_>, outcome: &mut Outcome| -> io::Result<Recorder> {
        loop_.start(depth)?;
        let most = Duration::from_millis(spec.milliseconds.min(1000));
        loop_.warm_up(most)?;
        loop_.idle_ns = 0;
        let watch = Watch::begin(server.id().as_slice());
        let cpu = server.cpu();
        let own = sys::process_cpu_time(std::process::id())?;
        let (mut recorder, elapsed) = loop_.run(Duration::from_millis(spec.milliseconds))?;
        outcome.quiet = Some(watch.end());
        let seconds = elapsed.as_secs_f64();
        let busy = |used: Duration| used.as_secs_f64() / seconds;
        let own = sys::process_cpu_time(std::process::id())?.saturating_sub(own);
        let client_cpu = if loop_.spinning {
            1.0 - loop_.idle_ns as f64 / 1e9 / seconds
        } else {
            busy(own)
        };
        outcome.metric("client_cpu", client_cpu);
        let replies = recorder.response.len() as f64;
        let rate = replies / seconds;
        outcome.metric("ns_per_request", 1e9 / rate);
        outcome.metric("seconds", seconds);
        if let (Some(before), Some(after)) = (cpu, server.cpu()) {
            let used = after.saturating_sub(before);
            outcome.metric("server_cpu", busy(used));
            outcome.metric("server_ns_per_request", used.as_nanos() as f64 / replies);
            outcome
                .flags
                .extend(checks::server_bound(busy(used), client_cpu));
        }
        let under_way = (connections * depth) as f64;
        let latency = recorder.mean_service();
        outcome.metric("little", rate * latency / under_way);
        outcome
            .flags
            .extend(checks::little(under_way, rate, latency));
        // In a closed loop nothing is intended but what is sent: one histogram tells all.
        recorder.response.reset();
        Ok(recorder)
    };
    match run(&mut loop_, &mut outcome) {
        Ok(recorder) => {
            let seconds = outcome.metrics.remove("seconds").unwrap_or(1.0);
            let replies = recorder.service.len() as f64;
            recorder.tell(Duration::from_secs_f64(seconds), &mut outcome)?;
            outcome.metric("replies", replies);
            outcome.metric("rate", replies / seconds);
        }
        Err(error) => outcome.flags.push(work::refused(&error)),
    }
    client.drain(Duration::from_millis(200));
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

struct Closed<'a> {
    client: &'a mut Connections,
    clock: Clock,
    spinning: bool,
    number: u64,
    /// Time spent in looks that found nothing.
    idle_ns: u64,
    /// What is broken on purpose.
    fault: Option<&'a str>,
}

impl Closed<'_> {
    fn start(&mut self, depth: usize) -> io::Result<()> {
        for _ in 0..depth {
            for index in 0..self.client.active() {
                self.send(index)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn send(&mut self, index: usize) -> io::Result<()> {
        self.number += 1;
        let now = self.clock.now();
        self.client.send(index, self.number, now).map(|_| ())
    }

    /// Runs until two windows that follow each other agree within 5 %.
    fn warm_up(&mut self, most: Duration) -> io::Result<()> {
        let mut last = 0.0_f64;
        for _ in 0..10 {
            let (recorder, elapsed) = self.run(most / 10)?;
            let rate = recorder.response.len() as f64 / elapsed.as_secs_f64();
            if (rate - last).abs() < 0.05 * rate {
                break;
            }
            last = rate;
        }
        Ok(())
    }

    /// Runs for so long; what was recorded, and how long it really was.
    fn run(&mut self, duration: Duration) -> io::Result<(Recorder, Duration)> {
        let began = self.clock.now();
        let mut recorder = Recorder::new(began);
        recorder.break_on_purpose(self.fault, 0);
        let end = began + duration.as_nanos() as u64;
        let wait = (!self.spinning).then_some(PATIENCE);
        let mut last_reply = began;
        let mut now = began;
        while now < end {
            let number = &mut self.number;
            let slow = self.fault == Some("slow-generator");
            let came = self.client.receive(wait, |_, sent, now| {
                recorder.reply(sent, now);
                if slow {
                    std::thread::sleep(Duration::from_micros(300));
                }
                *number += 1;
                Some((*number, now))
            })?;
            let looked = self.clock.now();
            if came {
                last_reply = looked;
            } else {
                self.idle_ns += looked - now;
                if looked - last_reply > PATIENCE.as_nanos() as u64 {
                    return Err(io::Error::other("a reply never came"));
                }
            }
            now = looked;
        }
        Ok((recorder, Duration::from_nanos(now - began)))
    }
}
