//! Tokens passed round a ring: what libevent's bench measures, and everyone since.
//!
//! `active` bytes are written at equal distances; whoever receives a byte writes one to its
//! neighbour, until `writes` have been written. One iteration ends when all have been received.

use std::io;
use std::time::{Duration, Instant};

use super::dispatch::{Dispatcher, Kind};
use super::schema::Spec;
use super::sockets::Pair;
use crate::stats;

/// What the ring does, by numbers.
#[derive(Clone, Copy)]
pub struct Shape {
    /// How many fds are watched.
    pub registered: usize,
    /// How many bytes are under way.
    pub active: usize,
    /// How many bytes are written in an iteration, the first ones included.
    pub writes: usize,
}

impl Shape {
    /// As a slice asks for it.
    pub fn of(spec: &Spec) -> Self {
        Self {
            registered: spec.count("registered").max(1),
            active: spec.count("active").max(1),
            writes: spec.count("writes").max(1),
        }
    }
}

/// A ring that is set up.
pub struct Ring {
    shape: Shape,
    pairs: Vec<Pair>,
    dispatcher: Box<dyn Dispatcher>,
    ready: Vec<usize>,
    /// System calls so far: waits, reads, writes.
    pub calls: [u64; 3],
}

impl Ring {
    /// Opens the pairs and registers them.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn new(kind: Kind, transport: &str, shape: Shape) -> io::Result<Self> {
        let pairs = Pair::many(transport, shape.registered)?;
        let mut dispatcher = (kind.open)()?;
        for (index, pair) in pairs.iter().enumerate() {
            dispatcher.add(index, &pair.receiver)?;
        }
        Ok(Self {
            shape,
            pairs,
            dispatcher,
            ready: Vec::new(),
            calls: [0; 3],
        })
    }

    /// Passes the tokens once; how long it took and how many bytes were received.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn iteration(&mut self) -> io::Result<(Duration, usize)> {
        let Shape {
            registered,
            active,
            writes,
        } = self.shape;
        let mut buffer = [0; 64];
        let begin = Instant::now();
        let (mut written, mut received) = (0, 0);
        for token in 0..active.min(writes) {
            self.pairs[token * registered / active % registered].send(&[1])?;
            written += 1;
        }
        let [mut waits, mut reads] = [0, 0];
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
                self.dispatcher.rearm(index, &self.pairs[index].receiver)?;
            }
        }
        let elapsed = begin.elapsed();
        for (sum, more) in self.calls.iter_mut().zip([waits, reads, written as u64]) {
            *sum += more;
        }
        Ok((elapsed, received))
    }

    /// One run of libevent's bench: every fd is unregistered and registered again, then an
    /// iteration; both together.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn compatible(&mut self) -> io::Result<Duration> {
        let begin = Instant::now();
        for (index, pair) in self.pairs.iter().enumerate() {
            self.dispatcher.remove(index, &pair.receiver)?;
            self.dispatcher.add(index, &pair.receiver)?;
        }
        let registering = begin.elapsed();
        Ok(registering + self.iteration()?.0)
    }
}

/// What a slice of `ring` tells.
///
/// # Errors
///
/// In words.
pub fn measure(kind: Kind, spec: &Spec) -> Result<super::work::Outcome, String> {
    let told = |error: io::Error| format!("ring on {}: {error}", kind.name);
    let mut ring = Ring::new(kind, spec.choice("transport"), Shape::of(spec)).map_err(told)?;
    let watch = super::work::warm_up(spec, || ring.iteration().map(|_| ())).map_err(told)?;
    ring.calls = [0; 3];
    let changes = ring.dispatcher.changes();
    let mut costs = Vec::new();
    let mut events = 0;
    let limit = Duration::from_millis(spec.milliseconds);
    let begin = Instant::now();
    while costs.is_empty() || begin.elapsed() < limit {
        let (elapsed, received) = ring.iteration().map_err(told)?;
        costs.push(elapsed.as_nanos() as f64 / received as f64);
        events += received;
    }
    let [waits, reads, writes] = ring.calls.map(|count| count as f64);
    let each = |count: f64| count / events as f64;
    let mut outcome = super::work::Outcome {
        quiet: Some(watch.end()),
        ..Default::default()
    };
    let median = stats::median(&costs);
    outcome.metric("ns_per_event", median);
    outcome.metric("ns_per_wait", median * events as f64 / waits);
    outcome.metric("events", events as f64);
    outcome.call("wait", each(waits));
    outcome.call("read", each(reads));
    outcome.call("write", each(writes));
    outcome.call("change", each((ring.dispatcher.changes() - changes) as f64));
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selbench::dispatch;

    #[test]
    fn every_byte_that_is_written_is_received_on_every_kind() {
        let shape = Shape {
            registered: 7,
            active: 3,
            writes: 100,
        };
        for kind in dispatch::ALL {
            for transport in crate::selbench::sockets::TRANSPORTS {
                let mut ring = Ring::new(*kind, transport, shape).unwrap();
                for _ in 0..3 {
                    let (_, received) = ring.iteration().unwrap();
                    assert_eq!(received, 100, "{} over {transport}", kind.name);
                }
                assert_eq!(ring.calls[2], 300);
                ring.compatible().unwrap();
            }
        }
    }
}
