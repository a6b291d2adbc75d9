//! Which slices a figure is made of, and the medians over them.

use hdrhistogram::Histogram;

use super::{Axis, COUNT, Chart, Point, Series, TIME, kind};
use crate::method::{AGAIN, Slice, Spec, compared, histogram, statistics};

pub const BEYOND: Axis = COUNT.of("1 / (1 \u{2212} percentile): 10 is p90, 100 is p99");

/// Slices of one workload, without the twins of A/A pairs: those are for the noise floor.
pub fn of<'a>(slices: &[&'a Slice], workload: &str) -> Vec<&'a Slice> {
    let of_it = |spec: &Spec| spec.workload == workload && !spec.subject.ends_with(AGAIN);
    those(slices, |slice| of_it(&slice.spec))
}

pub fn those<'a>(slices: &[&'a Slice], which: impl Fn(&Slice) -> bool) -> Vec<&'a Slice> {
    slices.iter().copied().filter(|slice| which(slice)).collect()
}

/// Slices by subject, in the order of the names: the blocks ran them in random order.
pub fn by_subject<'a>(slices: &[&'a Slice]) -> Vec<(&'a str, Vec<&'a Slice>)> {
    let mut names = compared::subjects(slices);
    names.sort_unstable();
    let of_it = |name: &str| those(slices, |slice| slice.spec.subject == name);
    names.into_iter().map(|name| (name, of_it(name))).collect()
}

/// The valid ones, and whether there were any; all if there were none.
pub fn believable<'a>(slices: &[&'a Slice]) -> (Vec<&'a Slice>, bool) {
    let valid = those(slices, Slice::valid);
    if valid.is_empty() { (slices.to_vec(), false) } else { (valid, true) }
}

pub fn median(slices: &[&Slice], metric: &str) -> Option<(f64, bool)> {
    // A slice without the figure says nothing about it, however valid it is.
    let (having, valid) = believable(&those(slices, |slice| slice.metrics.contains_key(metric)));
    Some((statistics::median(having.iter().map(|slice| slice.metrics[metric]))?, valid))
}

pub fn values(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    values
}

/// The medians of a metric over the slices that share the parameter `along`.
pub fn curve(slices: &[&Slice], along: &str, metric: &str) -> Vec<Point> {
    let places = values(slices.iter().map(|slice| slice.spec.number(along)));
    let point = |x: f64| {
        let (y, valid) = median(&those(slices, |slice| slice.spec.number(along) == x), metric)?;
        Some(Point { x, y, valid })
    };
    places.into_iter().filter_map(point).collect()
}

pub fn curves(slices: &[&Slice], along: &str, metric: &str) -> Vec<Series> {
    let each =
        |(subject, group): (&str, Vec<&Slice>)| Series::main(subject, curve(&group, along, metric));
    by_subject(slices).into_iter().map(each).collect()
}

/// Two curves for each subject over a parameter: a percentile, and thinner a lower one.
pub fn percentiles(slices: &[&Slice], along: &str, metrics: [(&str, &str); 2]) -> Vec<Series> {
    let mut series = Vec::new();
    for (subject, group) in by_subject(slices) {
        for ((word, metric), width) in metrics.into_iter().zip([2, 1]) {
            let (name, points) = (format!("{subject} {word}"), curve(&group, along, metric));
            if !points.is_empty() {
                series.push(Series { name, points, width, kind: kind(subject) });
            }
        }
    }
    series
}

/// The whole distribution of each subject, pooled over its believable slices: x is 1/(1-percentile).
/// Up to the last percentile that a hundred samples lie beyond, p90 at least.
pub fn distributions(slices: &[&Slice], name: &str) -> Vec<Series> {
    let each = |(subject, group): (&str, Vec<&Slice>)| {
        let (pooled, valid) = pooled(&group, name)?;
        let most = (pooled.len() as f64 / 100.0).max(10.0);
        let steps = (0..=60).map(|step| 10_f64.powf(f64::from(step) / 10.0));
        let points = steps.take_while(|x| *x <= most).map(|x| {
            let y = pooled.value_at_quantile(1.0 - 1.0 / x) as f64;
            Point { x, y, valid }
        });
        Some(Series::main(subject, points.collect()))
    };
    by_subject(slices).into_iter().filter_map(each).collect()
}

pub fn distribution_charts(slices: &[&Slice], name: &str, y: &'static str) -> Vec<Chart> {
    let chart = |(point, here): (String, Vec<&Slice>)| {
        Chart::new(point, BEYOND, TIME.of(y), distributions(&here, name))
    };
    compared::points(slices.iter().copied()).into_iter().map(chart).collect()
}

/// All slices' histograms of one name together, and whether they are valid ones.
fn pooled(slices: &[&Slice], name: &str) -> Option<(Histogram<u64>, bool)> {
    let (slices, valid) = believable(slices);
    let texts = slices.iter().filter_map(|slice| slice.histograms.get(name));
    let mut all = texts.filter_map(|text| histogram::decode(text));
    let mut pooled = all.next()?;
    for one in all {
        // Histograms of one make always add up.
        let _ = pooled.add(one);
    }
    (!pooled.is_empty()).then_some((pooled, valid))
}
