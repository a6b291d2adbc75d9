//! What happened in the course of a slice: the time line, and the system calls of an event.

use std::collections::BTreeMap;
use std::fmt::Write;

use benches::selbench::schema::{Slice, Workload};
use benches::stats;

use super::chart::{self, Axis, Series};
use super::figures::{TIME, believable, by_subject, colour, colours, of};
use super::{escape, figure};

/// (5) The time line of the highest valid load, with stolen time.
pub(super) fn time_line(slices: &[&Slice]) -> String {
    let shown: Vec<&Slice> = of(slices, Workload::Load)
        .into_iter()
        .filter(|s| s.timeline.len() > 1)
        .collect();
    let highest = shown
        .iter()
        .filter(|slice| slice.valid() || !shown.iter().any(|slice| slice.valid()))
        .map(|slice| slice.spec.number("rate"))
        .fold(0.0, f64::max);
    let names = colours(slices, true);
    let mut series = Vec::new();
    let mut steal = BTreeMap::new();
    for (subject, group) in by_subject(&shown) {
        let here: Vec<&Slice> = group
            .into_iter()
            .filter(|s| s.spec.number("rate") == highest)
            .collect();
        let (here, valid) = believable(&here);
        let Some(slice) = here.first() else { continue };
        for window in &slice.timeline {
            let most = steal.entry(window.at_ms).or_insert(0.0_f64);
            *most = most.max(window.steal_percent);
        }
        let line = |value: fn(&benches::selbench::schema::Window) -> u64| {
            let windows = slice
                .timeline
                .iter()
                .filter(move |window| value(window) > 0);
            windows
                .map(|window| (window.at_ms as f64, value(window) as f64))
                .collect()
        };
        for (word, points) in [("p50", line(|w| w.p50_ns)), ("p99", line(|w| w.p99_ns))] {
            series.push(Series::measured(
                format!("{subject} {word}"),
                points,
                valid,
                colour(&names, subject),
            ));
        }
    }
    series.retain(|one: &Series| one.points.len() > 1);
    if series.is_empty() {
        return String::new();
    }
    let x = Axis {
        label: "milliseconds since the measurement began",
        logarithmic: false,
        show: chart::count,
    };
    let y = Axis {
        label: "response time in each 100 ms",
        ..TIME
    };
    let overlay = |at: &dyn Fn(f64) -> f64, top: f64, bottom: f64| {
        let bars = steal.iter().filter(|(_, share)| **share > 0.0).map(|(&ms, &share)| {
            let (from, to) = (at(ms as f64), at(ms as f64 + 100.0));
            let height = (bottom - top) * (share / 20.0).min(1.0);
            format!(
                "<rect class=\"steal\" x=\"{from:.1}\" width=\"{:.1}\" y=\"{:.1}\" height=\"{height:.1}\"><title>{share:.1} % stolen</title></rect>",
                to - from,
                bottom - height
            )
        });
        bars.collect()
    };
    figure(
        "time-line",
        "Time line",
        &format!(
            "One slice of each subject at {highest:.0}/s. Red bars: time that the hypervisor gave \
             to others, the full height being 20 %."
        ),
        &chart::lines(&series, &x, &y, overlay),
    )
}

/// (6) System calls for each event of the ring.
pub(super) fn system_calls(slices: &[&Slice]) -> String {
    let rings: Vec<&Slice> = slices
        .iter()
        .copied()
        .filter(|s| !s.system_calls.is_empty())
        .collect();
    let Some(first) = rings.first().map(|slice| slice.spec.point()) else {
        return String::new();
    };
    let here: Vec<&Slice> = rings
        .into_iter()
        .filter(|slice| slice.spec.point() == first)
        .collect();
    let kinds = ["wait", "read", "write", "change"];
    let groups = by_subject(&here);
    let (scale, height) = (130.0, 24.0 * groups.len() as f64 + 40.0);
    let mut svg = format!(
        "<svg viewBox=\"0 0 860 {height}\" role=\"img\" aria-label=\"system calls for each event\">\n"
    );
    for (row, (subject, group)) in groups.iter().enumerate() {
        let top = 24.0 * row as f64 + 4.0;
        let _ = writeln!(
            svg,
            "<text x=\"150\" y=\"{}\" text-anchor=\"end\">{}</text>",
            top + 14.0,
            escape(subject)
        );
        let (mut left, mut total) = (160.0, 0.0);
        for (index, kind) in kinds.iter().enumerate() {
            let each: Vec<f64> = group
                .iter()
                .filter_map(|slice| slice.system_calls.get(*kind).copied())
                .collect();
            let each = stats::median(&each);
            if each <= 0.0 {
                continue;
            }
            let _ = writeln!(
                svg,
                "<rect class=\"bar f{}\" data-subject=\"{}\" data-call=\"{kind}\" data-each=\"{each:.3}\" x=\"{left:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"18\"><title>{kind} {each:.3}</title></rect>",
                index + 1,
                escape(subject),
                each * scale
            );
            left += each * scale;
            total += each;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\">{total:.2}</text>",
            left + 6.0,
            top + 14.0
        );
    }
    for (index, kind) in kinds.iter().enumerate() {
        let left = 160.0 + 120.0 * index as f64;
        let top = height - 24.0;
        let _ = writeln!(
            svg,
            "<rect class=\"f{}\" x=\"{left}\" y=\"{top}\" width=\"12\" height=\"12\"/><text x=\"{}\" y=\"{}\">{kind}</text>",
            index + 1,
            left + 18.0,
            top + 11.0
        );
    }
    figure(
        "system-calls",
        "System calls for each event",
        &format!(
            "{}. \u{201c}change\u{201d} is arming again after a oneshot report.",
            escape(&first)
        ),
        &(svg + "</svg>"),
    )
}
