//! Bar charts as SVG: a row for each subject, its name on the left and its figures in words on the
//! right, so that nothing depends on colour.

use std::fmt::Write;

use benches::selbench::schema::Slice;

use super::axis::{self, Axis, Scale};
use super::marks::{self, Entry, Key};
use super::{escape, groups};

const WIDTH: f64 = 760.0;
const ROW: f64 = 22.0;
const HEADING: f64 = 26.0;
const BOTTOM: f64 = 48.0;

/// A part of a bar.
pub(super) struct Segment {
    /// What it stands for; the legend's word where a bar has several.
    pub(super) name: &'static str,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) colour: usize,
}

/// One row.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) segments: Vec<Segment>,
    /// What stands behind the bar.
    pub(super) words: String,
    /// Whether it is to be believed; else it is hollow.
    pub(super) valid: bool,
}

impl Bar {
    /// A bar from zero.
    pub(super) fn plain(
        name: &str,
        kind: &'static str,
        (to, valid): (f64, bool),
        colour: usize,
        words: String,
    ) -> Self {
        Self {
            name: name.to_owned(),
            segments: vec![Segment {
                name: kind,
                from: 0.0,
                to,
                colour,
            }],
            words,
            valid,
        }
    }

    /// What stands behind the bar, with the mark of the invalid.
    fn told(&self) -> String {
        let invalid = if self.valid { "" } else { " (invalid)" };
        format!("{}{invalid}", self.words)
    }
}

/// Rows under a heading; an empty heading takes no room.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) bars: Vec<Bar>,
}

/// A group for each point, with the bars that each of its subjects has.
pub(super) fn grouped<B: IntoIterator<Item = Bar>>(
    points: &[(String, Vec<&Slice>)],
    bars: impl Fn(&str, &[&Slice]) -> B,
) -> Vec<Group> {
    let each = |(name, slices): &(String, Vec<&Slice>)| Group {
        name: name.clone(),
        bars: groups::by_subject(slices)
            .iter()
            .flat_map(|(subject, slices)| bars(subject, slices))
            .collect(),
    };
    points.iter().map(each).collect()
}

/// The chart; empty where there is no bar. On a logarithmic axis only the ends of a bar say
/// something, not its length: there each segment is a range.
pub(super) fn draw(groups: &[Group], x: &Axis) -> String {
    let rows = || groups.iter().flat_map(|group| &group.bars);
    if rows().next().is_none() {
        return String::new();
    }
    let widest = |words: fn(&Bar) -> String| {
        let widths = rows().map(|bar| axis::width(&words(bar)));
        widths.fold(0.0, f64::max)
    };
    let left = widest(|bar| bar.name.clone()) + 6.0;
    let right = WIDTH - widest(Bar::told) - 6.0;
    let ends = rows()
        .flat_map(|bar| &bar.segments)
        .flat_map(|segment| [segment.from, segment.to])
        .filter(|&end| !x.logarithmic || end > 0.0);
    let across = Scale::of(ends.collect::<Vec<_>>().into_iter(), x, (left, right));
    let mut html = "<div class=\"wide bars\">\n".to_owned();
    for (index, group) in groups.iter().enumerate() {
        let last = index + 1 == groups.len();
        html += &part(group, x, &across, (left, right), last);
    }
    html + "</div>\n"
}

/// A picture of one group, so that a page may end between two; the last one has the axis.
fn part(group: &Group, x: &Axis, across: &Scale, (left, right): (f64, f64), last: bool) -> String {
    let mut top = if group.name.is_empty() { 4.0 } else { HEADING };
    let bottom = top + ROW * group.bars.len() as f64;
    let height = bottom + if last { BOTTOM } else { 4.0 };
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n\
         <text class=\"heading\" x=\"8\" y=\"18\">{}</text>\n",
        escape(x.label),
        escape(&group.name)
    );
    for (at, words) in across.labelled(x, axis::width) {
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{at:.1} {top}V{bottom}\"/>");
        if last {
            let _ = writeln!(
                svg,
                "<text class=\"tick\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{words}</text>",
                bottom + 16.0
            );
        }
    }
    let _ = writeln!(svg, "<path class=\"axis\" d=\"M{left} {top}V{bottom}\"/>");
    for bar in &group.bars {
        row(&mut svg, bar, across, left, top);
        top += ROW;
    }
    if last {
        let _ = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{left} {bottom}H{right}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(left, right),
            bottom + 36.0,
            escape(x.label)
        );
    }
    svg + "</svg>\n"
}

fn row(svg: &mut String, bar: &Bar, across: &Scale, left: f64, top: f64) {
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        left - 7.0,
        top + 15.0,
        escape(&bar.name)
    );
    let mut end = left;
    for (index, segment) in bar.segments.iter().enumerate() {
        let colour = segment.colour % marks::KINDS;
        let class = if bar.valid {
            format!("bar{} f{colour}", if pale(index) { " pale" } else { "" })
        } else {
            format!("bar hollow invalid c{colour}")
        };
        let (from, to) = (across.at(segment.from), across.at(segment.to));
        // What is there is seen, however little it is.
        let wide = (to - from).max(2.0);
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" data-subject=\"{}\" data-of=\"{}\" data-from=\"{:.3}\" data-to=\"{:.3}\" data-valid=\"{}\" x=\"{from:.1}\" y=\"{}\" width=\"{wide:.1}\" height=\"{}\"><title>{} {}</title></rect>",
            escape(&bar.name),
            segment.name,
            segment.from,
            segment.to,
            bar.valid,
            top + 3.0,
            ROW - 6.0,
            escape(&bar.name),
            segment.name
        );
        if bar.segments.len() > 1 && wide > axis::width(segment.name) {
            let class = match bar.valid {
                true if !pale(index) => "bar-text",
                _ => "told",
            };
            let _ = writeln!(
                svg,
                "<text class=\"{class}\" x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                from + wide / 2.0,
                top + 15.0,
                segment.name
            );
        }
        end = from + wide;
    }
    let _ = writeln!(
        svg,
        "<text class=\"told\" x=\"{:.1}\" y=\"{}\">{}</text>",
        end + 7.0,
        top + 15.0,
        escape(&bar.told())
    );
}

/// What the legend says about the segments of stacked bars: each name once.
pub(super) fn entries(groups: &[Group]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let segments = groups
        .iter()
        .flat_map(|group| &group.bars)
        .flat_map(|bar| bar.segments.iter().enumerate());
    for (index, segment) in segments {
        if !entries.iter().any(|entry| entry.name == segment.name) {
            entries.push(Entry {
                name: segment.name.to_owned(),
                colour: segment.colour,
                key: Key::Bar { pale: pale(index) },
                valid: true,
            });
        }
    }
    entries
}

/// Every second segment is, so that they differ without colours.
fn pale(index: usize) -> bool {
    index % 2 == 1
}
