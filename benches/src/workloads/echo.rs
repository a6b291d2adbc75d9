//! The closed loop: each connection has `depth` messages under way, and sends the next when a
//! reply comes. It shows capacity and the cost of a request; it hides stalls, which `load` shows.

use std::io;
use std::time::Duration;

use super::{Ends, WIRE, Workload, load};
use crate::method::{
    Clock, Connections, Meter, Outcome, Placement, Recorder, Server, Spec, checks, outcome,
};
use crate::report::Shown;

pub const WORKLOAD: Workload = Workload {
    placements: &[Placement::SameCpu, Placement::Split, Placement::SplitSpin, Placement::SpinSpin],
    parameters: &[WIRE],
    costs: &[("ns_per_request", 100.0), ("server_ns_per_request", 0.0)],
    least: 100.0,
    ..Workload::of_servers(
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

const PATIENCE: Duration = Duration::from_secs(2);

fn measure(spec: &Spec) -> Result<Outcome, String> {
    load::with_client(spec, Some(0), |ends, outcome| {
        let (spinning, fault) = (spec.placement.client_spins(), spec.fault.as_deref());
        let Ends { server, clock, .. } = *ends;
        let client = &mut *ends.client;
        let mut closed = Closed { client, clock, spinning, number: 0, idle_ns: 0, fault };
        let measured = closed.measure(spec, server, outcome);
        ends.client.drain(Duration::from_millis(200));
        let (recorder, elapsed) = measured?;
        Ok(recorder.tell(elapsed, outcome)?)
    })
}

struct Closed<'a> {
    client: &'a mut Connections,
    clock: Clock,
    spinning: bool,
    number: u64,
    idle_ns: u64,
    fault: Option<&'a str>,
}

impl Closed<'_> {
    /// Warms up, measures, and tells all but the histograms.
    fn measure(
        &mut self,
        spec: &Spec,
        server: &Server,
        outcome: &mut Outcome,
    ) -> io::Result<(Recorder, Duration)> {
        let depth = spec.count("depth").max(1);
        let active = self.client.active();
        let under_way = (active * depth) as f64;
        for index in (0..depth).flat_map(|_| 0..active) {
            self.number += 1;
            self.client.send(index, self.number, self.clock.now())?;
        }
        outcome::settle(spec.duration(), |window| {
            let (recorder, elapsed) = self.run(window)?;
            Ok(recorder.response.len() as f64 / elapsed.as_secs_f64())
        })?;
        self.idle_ns = 0;
        let meter = Meter::begin(server);
        let (mut recorder, elapsed) = self.run(spec.duration())?;
        let seconds = elapsed.as_secs_f64();
        let replies = recorder.response.len() as f64;
        let (busy, mut client) = meter.end(elapsed, replies, "server_ns_per_request", outcome);
        if self.spinning {
            client = 1.0 - self.idle_ns as f64 / 1e9 / seconds;
        }
        let rate = replies / seconds;
        outcome.metric("client_cpu", client);
        outcome.metric("ns_per_request", 1e9 / rate);
        outcome.flags.extend(busy.and_then(|busy| checks::server_bound(busy, client)));
        let latency = recorder.mean_service();
        outcome.metric("little", rate * latency / under_way);
        outcome.flags.extend(checks::little(under_way, rate, latency));
        // In a closed loop nothing is intended but what is sent: one histogram tells all.
        recorder.response.reset();
        Ok((recorder, elapsed))
    }

    /// Runs for so long; what was recorded, and how long it really was.
    fn run(&mut self, duration: Duration) -> io::Result<(Recorder, Duration)> {
        let began = self.clock.now();
        let mut recorder = Recorder::new();
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
