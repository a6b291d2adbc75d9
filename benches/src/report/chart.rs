//! Line charts as SVG, by `plotters`: it has the axes, the mesh and the marks, needs no font and no
//! script, and twenty crates fewer than those that draw in a browser. What it does not have is here:
//! round numbers on axes of any length, and marks that are hollow where a figure is not
//! to be believed.

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Axis;
use super::axis::scale;
use crate::subjects;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    /// Of measurements that are to be believed; others are hollow, and their lines dashed.
    pub valid: bool,
}

pub struct Series {
    pub name: String,
    pub points: Vec<Point>,
    /// Of its line; a lower percentile is thinner than the main one.
    pub width: u32,
    pub kind: usize,
}

pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
}

const COLOURS: [u32; 10] = [
    0x7a869a, 0x2f81f7, 0xd9722b, 0x2da44e, 0xa371f7, 0xd6498f, 0xb08800, 0x1b9aaa, 0xe5534b,
    0x8a7a5c,
];
/// Full and hollow, for those who print in black and white or see colours differently.
const MARKS: [&str; 2] = [
    "\u{25cf}\u{25a0}\u{25b2}\u{25c6}\u{25bc}\u{2605}\u{25b6}\u{25c0}",
    "\u{25cb}\u{25a1}\u{25b3}\u{25c7}\u{25bd}\u{2606}\u{25b7}\u{25c1}",
];
/// Beyond so many points only some have a mark: a row of marks would hide the line.
const MARKED: usize = 24;

/// The colour and mark of a subject: the same in all figures.
pub fn kind(subject: &str) -> usize {
    let names = subjects::selectors().map(|kind| kind.name);
    let place = names.chain(subjects::all().map(|one| one.name)).position(|name| name == subject);
    place.unwrap_or(subject.len()) % COLOURS.len()
}

/// Full, or hollow where nothing is to be believed.
fn mark(kind: usize, valid: bool) -> String {
    MARKS[usize::from(!valid)].chars().cycle().skip(kind).take(1).collect()
}

impl Series {
    pub fn main(subject: &str, points: Vec<Point>) -> Self {
        Self { name: subject.to_owned(), points, width: 2, kind: kind(subject) }
    }

    /// Points that logarithmic axes can show.
    fn shown(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|point| point.x > 0.0 && point.y > 0.0)
    }

    fn legend(&self) -> Markup {
        let valid = self.points.iter().any(|point| point.valid);
        html! {
            span style={ "color:" (format!("#{:06x}", COLOURS[self.kind])) } {
                (mark(self.kind, valid))
            }
            " " (self.name) @if !valid { " (invalid)" }
        }
    }
}

/// Charts side by side where there is room, each with its legend; those on which there is nothing to
/// be seen are left out.
pub fn draw(charts: &[Chart]) -> Option<Markup> {
    let drawn: Vec<Markup> = charts.iter().filter_map(Chart::html).collect();
    (!drawn.is_empty()).then(|| html! { div .charts { @for one in drawn { (one) } } })
}

impl Chart {
    pub fn new(title: impl Into<String>, x: Axis, y: Axis, series: Vec<Series>) -> Self {
        Self { title: title.into(), x, y, series }
    }

    fn html(&self) -> Option<Markup> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (560, 330)).into_drawing_area();
            self.paint(&area)?;
            area.present().ok()?;
        }
        // Whatever is black has the colour of the text, in the dark too.
        let svg = svg.replace("#000000", "currentColor");
        let points: usize = self.series.iter().map(|one| one.shown().count()).sum();
        let label = format!("{} {} against {}", self.title, self.y.label, self.x.label);
        Some(html! {
            div data-points=(points) {
                @if !self.title.is_empty() { h4 { (self.title) } }
                div role="img" aria-label=(label) { (PreEscaped(svg)) }
                ul .legend { @for one in &self.series { li { (one.legend()) } } }
            }
        })
    }

    fn paint(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Option<()> {
        let all = || self.series.iter().flat_map(Series::shown);
        let across = scale(all().map(|point| point.x))?;
        let up = scale(all().map(|point| point.y))?;
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(across, up)
            .ok()?;
        let words = ("sans-serif", 12).into_font().color(&BLACK);
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(128, 128, 128).mix(0.25))
            .axis_desc_style(words.clone())
            .label_style(words)
            .x_desc(self.x.label)
            .y_desc(self.y.label)
            .x_label_formatter(&|x| (self.x.show)(*x))
            .y_label_formatter(&|y| (self.y.show)(*y))
            .draw()
            .ok()?;
        for one in &self.series {
            let points: Vec<Point> = one.shown().copied().collect();
            let [_, red, green, blue] = COLOURS[one.kind].to_be_bytes();
            let colour = RGBColor(red, green, blue);
            for pair in points.windows(2) {
                let line = pair.iter().map(|point| (point.x, point.y));
                let style = colour.stroke_width(one.width);
                if pair.iter().all(|point| point.valid) {
                    chart.draw_series(LineSeries::new(line, style)).ok()?;
                } else {
                    let line: Vec<_> = line.collect();
                    chart.draw_series(DashedLineSeries::new(line, 5, 4, style)).ok()?;
                }
            }
            let every = points.len().div_ceil(MARKED).max(1);
            // Curves that run together have their marks at different places.
            let marked = points.iter().skip(if every > 1 { one.kind % every } else { 0 });
            let centre = Pos::new(HPos::Center, VPos::Center);
            let style = ("sans-serif", 11).into_font().color(&colour).pos(centre);
            let marks = marked.step_by(every).map(|point| {
                Text::new(mark(one.kind, point.valid), (point.x, point.y), style.clone())
            });
            chart.draw_series(marks).ok()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::{COUNT, TIME};
    use super::*;

    #[test]
    fn what_is_invalid_is_hollow_and_dashed_and_an_empty_chart_is_none() {
        let point = |x: f64, valid| Point { x, y: x * x, valid };
        let chart = |points| Chart::new("t", COUNT, TIME, vec![Series::main("ours-poll", points)]);
        let drawn = |chart| draw(&[chart]).map(Markup::into_string);
        let [full, hollow] = [true, false].map(|valid| mark(kind("ours-poll"), valid));
        let points = vec![point(1.0, true), point(2.0, true), point(3.0, false)];
        let svg = drawn(chart(points)).unwrap();
        assert_eq!((svg.matches(&hollow).count(), svg.matches(&full).count()), (1, 3), "{svg}");
        assert!(svg.contains("data-points=\"3\"") && svg.contains("ours-poll"));
        let invalid = drawn(chart(vec![point(1.0, false)])).unwrap();
        assert!(invalid.contains("(invalid)"), "{invalid}");
        assert!(draw(&[chart(Vec::new()), chart(vec![point(0.0, true)])]).is_none());
    }
}
