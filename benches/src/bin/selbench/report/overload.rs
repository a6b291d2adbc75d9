//! Too much for a while: how many were answered, and how long it took until nobody waited.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, COUNT, TIME};
use super::bars::{self, Bar, Segment};
use super::figure;
use super::groups::{self, Colours};
use super::lines::{self, Behind, Chart};
use super::series::{Line, Point, Series};

/// The calm after lasts so many times as long as the overload; the calm before as long.
const PHASES: f64 = 6.0;
/// The length of a window of the time line, in milliseconds.
const WINDOW: f64 = 100.0;

/// (11) Overload and recovery.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let overloads = groups::of(slices, Workload::Overload);
    let points = groups::by_point(&overloads, |slice| {
        let spec = &slice.spec;
        format!(
            "{} connections, {}/s, then {}/s, then {}/s again; {}",
            spec.count("connections"),
            axis::count(spec.number("rate")),
            axis::count(spec.number("peak")),
            axis::count(spec.number("rate")),
            spec.placement.name()
        )
    });
    let groups = bars::grouped(&points, goodput);
    let rates = Axis {
        label: "messages a second while too much is offered",
        ..COUNT
    };
    let courses: Vec<(String, Chart)> = points
        .iter()
        .flat_map(|(name, group)| {
            [
                (format!("{name}: replies"), replies(group, colours)),
                (format!("{name}: response"), responses(group, colours)),
            ]
        })
        .collect();
    figure(
        "overload",
        "Overload and recovery",
        "Bars: what was answered in time of what was offered; the rest waited, for nothing is \
         refused. Curves: one slice of each subject in windows of 100 ms, the overload shaded. A \
         good server answers as many as it can while too much is offered, and a few more than are \
         offered afterwards, until its queue is gone.",
        &[
            bars::draw(&groups, &rates),
            super::marks::legend(&bars::entries(&groups)),
            lines::panels(&courses),
        ]
        .concat(),
    )
}

/// Answered at once, and left for later, of what was offered during the overload.
fn goodput(subject: &str, group: &[&Slice]) -> Option<Bar> {
    let (answered, valid) = groups::median(group, "goodput")?;
    let offered = group[0].spec.number("peak").max(answered);
    let recovery = groups::median(group, "recover_ms").map_or_else(
        || "did not recover".to_owned(),
        |(ms, _)| format!("recovered after {} ms", axis::count(ms)),
    );
    let segment = |name, from, to, colour| Segment {
        name,
        from,
        to,
        colour,
    };
    Some(Bar {
        name: subject.to_owned(),
        segments: vec![
            segment("answered", 0.0, answered, 3),
            segment("late", answered, offered, 8),
        ],
        words: format!("{}/s, {recovery}", axis::count(answered)),
        valid,
    })
}

/// The slice of each subject whose course is shown: a valid one, if there is any.
fn shown<'a>(group: &[&'a Slice]) -> Vec<(&'a str, &'a Slice)> {
    let first = |(subject, group): (&'a str, Vec<&'a Slice>)| {
        let (group, _) = groups::believable(&group);
        Some((subject, *group.first()?))
    };
    groups::by_subject(group)
        .into_iter()
        .filter_map(first)
        .collect()
}

/// A chart over the time of a slice with the overload shaded.
fn course(slice: &Slice, y: Axis) -> Chart {
    let length = slice.spec.milliseconds as f64;
    Chart {
        shape: lines::PANEL,
        x: Axis {
            label: "milliseconds",
            ..COUNT
        },
        y,
        series: Vec::new(),
        behind: vec![Behind::Band {
            from: length,
            to: 2.0 * length,
            share: 1.0,
            class: "phase",
            words: "the overload".to_owned(),
        }],
    }
}

/// Replies a second over time, beside what was offered.
fn replies(group: &[&Slice], colours: &Colours) -> Chart {
    let spec = &group[0].spec;
    let (length, rate, peak) = (
        spec.milliseconds as f64,
        spec.number("rate"),
        spec.number("peak"),
    );
    let mut chart = course(
        group[0],
        Axis {
            label: "replies a second",
            ..COUNT
        },
    );
    let corners = [
        (0.0, rate),
        (length, rate),
        (length, peak),
        (2.0 * length, peak),
        (2.0 * length, rate),
        (PHASES * length, rate),
    ];
    chart.series.push(Series {
        name: "offered".to_owned(),
        points: corners.map(|(x, y)| Point { x, y, valid: true }).to_vec(),
        line: Line::Reference,
        colour: 0,
    });
    for (subject, slice) in shown(group) {
        // A window that is not over when the slice ends would look like a collapse.
        let whole = (0..)
            .map(|index| f64::from(index) * WINDOW)
            .take_while(|from| from + WINDOW <= PHASES * length);
        let count = |from: f64| {
            let mut windows = slice.timeline.iter();
            let window = windows.find(|window| (window.at_ms as f64 - from).abs() < WINDOW / 2.0);
            // A window without any reply is not in the time line.
            window.map_or(0.0, |window| window.count as f64)
        };
        let points = whole.map(|from| Point {
            x: from + WINDOW / 2.0,
            y: count(from) * 1e3 / WINDOW,
            valid: slice.valid(),
        });
        let colour = colours.get(Workload::Overload, subject);
        let points = points.collect();
        chart.series.push(Series::main(subject, points, colour));
    }
    chart
}

/// The median response over time.
fn responses(group: &[&Slice], colours: &Colours) -> Chart {
    let mut chart = course(
        group[0],
        Axis {
            label: "median response",
            ..TIME
        },
    );
    for (subject, slice) in shown(group) {
        let points = slice.timeline.iter().map(|window| Point {
            x: window.at_ms as f64 + WINDOW / 2.0,
            y: window.p50_ns as f64,
            valid: slice.valid(),
        });
        let colour = colours.get(Workload::Overload, subject);
        let points = points.collect();
        chart.series.push(Series::main(subject, points, colour));
    }
    chart
}
