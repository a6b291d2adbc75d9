//! Work that repeats itself inside one runtime: warm-up first, medians in the end.

use std::time::{Duration, Instant};

use super::{Facts, statistics as stats};
use crate::sys;

const WARM_UP: Duration = Duration::from_secs(1);

/// Repeats `lap`, whose first fact is its cost: first until two that follow each other agree
/// within 5 %, for a second at most, or for `duration` if that is shorter; then for `duration`, at
/// least once. Tells the median of each fact over the second part, and how many `laps` it had.
pub async fn laps(duration: Duration, mut lap: impl AsyncFnMut() -> Facts) -> Facts {
    let begin = Instant::now();
    let mut last = 0.0_f64;
    loop {
        let cost = lap().await.first().map_or(0.0, |(_, cost)| *cost);
        if (cost - last).abs() <= 0.05 * cost || begin.elapsed() >= WARM_UP.min(duration) {
            break;
        }
        last = cost;
    }
    let mut told: Vec<Facts> = Vec::new();
    let begin = Instant::now();
    while told.is_empty() || begin.elapsed() < duration {
        told.push(lap().await);
    }
    let median =
        |place: usize| stats::median(told.iter().map(|facts| facts[place].1)).unwrap_or_default();
    let mut facts: Facts =
        told[0].iter().enumerate().map(|(place, (name, _))| (*name, median(place))).collect();
    facts.push(("laps", told.len() as f64));
    facts
}

/// The clock of work in one thread: what the thread itself used. It stands still while others have the
/// CPU, so that a long piece of work beside busy neighbours is as long as alone.
#[derive(Clone, Copy)]
pub struct Stopwatch(Duration);

impl Stopwatch {
    pub fn begin() -> Self {
        Self(sys::thread_cpu_time())
    }

    /// What the thread has used since. To be asked by the thread that began.
    pub fn elapsed(&self) -> Duration {
        sys::thread_cpu_time().saturating_sub(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_laps_after_two_equal_ones() {
        let mut costs = [900.0, 100.0, 100.0].into_iter();
        let facts = executor::block_on(laps(Duration::ZERO, async || {
            vec![("cost", costs.next().unwrap()), ("other", 7.0)]
        }));
        // No time at all: one lap warms up, one counts.
        assert_eq!(facts.unwrap(), [("cost", 100.0), ("other", 7.0), ("laps", 1.0)]);
    }

    #[test]
    fn it_stands_still_while_the_thread_does() {
        let watch = Stopwatch::begin();
        std::thread::sleep(Duration::from_millis(200));
        assert!(watch.elapsed() < Duration::from_millis(100), "sleeping is no work");
        while watch.elapsed() < Duration::from_millis(1) {
            std::hint::spin_loop();
        }
    }
}
