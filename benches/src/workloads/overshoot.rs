//! How late a sleep ends: from the deadline to the poll that finds it.

use std::time::{Duration, Instant};

use super::{TASKS, Workload, on_runtime, some};
use crate::method::{Nature, Outcome, Spec, histogram};
use crate::report::Shown;
use crate::subjects::{Runtime, Visitor, in_a_task};

pub const WORKLOAD: Workload = Workload {
    who: TASKS,
    parameters: &[&[some("sleep_us", "50,100,500,1000,10000", "Microseconds that are asked for")]],
    costs: &[("overshoot_median_ns", 50.0)],
    least: 100.0,
    nature: Nature::Timed,
    ..Workload::new(
        Shown::table("overshoot", "How late a sleep ends", COLUMNS),
        "How late sleeps end: the kernel's slack, or a runtime's own grain of a millisecond",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("median us", "overshoot_median_ns", 1e-3),
    ("p99 us", "overshoot_p99_ns", 1e-3),
    ("max us", "overshoot_max_ns", 1e-3),
    ("early", "early", 1.0),
];

/// Sleeps at least, however long each takes.
const FEWEST: usize = 10;

/// One task sleeps so long, again and again. Tells for each how long it really was, less what was asked,
/// in nanoseconds: below zero is early.
struct Sleeps {
    asked: Duration,
    duration: Duration,
}

impl Visitor for Sleeps {
    type Output = Vec<i64>;

    fn visit<R: Runtime>(self) -> Vec<i64> {
        in_a_task::<R, _>(async move {
            // The first sleep pays for pages and for threads that a runtime starts.
            R::sleep(self.asked).await;
            let first = Instant::now();
            let mut late = Vec::new();
            while late.len() < FEWEST || first.elapsed() < self.duration {
                let begin = Instant::now();
                R::sleep(self.asked).await;
                late.push(begin.elapsed().as_nanos() as i64 - self.asked.as_nanos() as i64);
            }
            late
        })
    }
}

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let asked = Duration::from_micros(spec.count("sleep_us") as u64);
    let late = on_runtime(spec, Sleeps { asked, duration: spec.duration() })?;
    let mut histogram = histogram::new();
    for &late in &late {
        histogram::record(&mut histogram, late.max(0).cast_unsigned());
    }
    let mut outcome = Outcome::default();
    outcome.metric("sleeps", late.len() as f64);
    outcome.metric("early", late.iter().filter(|&&late| late < 0).count() as f64);
    // Told however few there are, for it is what verdicts are about: ten already have a median.
    outcome.metric("overshoot_median_ns", histogram.value_at_quantile(0.5) as f64);
    outcome.distribution("overshoot", &histogram)?;
    Ok(outcome)
}
