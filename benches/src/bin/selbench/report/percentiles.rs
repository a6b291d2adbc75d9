//! Whole distributions: a curve over all percentiles for each subject.

use benches::selbench::schema::{Slice, Workload};
use hdrhistogram::Histogram;

use super::axis::{self, Axis, COUNT, TIME};
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::series::{Line, Point, Series};
use super::{escape, figure};

/// The axis of percentiles.
const BEYOND: Axis = Axis {
    label: "1 / (1 \u{2212} percentile): 10 is p90, 100 is p99, 1000 is p99.9",
    logarithmic: true,
    ..COUNT
};

/// (1) The load nearest to half the capacity, else the echo.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let loads = groups::of(slices, Workload::Load);
    let mut rates: Vec<f64> = loads
        .iter()
        .map(|slice| slice.spec.number("rate"))
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let middle = rates.get(rates.len().saturating_sub(1) / 2).copied();
    let (shown, name, label) = match middle {
        Some(rate) => {
            let at_rate = |slice: &&Slice| slice.spec.number("rate") == rate;
            let here = loads.into_iter().filter(at_rate).collect();
            (here, "response", "response time")
        }
        None => (
            groups::of(slices, Workload::Echo),
            "service",
            "service time",
        ),
    };
    // Percentiles of different points are of different questions: the first one is shown.
    let Some((point, shown)) = groups::first_point(&shown) else {
        return String::new();
    };
    let series = curves(&shown, name, colours, true);
    let chart = Chart {
        shape: lines::WIDE,
        x: BEYOND,
        y: Axis { label, ..TIME },
        series,
        behind: Vec::new(),
    };
    figure(
        "percentiles",
        "The whole distribution",
        &format!(
            "{}. Lower is better; a step upwards is a stall that this share of the messages met. \
             Pooled over the blocks; drawn as far as 100 samples lie beyond.",
            escape(&point)
        ),
        &lines::alone(chart),
    )
}

/// One of several distributions side by side; `label` says from when to when.
pub(super) fn panel(
    slices: &[&Slice],
    histogram: &str,
    label: &'static str,
    colours: &Colours,
) -> Chart {
    Chart {
        shape: lines::PANEL,
        x: Axis {
            label: "1 / (1 \u{2212} percentile)",
            ..BEYOND
        },
        y: Axis { label, ..TIME },
        series: curves(slices, histogram, colours, false),
        behind: Vec::new(),
    }
}

/// The curve of each subject; with its longest time in its name, or its name alone.
fn curves(slices: &[&Slice], histogram: &str, colours: &Colours, longest: bool) -> Vec<Series> {
    groups::by_subject(slices)
        .into_iter()
        .filter_map(|(subject, group)| {
            let (pooled, valid) = groups::pooled(&group, histogram)?;
            let most = axis::time(pooled.max() as f64);
            Some(Series {
                name: if longest {
                    format!("{subject}, max {most}")
                } else {
                    subject.to_owned()
                },
                points: points(&pooled, valid),
                line: Line::Main,
                colour: colours.get(group[0].spec.workload, subject),
            })
        })
        .collect()
}

/// Up to the last percentile that a hundred samples lie beyond, p90 at least.
fn points(pooled: &Histogram<u64>, valid: bool) -> Vec<Point> {
    let most = pooled.len() as f64 / 100.0;
    (0..=60)
        .map(|step| 10f64.powf(f64::from(step) / 10.0))
        .take_while(|&x| x <= most.max(10.0))
        .map(|x| Point {
            x,
            y: pooled.value_at_quantile(1.0 - 1.0 / x) as f64,
            valid,
        })
        .filter(|point| point.y > 0.0)
        .collect()
}
