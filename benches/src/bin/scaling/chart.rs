//! A chart of curves over a logarithmic number of connections, as SVG and as a table.

use std::fmt::Write;

/// One subject's values.
pub(crate) struct Curve {
    /// The subject.
    pub(crate) name: &'static str,
    /// Connections and value.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Curve {
    /// One without points yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            points: Vec::new(),
        }
    }
}

/// Curves that share their axes.
pub(crate) struct Chart {
    /// What is shown.
    pub(crate) title: &'static str,
    /// Of the upright axis.
    pub(crate) unit: &'static str,
    /// Subjects.
    pub(crate) curves: Vec<Curve>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Left, right, top and bottom of the plot itself.
const PLOT: (f64, f64, f64, f64) = (70.0, 620.0, 50.0, 370.0);
/// Distinct for most eyes, also of those who see fewer colours.
const COLOURS: [&str; 5] = ["#d55e00", "#cc79a7", "#56b4e9", "#0072b2", "#777777"];

impl Chart {
    /// The picture. Both axes are logarithmic: the costs span three powers of ten.
    pub(crate) fn svg(&self) -> String {
        let (left, right, top, bottom) = PLOT;
        let across = Scale::over(self.values(|point| point.0), left, right);
        let up = Scale::over(self.values(|point| point.1), bottom, top);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{left}\" y=\"24\" font-size=\"16\">{}</text>\n\
             <text x=\"{left}\" y=\"42\" fill=\"#555\">{}; both axes logarithmic</text>\n\
             <text x=\"{right}\" y=\"405\" text-anchor=\"end\">connections</text>\n",
            self.title, self.unit
        );
        for tick in across.ticks() {
            let x = across.place(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#ddd\"/>\
                 <text x=\"{x:.1}\" y=\"388\" text-anchor=\"middle\">{tick}</text>"
            );
        }
        for tick in up.ticks() {
            let y = up.place(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/>\
                 <text x=\"62\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
                y + 4.0
            );
        }
        for (index, (curve, colour)) in self.curves.iter().zip(COLOURS).enumerate() {
            svg += &draw(curve, colour, &across, &up);
            let y = top + 20.0 * index as f64 + 10.0;
            let _ = writeln!(
                svg,
                "<path d=\"M632 {y}h22\" stroke=\"{colour}\" stroke-width=\"3\"/>\
                 <text x=\"660\" y=\"{:.1}\">{}</text>",
                y + 4.0,
                curve.name
            );
        }
        svg + "</svg>\n"
    }

    /// The numbers behind the picture.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{} [{}]\n\n| connections |", self.title, self.unit);
        for curve in &self.curves {
            let _ = write!(text, " {} |", curve.name);
        }
        text += "\n|---:|";
        text += &"---:|".repeat(self.curves.len());
        let count = self.curves.first().map_or(0, |curve| curve.points.len());
        for row in 0..count {
            let _ = write!(text, "\n| {} |", self.curves[0].points[row].0);
            for curve in &self.curves {
                let value = curve.points[row].1;
                let digits = if value < 100.0 { 2 } else { 0 };
                let _ = write!(text, " {value:.digits$} |");
            }
        }
        text.push('\n');
        text
    }

    fn values<'a>(
        &'a self,
        pick: impl Fn(&(f64, f64)) -> f64 + 'a,
    ) -> impl Iterator<Item = f64> + 'a {
        self.curves.iter().flat_map(|curve| &curve.points).map(pick)
    }
}

fn draw(curve: &Curve, colour: &str, across: &Scale, up: &Scale) -> String {
    let mut path = String::new();
    let mut dots = String::new();
    for (index, &(x, y)) in curve.points.iter().enumerate() {
        let (x, y) = (across.place(x), up.place(y));
        let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        let _ = write!(
            dots,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
        );
    }
    format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>{dots}\n")
}

/// A logarithmic axis.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// The axis from `from` to `to` that has room for all values.
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|&value| value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        let low = if low.is_finite() { low } else { 1.0 };
        Self {
            low: low / 1.2,
            high: high.max(low * 2.0) * 1.2,
            from,
            to,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        self.from + part * (self.to - self.from)
    }

    /// 1, 2 and 5 times each power of ten.
    fn ticks(&self) -> Vec<f64> {
        (-3..7)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10.0_f64.powi(power)))
            .map(|tick| (tick * 1000.0).round() / 1000.0)
            .filter(|&tick| tick >= self.low && tick <= self.high)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_ten_is_as_wide_everywhere() {
        let scale = Scale {
            low: 1.0,
            high: 1000.0,
            from: 0.0,
            to: 300.0,
        };
        assert!((scale.place(10.0) - 100.0).abs() < 1e-9);
        assert!((scale.place(100.0) - 200.0).abs() < 1e-9);
    }

    #[test]
    fn the_picture_names_every_curve() {
        let mut curve = Curve::new("ours");
        curve.points = vec![(1.0, 2.0), (100.0, 3.0)];
        let chart = Chart {
            title: "t",
            unit: "u",
            curves: vec![curve],
        };
        assert!(chart.svg().contains(">ours</text>"));
        assert!(chart.table().contains("| 100 | 3.00 |"));
    }
}
