//! Line charts as SVG: two axes, the curves on them, and what lies behind.

use std::fmt::Write;

use super::axis::{self, Axis, Scale};
use super::escape;
use super::marks;
use super::series::{self, Point, Series};

/// How large a chart is, in the units of its picture.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    width: f64,
    height: f64,
    /// How much larger the type may become: narrow pages enlarge it where a chart is shrunk.
    type_grows: f64,
}

/// A chart that has the whole width.
pub(super) const WIDE: Shape = Shape {
    width: 760.0,
    height: 360.0,
    type_grows: 1.4,
};
/// One of several charts side by side.
pub(super) const PANEL: Shape = Shape {
    width: 400.0,
    height: 270.0,
    type_grows: 1.0,
};

const LEFT: f64 = 88.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 50.0;
/// What lies behind the curves.
pub(super) enum Behind {
    /// From one x to another, so much of the height (0 to 1).
    Band {
        from: f64,
        to: f64,
        share: f64,
        class: &'static str,
        words: String,
    },
    /// A value of y that matters.
    Level { y: f64, words: String },
    /// A value of x that matters to one subject.
    Stake { x: f64, colour: usize },
}

/// A chart.
pub(super) struct Chart {
    pub(super) shape: Shape,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    pub(super) behind: Vec<Behind>,
}

impl Chart {
    /// Whether there is nothing to be seen on it.
    pub(super) fn empty(&self) -> bool {
        self.shown().next().is_none()
    }

    /// The picture; a logarithmic axis leaves out what it cannot show.
    pub(super) fn draw(&self) -> String {
        let Shape { width, height, .. } = self.shape;
        let (right, bottom) = (width - RIGHT, height - BOTTOM);
        let levels = self.behind.iter().filter_map(|behind| match behind {
            Behind::Level { y, .. } => Some(*y),
            _ => None,
        });
        let across = Scale::of(self.shown().map(|point| point.x), &self.x, (LEFT, right));
        let heights = self.shown().map(|point| point.y).chain(levels);
        let up = Scale::of(heights, &self.y, (bottom, TOP));
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{} against {}\">\n",
            escape(self.y.label),
            escape(self.x.label)
        );
        self.axes(&mut svg, &across, &up);
        for behind in &self.behind {
            self.background(&mut svg, behind, &across, &up);
        }
        for one in &self.series {
            series::curve(&mut svg, one, self.points(one), &across, &up);
        }
        svg + "</svg>"
    }

    /// Points that both axes can show.
    fn points<'a>(&self, one: &'a Series) -> impl Iterator<Item = &'a Point> + Clone + use<'a> {
        let (x, y) = (self.x.logarithmic, self.y.logarithmic);
        one.points
            .iter()
            .filter(move |point| (!x || point.x > 0.0) && (!y || point.y > 0.0))
    }

    fn shown(&self) -> impl Iterator<Item = &Point> + Clone {
        self.series.iter().flat_map(|one| self.points(one))
    }

    fn axes(&self, svg: &mut String, across: &Scale, up: &Scale) {
        let Shape {
            width,
            height,
            type_grows,
        } = self.shape;
        let (right, bottom) = (width - RIGHT, height - BOTTOM);
        for (at, words) in across.labelled(&self.x, |words| type_grows * axis::width(words)) {
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
                 <text class=\"tick\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{words}</text>",
                bottom + 17.0
            );
        }
        for (at, words) in up.labelled(&self.y, |_| type_grows * axis::LINE) {
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{words}</text>",
                LEFT - 7.0,
                at + 4.0
            );
        }
        let middle = f64::midpoint(TOP, bottom);
        let _ = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(LEFT, right),
            height - 12.0,
            escape(self.x.label),
            escape(self.y.label)
        );
    }

    fn background(&self, svg: &mut String, behind: &Behind, across: &Scale, up: &Scale) {
        let (right, bottom) = (self.shape.width - RIGHT, self.shape.height - BOTTOM);
        let _ = match behind {
            Behind::Band {
                from,
                to,
                share,
                class,
                words,
            } => {
                let left = across.at(*from).clamp(LEFT, right);
                let tall = (bottom - TOP) * share.clamp(0.0, 1.0);
                writeln!(
                    svg,
                    "<rect class=\"{class}\" x=\"{left:.1}\" width=\"{:.1}\" y=\"{:.1}\" height=\"{tall:.1}\"><title>{}</title></rect>",
                    across.at(*to).clamp(left, right) - left,
                    bottom - tall,
                    escape(words)
                )
            }
            Behind::Level { y, words } => {
                let at = up.at(*y);
                writeln!(
                    svg,
                    "<path class=\"reference\" data-level=\"{y}\" d=\"M{LEFT} {at:.1}H{right}\"/>\
                     <text class=\"tick\" x=\"{}\" y=\"{:.1}\">{}</text>",
                    LEFT + 6.0,
                    at - 5.0,
                    escape(words)
                )
            }
            Behind::Stake { x, colour } => {
                let at = across.at(*x);
                writeln!(
                    svg,
                    "<path class=\"fit c{}\" data-stake=\"{x:.0}\" d=\"M{at:.1} {TOP}V{bottom}\"/>",
                    colour % marks::KINDS
                )
            }
        };
    }
}

/// Charts side by side where there is room, each under its heading, with one legend for all;
/// those on which there is nothing to be seen are left out.
pub(super) fn panels(charts: &[(String, Chart)]) -> String {
    let shown: Vec<&(String, Chart)> = charts.iter().filter(|(_, chart)| !chart.empty()).collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut html = "<div class=\"panels\">\n".to_owned();
    for (name, chart) in &shown {
        let heading = if name.is_empty() {
            String::new()
        } else {
            format!("<h3>{}</h3>", escape(name))
        };
        let _ = writeln!(
            html,
            "<div class=\"panel\">{heading}<div class=\"wide\">{}</div></div>",
            chart.draw()
        );
    }
    let series: Vec<&Series> = shown.iter().flat_map(|(_, chart)| &chart.series).collect();
    html + "</div>\n" + &marks::legend(&series::entries(&series))
}

/// One chart and its legend.
pub(super) fn alone(chart: Chart) -> String {
    panels(&[(String::new(), chart)])
}
