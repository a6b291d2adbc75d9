//! The closed loop: each connection has `depth` messages under way, and sends the next when a
//! reply comes. It shows capacity and the cost of a request; it hides stalls, which `load` shows.

use std::io;
use std::time::Duration;

use super::workload::{WIRE, Who, Workload, null_of_a_loop};
use crate::method::checks;
use crate::method::connections::{Clock, Connections};
use crate::method::flags::Reason;
use crate::method::outcome::{Outcome, refused};
use crate::method::placement::Placement;
use crate::method::quiet::Watch;
use crate::method::recorder::Recorder;
use crate::method::schema::{Nature, Spec};
use crate::method::server::Server;
use crate::report::shown::Shown;
use crate::sys;

/// The workload.
pub const WORKLOAD: Workload = Workload {
    who: Who::Loops(|_| true),
    placements: &[
        Placement::SameCpu,
        Placement::Split,
        Placement::SplitSpin,
        Placement::SpinSpin,
    ],
    parameters: &[WIRE],
    costs: &[("ns_per_request", 100.0), ("server_ns_per_request", 0.0)],
    least: 100.0,
    nature: Nature::Timed,
    null: |spec| null_of_a_loop(spec),
    ..Workload::new(
        Shown::table("echo", "As fast as the replies come", COLUMNS),
        "Closed loop against a server: capacity and the cost of a request. It hides stalls: quote \
         latency under load from `load`",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("req/s", "rate", 1.0),
    ("p50 us", "service_p50_ns", 1e-3),
    ("p99 us", "service_p99_ns", 1e-3),
    ("srv ns", "server_ns_per_request", 1.0),
];

/// So long nothing may come before the server counts as gone.
const PATIENCE: Duration = Duration::from_secs(2);

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let (connections, idle) = (spec.count("connections").max(1), spec.count("idle"));
    let depth = spec.count("depth").max(1);
    let server = Server::start(spec, connections + idle)?;
    let clock = Clock::new();
    let mut outcome = Outcome::default();
    let mut client =
        match Connections::open(server.address, connections, idle, spec.count("size"), clock) {
            Ok(client) => client,
            Err(error) => {
                outcome.flags.push(refused(&error));
                return Ok(outcome);
            }
        };
    let mut closed = Closed {
        client: &mut client,
        clock,
        spinning: spec.placement.client_spins(),
        number: 0,
        idle_ns: 0,
        fault: spec.fault.as_deref(),
    };
    match closed.measure(spec, &server, (connections * depth) as f64, &mut outcome) {
        Ok((recorder, elapsed)) => recorder.tell(elapsed, &mut outcome)?,
        Err(error) => outcome.flags.push(refused(&error)),
    }
    client.drain(Duration::from_millis(200));
    if client.errors > 0 {
        let words = format!("{} replies were not what was sent", client.errors);
        outcome.flag(Reason::Errors, words);
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
    /// Warms up, measures, and tells all but the histograms.
    fn measure(
        &mut self,
        spec: &Spec,
        server: &Server,
        under_way: f64,
        outcome: &mut Outcome,
    ) -> io::Result<(Recorder, Duration)> {
        self.start(spec.count("depth").max(1))?;
        self.warm_up(spec.duration().min(Duration::from_secs(1)))?;
        self.idle_ns = 0;
        let watch = Watch::begin(server.id().as_slice());
        let (cpu, own) = (server.cpu(), sys::process_cpu_time(std::process::id())?);
        let (mut recorder, elapsed) = self.run(spec.duration())?;
        outcome.quiet = Some(watch.end());
        let seconds = elapsed.as_secs_f64();
        let own = sys::process_cpu_time(std::process::id())?.saturating_sub(own);
        let client_cpu = match self.spinning {
            true => 1.0 - self.idle_ns as f64 / 1e9 / seconds,
            false => own.as_secs_f64() / seconds,
        };
        outcome.metric("client_cpu", client_cpu);
        let replies = recorder.response.len() as f64;
        let rate = replies / seconds;
        outcome.metric("ns_per_request", 1e9 / rate);
        if let (Some(before), Some(after)) = (cpu, server.cpu()) {
            let used = after.saturating_sub(before);
            let busy = used.as_secs_f64() / seconds;
            outcome.metric("server_cpu", busy);
            outcome.metric("server_ns_per_request", used.as_nanos() as f64 / replies);
            outcome.flags.extend(checks::server_bound(busy, client_cpu));
        }
        let latency = recorder.mean_service();
        outcome.metric("little", rate * latency / under_way);
        outcome
            .flags
            .extend(checks::little(under_way, rate, latency));
        // In a closed loop nothing is intended but what is sent: one histogram tells all.
        recorder.response.reset();
        Ok((recorder, elapsed))
    }

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
