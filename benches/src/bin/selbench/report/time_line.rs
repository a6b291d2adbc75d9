//! What happened in the course of a slice: the time line, with stolen time.

use std::collections::BTreeMap;

use benches::selbench::schema::{Slice, Window, Workload};

use super::axis::{self, Axis, COUNT, TIME};
use super::figure;
use super::groups::{self, Colours};
use super::lines::{self, Behind, Chart};
use super::series::{Line, Point, Series};

/// Percent of stolen time that has the full height.
const FULL: f64 = 20.0;

/// (5) The highest valid load; the highest at all, where none is valid.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let shown: Vec<&Slice> = groups::of(slices, Workload::Load)
        .into_iter()
        .filter(|slice| slice.timeline.len() > 1)
        .collect();
    let (believable, _) = groups::believable(&shown);
    let highest = believable
        .iter()
        .map(|slice| slice.spec.number("rate"))
        .fold(0.0, f64::max);
    let mut series = Vec::new();
    let mut steal = BTreeMap::new();
    for (subject, group) in groups::by_subject(&shown) {
        let here: Vec<&Slice> = group
            .into_iter()
            .filter(|slice| slice.spec.number("rate") == highest)
            .collect();
        let (here, _) = groups::believable(&here);
        let Some(slice) = here.first() else { continue };
        for window in &slice.timeline {
            let most = steal.entry(window.at_ms).or_insert(0.0_f64);
            *most = most.max(window.steal_percent);
        }
        let points = |value: fn(&Window) -> u64| {
            let windows = slice.timeline.iter();
            windows
                .map(|window| Point {
                    x: window.at_ms as f64,
                    y: value(window) as f64,
                    valid: slice.valid(),
                })
                .collect()
        };
        for (word, line, points) in [
            ("p50", Line::Lower, points(|window| window.p50_ns)),
            ("p99", Line::Main, points(|window| window.p99_ns)),
        ] {
            series.push(Series {
                name: format!("{subject} {word}"),
                points,
                line,
                colour: colours.get(Workload::Load, subject),
            });
        }
    }
    let chart = Chart {
        shape: lines::WIDE,
        x: Axis {
            label: "milliseconds since the measurement began",
            ..COUNT
        },
        y: Axis {
            label: "response time in each 100 ms",
            ..TIME
        },
        series,
        behind: stolen(&steal),
    };
    figure(
        "time-line",
        "Time line",
        &format!(
            "One slice of each subject at {}/s. Red bars: time that the hypervisor gave to others, \
             the full height being {FULL} %.",
            axis::count(highest)
        ),
        &lines::alone(chart),
    )
}

/// A bar for each window in which time was stolen.
fn stolen(steal: &BTreeMap<u64, f64>) -> Vec<Behind> {
    let some = steal.iter().filter(|(_, share)| **share > 0.0);
    some.map(|(&ms, &share)| Behind::Band {
        from: ms as f64,
        to: ms as f64 + 100.0,
        share: share / FULL,
        class: "steal",
        words: format!("{share:.1} % stolen"),
    })
    .collect()
}
