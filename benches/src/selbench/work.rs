//! One slice, from its description to its result: place, warm up, watch, measure, judge.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::checks::{self, Flag, Reason};
use super::histogram;
use super::placement::Placement;
use super::quiet::{Quiet, Watch};
use super::schema::{Cell, Probe, Slice, Spec, Window, Workload};
use super::{
    capacity, cascade, churn, dispatch, echo, fair, idle, load, map, overload, ports, register,
    ring, switch, timers, wake,
};
use crate::subject::{Subject, Tasks};
use crate::sys;
use crate::work::Facts;

/// What a workload found.
#[derive(Default)]
pub struct Outcome {
    /// Figures by name.
    pub metrics: BTreeMap<String, f64>,
    /// Histograms by name, encoded.
    pub histograms: BTreeMap<String, String>,
    /// Per 100 ms.
    pub timeline: Vec<Window>,
    /// Of a map.
    pub cells: Vec<Cell>,
    /// Of a search for the capacity.
    pub probes: Vec<Probe>,
    /// For each operation.
    pub system_calls: BTreeMap<String, f64>,
    /// What the workload itself knows to be wrong.
    pub flags: Vec<Flag>,
    /// What the machine did, if the workload watched it closer than its caller can.
    pub quiet: Option<Quiet>,
}

impl Outcome {
    /// Tells a figure.
    pub fn metric(&mut self, name: &str, value: f64) {
        self.metrics.insert(name.to_owned(), value);
    }

    /// Tells what a work found out about itself.
    pub fn facts(&mut self, facts: &Facts) {
        for (name, value) in facts {
            self.metric(name, *value);
        }
    }

    /// Tells a histogram of nanoseconds, with those of its percentiles that have samples enough
    /// beyond them, and the longest.
    ///
    /// # Errors
    ///
    /// In words: a histogram that cannot be written.
    pub fn distribution(&mut self, name: &str, histogram: &Histogram<u64>) -> Result<(), String> {
        for (word, percentile) in histogram::PERCENTILES {
            if let Some(value) = histogram::percentile(histogram, percentile) {
                self.metric(&format!("{name}_{word}_ns"), value);
            }
        }
        self.metric(&format!("{name}_max_ns"), histogram.max() as f64);
        let text = histogram::encode(histogram)?;
        self.histograms.insert(name.to_owned(), text);
        Ok(())
    }

    /// Tells how often a system call was made for each operation; zero is not told.
    pub fn call(&mut self, name: &str, each: f64) {
        if each > 0.0 {
            self.system_calls.insert(name.to_owned(), each);
        }
    }
}

/// Measures a slice in this process.
///
/// # Errors
///
/// In words: what could not be set up. What went wrong while measuring is a flag instead.
pub fn measure(spec: Spec) -> Result<Slice, String> {
    if spec.placement == Placement::OneThread {
        // Refused in some sandboxes: the row then carries the noise, if there is any.
        let _ = sys::pin_to_cpu(spec.placement.server_cpu());
    }
    let watch = Watch::begin(&[]);
    let kind = || {
        dispatch::named(spec.program())
            .ok_or_else(|| format!("no selector is named {}", spec.subject))
    };
    let outcome = match spec.workload {
        Workload::Ring => ring::measure(kind()?, &spec)?,
        Workload::Map => map::measure(kind()?, &spec)?,
        Workload::Register => register::measure(kind()?, &spec)?,
        Workload::Echo => echo::measure(&spec)?,
        Workload::Load => load::measure(&spec)?,
        Workload::Capacity => capacity::measure(&spec)?,
        Workload::Fair => fair::measure(&spec)?,
        Workload::Overload => overload::measure(&spec)?,
        Workload::Switch => switch::measure(tasks(&spec)?, &spec)?,
        Workload::Storm => timers::storm(tasks(&spec)?, &spec),
        Workload::Overshoot => timers::overshoot(tasks(&spec)?, &spec)?,
        Workload::Wake => wake::measure(tasks(&spec)?, &spec)?,
        Workload::Churn => churn::measure(&spec)?,
        Workload::Idle => idle::measure(&spec)?,
        Workload::Cascade => cascade::measure(&spec)?,
    };
    let quiet = outcome.quiet.unwrap_or_else(|| watch.end());
    let mut flags = outcome.flags;
    flags.extend(checks::quiet(&quiet, spec.placement, spec.workload));
    Ok(Slice {
        spec,
        metrics: outcome.metrics,
        histograms: outcome.histograms,
        timeline: outcome.timeline,
        cells: outcome.cells,
        probes: outcome.probes,
        system_calls: outcome.system_calls,
        quiet,
        flags,
    })
}

/// The tasks of a subject.
fn tasks(spec: &Spec) -> Result<Tasks, String> {
    Subject::named(spec.program())
        .and_then(|subject| subject.tasks)
        .ok_or_else(|| format!("no runtime with tasks is named {}", spec.subject))
}

/// Repeats `work` until two windows that follow each other are equally fast within 5 %, for a
/// second at most, or as long as the slice if that is shorter. What comes next is watched.
///
/// # Errors
///
/// Those of `work`.
pub fn warm_up(spec: &Spec, mut work: impl FnMut() -> io::Result<()>) -> io::Result<Watch> {
    let most = Duration::from_millis(spec.milliseconds.min(1000));
    let window = most / 10;
    let begin = Instant::now();
    let mut last = 0.0_f64;
    while begin.elapsed() < most {
        let (started, mut count) = (Instant::now(), 0);
        while started.elapsed() < window {
            work()?;
            count += 1;
        }
        let rate = f64::from(count) / started.elapsed().as_secs_f64();
        if (rate - last).abs() < 0.05 * rate {
            break;
        }
        last = rate;
    }
    Ok(Watch::begin(&[]))
}

/// A flag for what the kernel refused in the middle.
pub fn refused(error: &io::Error) -> Flag {
    let wall = matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
    ports::exhausted(error).unwrap_or_else(|| Flag {
        reason: if wall {
            Reason::ResourceWall
        } else {
            Reason::Errors
        },
        detail: error.to_string(),
    })
}
