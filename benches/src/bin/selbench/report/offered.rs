//! Latency against offered load: flat, then a knee.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, COUNT, TIME};
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::series::{Line, Series};
use super::{escape, figure};

/// (4) p50 and p99 of the response over the rates that everyone was offered.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let loads = groups::of(slices, Workload::Load);
    let Some(first) = loads.first() else {
        return String::new();
    };
    // Curves over the rate are of one set-up: the first one is shown.
    let set_up = |slice: &Slice| {
        let of = |name| slice.spec.count(name);
        (
            ["connections", "idle", "size", "depth"].map(of),
            slice.spec.placement,
            slice.spec.choices.clone(),
        )
    };
    let shown: Vec<&Slice> = loads
        .iter()
        .copied()
        .filter(|slice| set_up(slice) == set_up(first))
        .collect();
    let mut series = Vec::new();
    for (subject, group) in groups::by_subject(&shown) {
        for (word, metric, line) in [
            ("p50", "response_p50_ns", Line::Lower),
            ("p99", "response_p99_ns", Line::Main),
        ] {
            series.push(Series {
                name: format!("{subject} {word}"),
                points: groups::curve(&group, "rate", metric),
                line,
                colour: colours.get(Workload::Load, subject),
            });
        }
    }
    series.retain(|one| !one.points.is_empty());
    let knees: String = series.iter().filter_map(knee).collect();
    let chart = Chart {
        shape: lines::WIDE,
        x: Axis {
            label: "offered messages a second, the same for everyone",
            ..COUNT
        },
        y: Axis {
            label: "response time",
            ..TIME
        },
        series,
        behind: Vec::new(),
    };
    figure(
        "offered",
        "Latency against offered load",
        &format!(
            "{} connections, {}. From the intended time of sending. Flat, then a knee: beyond the \
             capacity the queue grows for as long as the run lasts, so those points (flag backlog) \
             say nothing but that. {knees}",
            first.spec.count("connections"),
            escape(first.spec.placement.name())
        ),
        &lines::alone(chart),
    )
}

/// A curve is past its knee where it is so many times as high as at the lowest rate.
const BENT: f64 = 3.0;

/// Between which rates the p99 of a subject leaves the flat part, in words; nothing about points
/// that are not to be believed.
fn knee(one: &Series) -> Option<String> {
    let subject = one.name.strip_suffix(" p99")?;
    let mut points = one.points.iter().filter(|point| point.valid);
    let first = points.next()?;
    let mut last = first.x;
    for point in points {
        if point.y > BENT * first.y {
            return Some(format!(
                "{}: p99 is above {BENT} times that of the lowest rate between {} and {}/s. ",
                escape(subject),
                axis::count(last),
                axis::count(point.x)
            ));
        }
        last = point.x;
    }
    Some(format!(
        "{}: no knee up to {}/s. ",
        escape(subject),
        axis::count(last)
    ))
}
