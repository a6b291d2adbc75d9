//! Cost against the number of watched fds, with fitted lines and break-even.

use std::fmt::Write;

use benches::selbench::schema::{Slice, Workload};
use benches::selbench::statistics;

use super::axis::{self, Axis, COUNT, TIME};
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::series::{Line, Point, Series};
use super::{escape, figure};

/// The lines are fitted up to so many fds: where the sockets leave the cache, the curves of the
/// scanning calls have a knee.
const FITTED: f64 = 1024.0;

/// A fitted line: whose, its cost at zero, and nanoseconds for each fd.
type Fit = (String, f64, f64);

/// (2) The ring with one token.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let rings: Vec<&Slice> = groups::of(slices, Workload::Ring)
        .into_iter()
        .filter(|slice| slice.spec.count("active") == 1)
        .collect();
    let mut series = Vec::new();
    let mut fits: Vec<Fit> = Vec::new();
    for (subject, group) in groups::by_subject(&rings) {
        let points = groups::curve(&group, "registered", Workload::Ring.metric());
        let colour = colours.get(Workload::Ring, subject);
        if let Some(fit) = fit(subject, &points) {
            // Noise about a flat curve can fall, and would fall off a logarithmic axis.
            if fit.2 > 0.0 {
                series.push(line(&fit, &points, colour));
            }
            fits.push(fit);
        }
        series.push(Series::main(subject, points, colour));
    }
    let chart = Chart {
        shape: lines::WIDE,
        x: Axis {
            label: "watched fds, one of them active",
            logarithmic: true,
            ..COUNT
        },
        y: Axis {
            label: "time for each event",
            ..TIME
        },
        series,
        behind: Vec::new(),
    };
    figure(
        "cost",
        "Cost against the number of watched fds",
        &format!(
            "One thread, both ends in it; an event is a wait, a read and a write. {}Dotted: the \
             fitted lines, up to {FITTED} fds.",
            break_even(&fits)
        ),
        &lines::alone(chart),
    )
}

/// The line through the near points, if there are three that are to be believed; if none are, then
/// of all, for the look of it.
fn fit(subject: &str, points: &[Point]) -> Option<Fit> {
    let any = points.iter().any(|point| point.valid);
    let near: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| point.x <= FITTED && (point.valid || !any))
        .map(|point| (point.x, point.y))
        .collect();
    let (a, b) = statistics::fit(&near).filter(|_| near.len() >= 3)?;
    Some((subject.to_owned(), a, b))
}

fn line((subject, a, b): &Fit, points: &[Point], colour: usize) -> Series {
    Series {
        name: format!("{subject}, fitted"),
        points: points
            .iter()
            .map(|point| Point {
                y: a + b * point.x,
                valid: true,
                ..*point
            })
            .collect(),
        line: Line::Fitted,
        colour,
    }
}

/// The fitted lines in words, and where the scanning ones meet epoll.
fn break_even(fits: &[Fit]) -> String {
    let mut words = String::new();
    for (name, a, b) in fits {
        let _ = write!(
            words,
            "{}: {} {} {:.1} ns \u{b7} N. ",
            escape(name),
            axis::time(a.max(0.0)),
            if *b < 0.0 { '\u{2212}' } else { '+' },
            b.abs()
        );
    }
    let ours = |name: &str| fits.iter().find(|line| line.0 == name);
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
