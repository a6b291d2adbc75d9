//! The terminal's table: for each point the subjects in order of their ratio, with interval,
//! verdict and flags.

use std::collections::BTreeMap;
use std::fmt::Write;

use benches::selbench::schema::{Document, Slice, Workload};
use benches::selbench::statistics::FEWEST_BLOCKS;
use benches::stats;

use crate::session;

/// The subjects that were measured at a point, in the order in which they first ran.
pub(crate) fn subjects(slices: &[Slice], point: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for slice in slices.iter().filter(|slice| slice.spec.point() == point) {
        if !names.contains(&slice.spec.subject) {
            names.push(slice.spec.subject.clone());
        }
    }
    names
}

/// The median over the slices of a subject at a point; over the valid ones, if there are any.
pub(crate) fn median(slices: &[Slice], point: &str, subject: &str, metric: &str) -> Option<f64> {
    let of_it = |slice: &&Slice| slice.spec.point() == point && slice.spec.subject == subject;
    let figure = |slice: &Slice| slice.metrics.get(metric).copied();
    let valid: Vec<f64> = slices
        .iter()
        .filter(of_it)
        .filter(|s| s.valid())
        .filter_map(figure)
        .collect();
    if !valid.is_empty() {
        return Some(stats::median(&valid));
    }
    let any: Vec<f64> = slices.iter().filter(of_it).filter_map(figure).collect();
    (!any.is_empty()).then(|| stats::median(&any))
}

/// The figures that are shown beside the cost.
fn columns(workload: Workload) -> &'static [(&'static str, &'static str, f64)] {
    match workload {
        Workload::Ring => &[
            ("ns/event", "ns_per_event", 1.0),
            ("ns/wait", "ns_per_wait", 1.0),
        ],
        Workload::Map => &[("ns/turn", "ns_per_turn", 1.0)],
        Workload::Register => &[("ns/op", "ns_per_operation", 1.0)],
        Workload::Echo => &[
            ("req/s", "rate", 1.0),
            ("p50 us", "service_p50_ns", 1e-3),
            ("p99 us", "service_p99_ns", 1e-3),
            ("srv ns", "server_ns_per_request", 1.0),
        ],
        Workload::Load => &[
            ("p50 us", "response_p50_ns", 1e-3),
            ("p99 us", "response_p99_ns", 1e-3),
            ("max us", "response_max_ns", 1e-3),
            ("rate/s", "rate", 1.0),
        ],
        Workload::Capacity | Workload::Churn | Workload::Fair | Workload::Overload => {
            crate::loads::columns(workload)
        }
        other => crate::workloads::columns(other),
    }
}

/// All points of a run.
pub(crate) fn draw(document: &Document) -> String {
    let slices = &document.slices;
    let mut points: Vec<String> = Vec::new();
    for slice in slices {
        let point = slice.spec.point();
        if !points.contains(&point) {
            points.push(point);
        }
    }
    let mut text = String::new();
    for point in &points {
        text += &draw_point(document, point);
    }
    let valid = slices.iter().filter(|slice| slice.valid()).count();
    let _ = writeln!(text, "{valid} of {} slices are valid", slices.len());
    let _ = writeln!(text, "{}", floor(document));
    if document.interrupted {
        text += "interrupted or out of time: blocks are missing\n";
    }
    text
}

/// The noise floor in words.
pub(crate) fn floor(document: &Document) -> String {
    match document.noise_floor {
        Some(floor) => format!("Noise floor (A/A): \u{b1}{:.1} %", 100.0 * floor),
        None => format!(
            "Noise floor (A/A): n/a, for it takes {FEWEST_BLOCKS} blocks in which both twins are valid"
        ),
    }
}

fn draw_point(document: &Document, point: &str) -> String {
    let slices = &document.slices;
    let Some(workload) = slices
        .iter()
        .find(|s| s.spec.point() == point)
        .map(|s| s.spec.workload)
    else {
        return String::new();
    };
    let columns = columns(workload);
    let mut text = format!("\n{point}\n  {:22}", "subject");
    for (title, _, _) in columns {
        let _ = write!(text, "{title:>12}");
    }
    let _ = writeln!(
        text,
        "{:>8}  {:15} {:18} flags",
        "ratio", "95 % interval", "verdict"
    );
    let baseline = session::baseline(slices, point);
    let comparison = |subject: &str| {
        let all = &document.comparisons;
        all.iter()
            .find(|one| one.point == point && one.subject == subject)
    };
    let mut names = subjects(slices, point);
    names.sort_by(|a, b| {
        let ratio = |name: &str| comparison(name).map_or(1.0, |one| one.ratio);
        ratio(a).total_cmp(&ratio(b))
    });
    for name in names {
        let _ = write!(text, "  {name:22}");
        for (_, metric, scale) in columns {
            match median(slices, point, &name, metric) {
                Some(value) => text += &format!("{:>12}", figure(value * scale)),
                None => text += &format!("{:>12}", "n/a"),
            }
        }
        match comparison(&name) {
            Some(one) => {
                let interval = one.interval("-");
                let verdict = one.verdict.words(one.threshold);
                let _ = write!(text, "{:8.3}  {interval:15} {verdict:18}", one.ratio);
            }
            None => {
                let word = if baseline.as_deref() == Some(&*name) {
                    "the baseline"
                } else {
                    ""
                };
                let _ = write!(text, "{:>8}  {:15} {word:18}", "-", "");
            }
        }
        let _ = writeln!(text, " {}", flags(slices, point, &name));
    }
    text
}

/// A figure with three digits at least where it has a fraction: what lies below one unit is not
/// nothing.
fn figure(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        _ if size >= 100.0 || size == 0.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

/// The codes of a subject's slices at a point, each with how many have it.
pub(crate) fn flags(slices: &[Slice], point: &str, subject: &str) -> String {
    let mut counts = BTreeMap::new();
    let mut total = 0;
    for slice in slices {
        if slice.spec.point() != point || slice.spec.subject != subject {
            continue;
        }
        total += 1;
        let mut reasons: Vec<_> = slice.flags.iter().map(|flag| flag.reason).collect();
        reasons.dedup();
        for reason in reasons {
            *counts.entry(reason).or_insert(0) += 1;
        }
    }
    let words = counts.into_iter().map(|(reason, count)| {
        let mark = if reason.invalidates() { "!" } else { "" };
        format!("{mark}{} {count}/{total}", reason.code())
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_below_one_unit_is_still_told() {
        let figures = [0.0, 0.0514, 0.146, 7.25, 73.96, 146.4, 35_000_000.0];
        assert_eq!(
            figures.map(figure),
            ["0", "0.051", "0.146", "7.25", "74.0", "146", "35000000"]
        );
    }
}
