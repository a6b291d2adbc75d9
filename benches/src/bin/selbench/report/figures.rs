//! The figures that are curves: percentiles, cost, latency against load.

use std::collections::BTreeMap;
use std::fmt::Write;

use benches::selbench::histogram;
use benches::selbench::schema::{Slice, Workload};
use benches::selbench::statistics;
use benches::stats;

use super::chart::{self, Axis, Series};
use super::{escape, figure};

pub(super) const TIME: Axis = Axis {
    label: "time",
    logarithmic: true,
    show: chart::time,
};

/// Subjects in the order in which they appear, the selectors or the servers: each keeps its
/// colour in all figures of its kind.
pub(super) fn colours(slices: &[&Slice], servers: bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for slice in slices {
        if slice.spec.workload.serves() == servers && !names.contains(&slice.spec.subject) {
            names.push(slice.spec.subject.clone());
        }
    }
    names
}

pub(super) fn colour(names: &[String], subject: &str) -> usize {
    names.iter().position(|name| name == subject).unwrap_or(0)
}

fn none(_: &dyn Fn(f64) -> f64, _: f64, _: f64) -> String {
    String::new()
}

/// Slices of one subject.
pub(super) type Group<'a> = BTreeMap<&'a str, Vec<&'a Slice>>;

pub(super) fn by_subject<'a>(slices: &[&'a Slice]) -> Group<'a> {
    let mut groups = Group::new();
    for slice in slices {
        groups.entry(&slice.spec.subject).or_default().push(slice);
    }
    groups
}

/// The valid ones, and whether there were any; all if there were none.
pub(super) fn believable<'a>(slices: &[&'a Slice]) -> (Vec<&'a Slice>, bool) {
    let valid: Vec<&Slice> = slices
        .iter()
        .copied()
        .filter(|slice| slice.valid())
        .collect();
    if valid.is_empty() {
        (slices.to_vec(), false)
    } else {
        (valid, true)
    }
}

/// (1) The whole distribution, of the load nearest to half the capacity, else of the echo.
pub(super) fn percentiles(slices: &[&Slice]) -> String {
    let loads = of(slices, Workload::Load);
    let mut rates: Vec<f64> = loads
        .iter()
        .map(|slice| slice.spec.number("rate"))
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let middle = rates.get(rates.len().saturating_sub(1) / 2).copied();
    let (shown, name) = match middle {
        Some(rate) => (
            loads
                .into_iter()
                .filter(|slice| slice.spec.number("rate") == rate)
                .collect(),
            "response",
        ),
        None => (of(slices, Workload::Echo), "service"),
    };
    let names = colours(slices, true);
    let mut series = Vec::new();
    for (subject, group) in by_subject(&shown) {
        let (group, valid) = believable(&group);
        let mut pooled = histogram::new();
        for slice in group {
            let one = slice
                .histograms
                .get(name)
                .and_then(|text| histogram::decode(text).ok());
            // Histograms of one make always add up.
            if let Some(one) = one {
                let _ = pooled.add(one);
            }
        }
        if pooled.is_empty() {
            continue;
        }
        // Up to the last percentile that a hundred samples lie beyond, then the maximum is told.
        let most = pooled.len() as f64 / 100.0;
        let points = (0..=60)
            .map(|step| 10f64.powf(f64::from(step) / 10.0))
            .take_while(|&x| x <= most.max(10.0))
            .map(|x| (x, pooled.value_at_quantile(1.0 - 1.0 / x) as f64))
            .filter(|point| point.1 > 0.0)
            .collect();
        series.push(Series::measured(
            format!("{subject}, max {}", chart::time(pooled.max() as f64)),
            points,
            valid,
            colour(&names, subject),
        ));
    }
    if series.is_empty() {
        return String::new();
    }
    let x = Axis {
        label: "1 / (1 \u{2212} percentile): 10 is p90, 100 is p99, 1000 is p99.9",
        logarithmic: true,
        show: chart::count,
    };
    let y = Axis {
        label: if name == "response" {
            "response time"
        } else {
            "service time"
        },
        ..TIME
    };
    let point = shown
        .first()
        .map_or_else(String::new, |slice| slice.spec.point());
    figure(
        "percentiles",
        "The whole distribution",
        &format!(
            "{}. Lower is better; a step upwards is a stall that this share of the messages met. \
             Pooled over the blocks; drawn as far as 100 samples lie beyond.",
            escape(&point)
        ),
        &chart::lines(&series, &x, &y, none),
    )
}

pub(super) fn of<'a>(slices: &[&'a Slice], workload: Workload) -> Vec<&'a Slice> {
    slices
        .iter()
        .copied()
        .filter(|slice| slice.spec.workload == workload)
        .collect()
}

