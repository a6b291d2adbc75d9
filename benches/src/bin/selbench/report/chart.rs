//! Line charts as SVG: scales, axes with units, curves, a legend.

use std::fmt::Write;

use super::escape;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 235.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 52.0;

/// Ends the names of curves that are drawn thinner, below those of p99 of the same colour.
const LOWER: &str = " p50";

/// A curve.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    /// Of measurements that are not to be believed: dashed and hollow.
    pub(super) invalid: bool,
    /// A line through others: thin, without marks.
    pub(super) fitted: bool,
    /// Which colour.
    pub(super) colour: usize,
}

impl Series {
    /// A curve of measurements; `valid` says whether they are to be believed.
    pub(super) fn measured(
        name: String,
        points: Vec<(f64, f64)>,
        valid: bool,
        colour: usize,
    ) -> Self {
        Self {
            name,
            points,
            invalid: !valid,
            fitted: false,
            colour,
        }
    }
}

/// An axis.
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) logarithmic: bool,
    /// What a number looks like.
    pub(super) show: fn(f64) -> String,
}

struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone, axis: &Axis, from: f64, to: f64) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if axis.logarithmic {
            (low / 1.15, high * 1.15)
        } else {
            (0.0, high * 1.05)
        };
        Self {
            low,
            high: if high > low { high } else { low + 1.0 },
            logarithmic: axis.logarithmic,
            from,
            to,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Round numbers within; on short logarithmic axes 2 and 5 as well.
    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let decades = (self.high / self.low).log10();
            let steps: &[f64] = match decades {
                narrow if narrow < 0.8 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
                middle if middle < 2.5 => &[1.0, 2.0, 5.0],
                _ => &[1.0],
            };
            let first = self.low.log10().floor() as i32;
            let last = self.high.log10().ceil() as i32;
            return (first..=last)
                .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
                .filter(|&tick| tick >= self.low && tick <= self.high)
                .collect();
        }
        let rough = (self.high - self.low) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|step| step * power)
            .into_iter()
            .find(|&step| step >= rough)
            .unwrap_or(rough);
        (0..)
            .map(|index| f64::from(index) * step)
            .take_while(|&tick| tick <= self.high)
            .collect()
    }
}

/// Draws curves. `overlay` is drawn below them, given where a point lies.
pub(super) fn lines(
    series: &[Series],
    x: &Axis,
    y: &Axis,
    overlay: impl Fn(&dyn Fn(f64) -> f64, f64, f64) -> String,
) -> String {
    let points = || series.iter().flat_map(|one| one.points.iter());
    let across = Scale::of(points().map(|point| point.0), x, LEFT, WIDTH - RIGHT);
    let up = Scale::of(points().map(|point| point.1), y, HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} against {}\">\n",
        escape(y.label),
        escape(x.label)
    );
    axes(&mut svg, &across, &up, x, y);
    svg += &overlay(&|value| across.at(value), TOP, HEIGHT - BOTTOM);
    for one in series {
        curve(&mut svg, one, &across, &up);
    }
    legend(&mut svg, series);
    svg + "</svg>"
}

fn axes(svg: &mut String, across: &Scale, up: &Scale, x: &Axis, y: &Axis) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for tick in across.ticks() {
        let at = across.at(tick);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"tick\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 17.0,
            (x.show)(tick)
        );
    }
    for tick in up.ticks() {
        let at = up.at(tick);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 7.0,
            at + 4.0,
            (y.show)(tick)
        );
    }
    let middle = f64::midpoint(TOP, bottom);
    let _ = writeln!(
        svg,
        "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text transform=\"translate(15 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, right),
        HEIGHT - 12.0,
        escape(x.label),
        escape(y.label)
    );
}

fn curve(svg: &mut String, one: &Series, across: &Scale, up: &Scale) {
    let place = |&(x, y): &(f64, f64)| format!("{:.1} {:.1}", across.at(x), up.at(y));
    let path: Vec<String> = one.points.iter().map(place).collect();
    let kind = match one.name.ends_with(LOWER) {
        _ if one.fitted => "fit",
        true => "curve lower",
        false => "curve",
    };
    let invalid = if one.invalid { " invalid" } else { "" };
    let colour = one.colour % 10;
    let _ = writeln!(
        svg,
        "<path class=\"{kind}{invalid} c{colour}\" data-subject=\"{}\" data-points=\"{}\" d=\"M{}\"><title>{}</title></path>",
        escape(&one.name),
        one.points.len(),
        path.join("L"),
        escape(&one.name)
    );
    // Many points are a line of their own; marks would hide it.
    if one.fitted || one.points.len() > 40 {
        return;
    }
    let mark = if one.invalid {
        format!("hollow c{colour}")
    } else {
        format!("f{colour}")
    };
    for &(x, y) in &one.points {
        let _ = writeln!(
            svg,
            "<circle class=\"{mark}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
            across.at(x),
            up.at(y)
        );
    }
}

fn legend(svg: &mut String, series: &[Series]) {
    let left = WIDTH - RIGHT + 14.0;
    for (row, one) in series.iter().filter(|one| !one.fitted).enumerate() {
        let at = TOP + 8.0 + 17.0 * row as f64;
        let invalid = if one.invalid { " invalid" } else { "" };
        let words = if one.invalid { " (invalid)" } else { "" };
        let lower = if one.name.ends_with(LOWER) {
            " lower"
        } else {
            ""
        };
        let _ = writeln!(
            svg,
            "<path class=\"curve{lower}{invalid} c{}\" d=\"M{left} {at}h18\"/><text x=\"{}\" y=\"{}\">{}{words}</text>",
            one.colour % 10,
            left + 24.0,
            at + 4.0,
            escape(&one.name)
        );
    }
}

/// A count, short.
pub(super) fn count(value: f64) -> String {
    if value >= 1e6 {
        format!("{}M", value / 1e6)
    } else if value >= 1e4 {
        format!("{}k", value / 1e3)
    } else {
        format!("{value}")
    }
}

/// Nanoseconds in the unit that suits them.
pub(super) fn time(nanoseconds: f64) -> String {
    let round = |value: f64| format!("{}", (value * 100.0).round() / 100.0);
    match nanoseconds {
        short if short < 1e3 => round(short) + " ns",
        short if short < 1e6 => round(short / 1e3) + " \u{b5}s",
        short if short < 1e9 => round(short / 1e6) + " ms",
        long => round(long / 1e9) + " s",
    }
}
