//! Timers: what each operation costs with so many outstanding, and how late sleeps end.

use std::fmt::Write;

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, COUNT, TIME};
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::series::{Line, Point, Series};
use super::{escape, figure};

/// The operations of a storm: heading and metric.
const OPERATIONS: [(&str, &str); 4] = [
    ("Insert", "insert_ns"),
    ("Reset on activity", "reset_ns"),
    ("Cancel", "cancel_ns"),
    ("Expire", "expire_ns"),
];

/// (13) A storm of idle timeouts.
pub(super) fn storm(slices: &[&Slice], colours: &Colours) -> String {
    let storms = groups::of(slices, Workload::Storm);
    let charts = OPERATIONS.map(|(name, metric)| {
        let points = |group: &[&Slice]| groups::curve(group, "timers", metric);
        let chart = Chart {
            shape: lines::PANEL,
            x: Axis {
                label: "outstanding timers",
                logarithmic: true,
                ..COUNT
            },
            y: Axis {
                label: "time for each",
                ..TIME
            },
            series: groups::curves(&storms, colours, points),
            behind: Vec::new(),
        };
        (name.to_owned(), chart)
    });
    figure(
        "timers",
        "A storm of timers",
        &format!(
            "Timeouts of 10 to 11 s, as a server has one for each connection. A flat curve is a \
             cost that does not grow with their number; a heap or a tree adds a step for each \
             doubling, and the caches add theirs. A line that rises as fast as the number would be \
             a list that is searched. {}",
            growth(&storms)
        ),
        &lines::panels(&charts),
    )
}

/// How much dearer a reset on activity is with the most timers than with the fewest, in words; of
/// points that are to be believed.
fn growth(storms: &[&Slice]) -> String {
    let mut words = String::new();
    for (subject, group) in groups::by_subject(storms) {
        let mut points = groups::curve(&group, "timers", "reset_ns");
        points.retain(|point| point.valid);
        let (Some(few), Some(many)) = (points.first(), points.last()) else {
            continue;
        };
        if many.x > few.x {
            let _ = write!(
                words,
                "{}: a reset is {:.1} times as dear with {} as with {}. ",
                escape(subject),
                many.y / few.y,
                axis::count(many.x),
                axis::count(few.x)
            );
        }
    }
    words
}

/// (14) How late sleeps end.
pub(super) fn overshoot(slices: &[&Slice], colours: &Colours) -> String {
    let sleeps = groups::of(slices, Workload::Overshoot);
    let mut series = Vec::new();
    for (subject, group) in groups::by_subject(&sleeps) {
        for (word, metric, line) in [
            ("median", "overshoot_median_ns", Line::Main),
            ("p99", "overshoot_p99_ns", Line::Lower),
        ] {
            series.push(Series {
                name: format!("{subject} {word}"),
                points: groups::curve(&group, "sleep_us", metric)
                    .into_iter()
                    .map(|point| Point {
                        x: point.x * 1e3,
                        ..point
                    })
                    .collect(),
                line,
                colour: colours.get(Workload::Overshoot, subject),
            });
        }
    }
    series.retain(|one| !one.points.is_empty());
    let chart = Chart {
        shape: lines::WIDE,
        x: Axis {
            label: "asked for",
            ..TIME
        },
        y: Axis {
            label: "too late by",
            ..TIME
        },
        series,
        behind: Vec::new(),
    };
    figure(
        "overshoot",
        "How late a sleep ends",
        "From the deadline to the poll that finds it. Runtimes that count in milliseconds are late \
         by one; the kernel's own slack is 50 \u{b5}s. p99 is drawn where 100 samples lie beyond it.",
        &lines::alone(chart),
    )
}