/// Medians of `figure` over the slices that share `x`, and whether any point is of valid ones
/// only.
fn curve(
    group: &[&Slice],
    x: impl Fn(&Slice) -> f64,
    figure: impl Fn(&Slice) -> Option<f64>,
) -> (Vec<(f64, f64)>, bool) {
    let mut places: Vec<f64> = group.iter().map(|slice| x(slice)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let mut all_valid = true;
    let points = places
        .into_iter()
        .filter_map(|place| {
            let here: Vec<&Slice> = group
                .iter()
                .copied()
                .filter(|slice| x(slice) == place)
                .collect();
            let (here, valid) = believable(&here);
            all_valid &= valid;
            let figures: Vec<f64> = here.iter().filter_map(|slice| figure(slice)).collect();
            (!figures.is_empty()).then(|| (place, stats::median(&figures)))
        })
        .collect();
    (points, all_valid)
}

/// (2) Cost against the number of watched fds, with fitted lines and break-even.
pub(super) fn cost(slices: &[&Slice]) -> String {
    let rings: Vec<&Slice> = of(slices, Workload::Ring)
        .into_iter()
        .filter(|slice| slice.spec.count("active") == 1)
        .collect();
    let names = colours(slices, false);
    let mut series = Vec::new();
    let mut lines: Vec<(String, f64, f64)> = Vec::new();
    for (subject, group) in by_subject(&rings) {
        let (points, valid) = curve(&group, |slice| slice.spec.number("registered"), Slice::cost);
        let colour = colour(&names, subject);
        // The knee where the sockets leave the cache is no part of the line.
        let near: Vec<(f64, f64)> = points
            .iter()
            .copied()
            .filter(|point| point.0 <= 1024.0)
            .collect();
        if let Some((a, b)) = statistics::fit(&near).filter(|_| near.len() >= 3) {
            lines.push((subject.to_owned(), a, b));
            let fitted = points.iter().map(|point| (point.0, a + b * point.0));
            // Noise about a flat curve can fall, and would fall off a logarithmic axis.
            let rises = b > 0.0;
            series.extend(rises.then(|| Series {
                name: format!("{subject}, fitted"),
                points: fitted.filter(|point| point.1 > 0.0).collect(),
                invalid: false,
                fitted: true,
                colour,
            }));
        }
        if !points.is_empty() {
            series.push(Series::measured(subject.to_owned(), points, valid, colour));
        }
    }
    if series.is_empty() {
        return String::new();
    }
    let x = Axis {
        label: "watched fds, one of them active",
        logarithmic: true,
        show: chart::count,
    };
    let y = Axis {
        label: "time for each event",
        ..TIME
    };
    figure(
        "cost",
        "Cost against the number of watched fds",
        &format!(
            "One thread, both ends in it; an event is a wait, a read and a write. {} Dotted: the \
             fitted lines, up to 1024 fds.",
            break_even(&lines)
        ),
        &chart::lines(&series, &x, &y, none),
    )
}

/// The fitted lines in words, and where the scanning ones meet epoll.
fn break_even(lines: &[(String, f64, f64)]) -> String {
    let mut words = String::new();
    for (name, a, b) in lines {
        let _ = write!(
            words,
            "{}: {} + {:.1} ns \u{b7} N. ",
            escape(name),
            chart::time(*a),
            b
        );
    }
    let ours = |name: &str| lines.iter().find(|line| line.0 == name);
    if let Some(epoll) = ours("ours-epoll") {
        for name in ["ours-poll", "ours-select"] {
            let Some(other) = ours(name) else { continue };
            let meet = (epoll.1 - other.1) / (other.2 - epoll.2);
            if meet > 1.0 {
                let _ = write!(words, "{name} and ours-epoll break even at N = {meet:.0}. ");
            }
        }
    }
    words
}

/// (4) Latency against offered load.
pub(super) fn offered(slices: &[&Slice]) -> String {
    let loads = of(slices, Workload::Load);
    let names = colours(slices, true);
    let mut series = Vec::new();
    for (subject, group) in by_subject(&loads) {
        for (word, metric) in [("p50", "response_p50_ns"), ("p99", "response_p99_ns")] {
            let (points, valid) = curve(
                &group,
                |slice| slice.spec.number("rate"),
                |slice| slice.metrics.get(metric).copied(),
            );
            if !points.is_empty() {
                series.push(Series::measured(
                    format!("{subject} {word}"),
                    points,
                    valid,
                    colour(&names, subject),
                ));
            }
        }
    }
    if series.is_empty() {
        return String::new();
    }
    let x = Axis {
        label: "offered messages a second, the same for everyone",
        logarithmic: false,
        show: chart::count,
    };
    let y = Axis {
        label: "response time",
        ..TIME
    };
    figure(
        "offered",
        "Latency against offered load",
        "From the intended time of sending. Flat, then a knee: beyond the capacity the queue grows \
         for as long as the run lasts, so those points (flag backlog) say nothing but that.",
        &chart::lines(&series, &x, &y, none),
    )
}
