//! What a workload found in one slice, and how its figures are told.

use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{Flag, Quiet, Reason, Slice, Spec, Watch, checks, histogram, ports};

/// What a work found out about itself: a name and a value each.
pub type Facts = Vec<(&'static str, f64)>;

/// What a workload found: the slice that it becomes.
pub type Outcome = Slice;

impl Outcome {
    pub fn metric(&mut self, name: &str, value: f64) {
        self.metrics.insert(name.to_owned(), value);
    }

    pub fn of(facts: &Facts) -> Self {
        let metrics = facts.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Self { metrics, ..Self::default() }
    }

    /// Tells a histogram of nanoseconds, with those of its percentiles that have samples enough
    /// beyond them, and the longest.
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

    pub fn flag(&mut self, reason: Reason, detail: impl Into<String>) {
        self.flags.push(Flag::new(reason, detail));
    }

    /// The slice of `spec`, judged by what the machine did meanwhile; `costs` are the metrics that
    /// verdicts are about, each with the percentile that it stands for: 0 is one that noise does
    /// not touch, 100 one that any noise is in.
    pub fn judged(mut self, spec: Spec, quiet: Quiet, costs: &[(&str, f64)]) -> Slice {
        let (noise, share) = checks::noise(&quiet, &spec);
        if !noise.is_empty() && spec.nature == super::schema::Nature::Timed {
            self.limit(share, spec.duration(), costs);
        }
        let left = costs.iter().any(|(name, _)| self.metrics.contains_key(*name));
        // Where no percentile is told, nobody asks whether the generator was on time.
        let untold = checks::told_up_to(share) < 50.0 && left;
        let on_time = [Reason::GeneratorLag, Reason::Little, Reason::Backlog];
        for flag in self.flags.iter_mut().filter(|flag| on_time.contains(&flag.reason)) {
            flag.label |= untold;
        }
        self.flags.extend(checks::judge_noise(noise, spec.nature, left));
        self.flags.extend(checks::always(&quiet, spec.nature));
        Slice { spec, quiet, watched: None, ..self }
    }

    /// Leaves out the percentiles in which the machine's pauses may be. Nothing is subtracted: the
    /// histograms keep everything.
    fn limit(&mut self, share: f64, duration: Duration, costs: &[(&str, f64)]) {
        let most = checks::told_up_to(share);
        let before = self.metrics.len();
        let percentile = |name: &str| {
            let of_cost = costs.iter().find(|(cost, _)| *cost == name);
            let of_histogram = || {
                histogram::PERCENTILES
                    .iter()
                    .find(|(word, _)| name.trim_end_matches("_ns").ends_with(&format!("_{word}")))
            };
            of_cost.or_else(of_histogram).map(|told| told.1)
        };
        self.metrics.retain(|name, _| percentile(name).is_none_or(|percentile| percentile <= most));
        if self.metrics.len() < before {
            let told = histogram::PERCENTILES.iter().rev().find(|(_, share)| *share <= most);
            let told = told.map_or("none", |told| told.0);
            let pauses = share * duration.as_secs_f64() * 1e3;
            let all = duration.as_millis();
            let words = format!(
                "others had up to {pauses:.0} ms of {all} ms: the highest percentile told: {told}"
            );
            self.flag(Reason::Limited, words);
        }
    }
}

/// Warms up: asks for the rate in windows of a slice of so long, until two that follow each other
/// are equal within 5 %, for a second at most, or as long as the slice if that is shorter.
pub fn settle(all: Duration, mut rate: impl FnMut(Duration) -> io::Result<f64>) -> io::Result<()> {
    let (most, begin) = (all.min(Duration::from_secs(1)), Instant::now());
    let mut last = 0.0_f64;
    while begin.elapsed() < most {
        let now = rate(most / 10)?;
        if (now - last).abs() < 0.05 * now {
            break;
        }
        last = now;
    }
    Ok(())
}

/// Work in one thread: warms up, then repeats it for as long as the slice, once at least. What each
/// repetition gave, and what the machine did meanwhile.
pub fn repeat<T>(
    spec: &Spec,
    mut work: impl FnMut() -> io::Result<T>,
) -> io::Result<(Vec<T>, Quiet)> {
    settle(spec.duration(), |window| {
        let (started, mut count) = (Instant::now(), 0);
        while started.elapsed() < window {
            work()?;
            count += 1;
        }
        Ok(f64::from(count) / started.elapsed().as_secs_f64())
    })?;
    let (watch, began, mut all) = (Watch::begin(&[]), Instant::now(), Vec::new());
    while all.is_empty() || began.elapsed() < spec.duration() {
        all.push(work()?);
    }
    Ok((all, watch.end()))
}

/// A flag for what the kernel refused in the middle.
pub fn refused(error: &io::Error) -> Flag {
    let wall = matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
    let reason = if wall { Reason::ResourceWall } else { Reason::Errors };
    ports::exhausted(error).unwrap_or_else(|| Flag::new(reason, error.to_string()))
}
