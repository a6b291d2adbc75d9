//! Curves: their points, solid where they are to be believed and dashed where they are not.

use std::fmt::Write;

use super::axis::Scale;
use super::escape;
use super::marks::{self, Entry, Key};

/// Beyond so many points only some have a mark: a row of marks would hide the line.
const MARKED: usize = 24;

/// One point of a curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// Of measurements that are to be believed; others are hollow, and their lines dashed.
    pub(super) valid: bool,
}

/// How a curve is drawn: the class of its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// The one that the figure is about.
    Main,
    /// A lower percentile beside the main one: thinner.
    Lower,
    /// A line through measurements: dotted, without marks.
    Fitted,
    /// What was asked for: no measurement.
    Reference,
}

impl Line {
    /// Of the stylesheet.
    fn class(self) -> &'static str {
        match self {
            Self::Main => "curve",
            Self::Lower => "curve lower",
            Self::Fitted => "fit",
            Self::Reference => marks::REFERENCE,
        }
    }
}

/// A curve.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
    pub(super) line: Line,
    pub(super) colour: usize,
}

impl Series {
    /// The curve of a subject that the figure is about.
    pub(super) fn main(subject: &str, points: Vec<Point>, colour: usize) -> Self {
        Self {
            name: subject.to_owned(),
            points,
            line: Line::Main,
            colour,
        }
    }
}

/// The line of a curve, solid between points that are to be believed and dashed elsewhere.
pub(super) fn curve<'a>(
    svg: &mut String,
    one: &Series,
    points: impl Iterator<Item = &'a Point> + Clone,
    across: &Scale,
    up: &Scale,
) {
    let place = |point: &Point| (across.at(point.x), up.at(point.y));
    let (mut solid, mut dashed) = (String::new(), String::new());
    for (from, to) in points.clone().zip(points.clone().skip(1)) {
        let path = if from.valid && to.valid {
            &mut solid
        } else {
            &mut dashed
        };
        let (from, to) = (place(from), place(to));
        let begin = format!("M{:.1} {:.1}", from.0, from.1);
        let last = format!("L{:.1} {:.1}", from.0, from.1);
        if !(path.ends_with(&last) || path.ends_with(&begin)) {
            *path += &begin;
        }
        let _ = write!(path, "L{:.1} {:.1}", to.0, to.1);
    }
    let count = points.clone().count();
    let colour = one.colour % marks::KINDS;
    let _ = writeln!(
        svg,
        "<g class=\"series\" data-subject=\"{0}\" data-points=\"{count}\" data-invalid=\"{1}\"><title>{0}</title>",
        escape(&one.name),
        points.clone().filter(|point| !point.valid).count()
    );
    for (path, invalid) in [(solid, ""), (dashed, " invalid")] {
        if !path.is_empty() {
            let class = one.line.class();
            let _ = writeln!(
                svg,
                "<path class=\"{class}{invalid} c{colour}\" d=\"{path}\"/>"
            );
        }
    }
    if matches!(one.line, Line::Main | Line::Lower) {
        let every = count
            .div_ceil(MARKED)
            .max(if count > MARKED { 6 } else { 1 });
        // Curves that run together have their marks at different places.
        let first = if every > 1 { colour % every } else { 0 };
        for point in points.skip(first).step_by(every) {
            let (x, y) = place(point);
            marks::mark(svg, colour, point.valid, x, y);
        }
    }
    *svg += "</g>\n";
}

/// What the legend says about curves: each name once, fitted lines not at all.
pub(super) fn entries(series: &[&Series]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for one in series.iter().filter(|one| one.line != Line::Fitted) {
        let valid = one.points.iter().any(|point| point.valid);
        match entries.iter_mut().find(|entry| entry.name == one.name) {
            Some(entry) => entry.valid |= valid,
            None => entries.push(Entry {
                name: one.name.clone(),
                colour: one.colour,
                key: Key::Line(one.line.class()),
                valid,
            }),
        }
    }
    entries
}
