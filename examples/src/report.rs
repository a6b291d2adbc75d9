//! What a client has measured, and how it reads.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{DecimalBytes, HumanCount};

use crate::words::plural;

/// The result of a run in which every byte was right, up to its end or to where it was stopped.
#[derive(Clone, Debug)]
pub struct Report {
    /// Connections, all open at the same time.
    pub connections: u64,
    /// Messages that came back.
    pub messages: u64,
    /// Bytes that came back, each compared with the one that was sent.
    pub bytes: u64,
    /// From the first message of the first connection to the last of the last.
    pub elapsed: Duration,
    /// Round trips in nanoseconds, from the first byte sent to the last byte received.
    pub latency: Histogram<u64>,
}

impl Report {
    /// Messages a second.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.seconds()
    }

    /// Above zero, so that nothing in no time is a rate of nothing.
    fn seconds(&self) -> f64 {
        self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The round trip that this part of the messages did not exceed; 0.99 for 99 of 100.
    pub fn percentile(&self, part: f64) -> Duration {
        Duration::from_nanos(self.latency.value_at_quantile(part))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes_a_second = self.bytes as f64 / self.seconds();
        writeln!(
            f,
            "verified  {} {} on {} {}: all {} bytes came back right",
            HumanCount(self.messages),
            plural(self.messages, "message"),
            HumanCount(self.connections),
            plural(self.connections, "connection"),
            HumanCount(self.bytes),
        )?;
        writeln!(
            f,
            "rate      {} messages/s, {}/s each way, in {:.2} s",
            HumanCount(self.rate() as u64),
            DecimalBytes(bytes_a_second as u64),
            self.elapsed.as_secs_f64(),
        )?;
        let [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map(|p| short(self.percentile(p)));
        let max = short(Duration::from_nanos(self.latency.max()));
        write!(
            f,
            "latency   p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}"
        )
    }
}

/// Three digits and a unit.
pub fn short(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    let (value, unit) = match micros {
        m if m < 999.5 => (m, "us"),
        m if m < 999_500.0 => (m / 1e3, "ms"),
        m => (m / 1e6, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::short;
    use std::time::Duration;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let nanos = [1_234, 45_600, 123_400, 999_900, 20_500_000, 1_500_000_000];
        let texts = nanos.map(|nanos| short(Duration::from_nanos(nanos)));
        assert_eq!(
            texts,
            [
                "1.23 us", "45.6 us", "123 us", "1.00 ms", "20.5 ms", "1.50 s"
            ]
        );
    }
}
